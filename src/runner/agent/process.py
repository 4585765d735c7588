"""What is known of one process of a tree, whichever backend reads it."""

from __future__ import annotations


class Process:
    """One process, as it was when last read.

    Attributes:
        pid: Its process id.
        parent: The parent's.
        cpu: CPU time of all its threads, in nanoseconds.
        waited: CPU time of the children it has waited for, in nanoseconds, as far as known: the kernel tells it in
            ticks, rounded down; what was seen of children that are gone may be more.
        waited_before: `waited` as it was before the last reading.
        io: ``[read_bytes, write_bytes, read_chars, write_chars]``, those of waited-for children included; None where
            the system does not let it be read.
        io_before: `io` as it was before the last reading.
        rss: Resident memory in bytes.
        peak: High-water mark of it.
        rose: Whether `peak` rose with the last reading.
        settled: Whether hardly any memory had come since the reading before: what `peak` was then, it is still.
        size: Virtual size, which a fresh copy of a process shares with its parent.
        threads: Number of threads.
        fds: Open file descriptors, None where unknown.
        state: The kernel's letter: R, S, D, T, Z ...
        ignores_children: Whether it ignores SIGCHLD, so that the kernel drops what its children used.
        sightings: How often it has been read.
        round: Number of the round in which it was last read.
        stirred: Whether it has run since the round before.
        copy: Whether it is a copy of its parent that has not begun to be anything else; its memory is the parent's.
        due: When it is read again even if it has not run.
        told: What of `cpu` has been told.
        shares: What `proportional` returned last, and `shares_at` when.
    """

    __slots__ = (
        "copy", "cpu", "due", "fds", "ignores_children", "io", "io_before", "parent", "peak", "pid", "rose", "round",
        "rss", "settled", "shares", "shares_at", "sightings", "size", "state", "stirred", "threads", "told", "waited",
        "waited_before",
    )  # fmt: skip

    def __init__(self, pid: int, parent: int) -> None:
        self.pid = pid
        self.parent = parent
        self.cpu = 0
        self.waited = 0
        self.waited_before = 0
        self.io: list[int] | None = [0, 0, 0, 0]
        self.io_before: list[int] | None = self.io
        self.rss = 0
        self.peak = 0
        self.rose = False
        self.settled = False
        self.size = 0
        self.threads = 0
        self.fds: int | None = None
        self.state = "?"
        self.ignores_children = False
        self.sightings = 0
        # Notes of those who watch it.
        self.round = 0
        self.stirred = True
        self.copy = False
        self.due = 0.0
        self.told = 0
        self.shares: tuple[int, int, int] | None = None
        self.shares_at = -1.0
