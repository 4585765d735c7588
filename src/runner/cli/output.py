"""What the runner says on standard error: the summary after a run, warnings, errors."""

from __future__ import annotations

import os
import sys

from runner.agent.events import FAILED_TO_START, SKIPPED
from runner.model import metrics as m
from runner.model.run import label_of
from runner.model.units import format_bytes, format_count, format_seconds
from runner.model.verdict import error_of, figure, verdict
from runner.model.words import printable as printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.engine.run_options import ShowOptions
    from runner.model.metric import Metric
    from runner.model.run import Attempt, Run

#: Styles for `Screen.paint`.
BOLD, DIM, RED, GREEN, YELLOW, RESET = "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[33m", "\033[0m"

_ERROR = "Error"
_LABEL = 11  # columns taken by a row's label
_NARROW = 20  # columns beside labels below which a row goes below its label
_MOST = 4  # lines of a row: what went wrong is worth several, but no screenful
_TOLD = 3  # failures named of a run that was retried


def is_dumb(environ: Mapping[str, str]) -> bool:
    """Whether variables say of a terminal that it can do no more than print, or nothing at all."""
    return environ.get("TERM", "") in ("", "dumb")


class Screen:
    """What standard error can show: its width, colours and characters.

    Args:
        fd: The descriptor written to.
        environ: Variables that say what it can do (TERM, NO_COLOR, LC_ALL, LC_CTYPE, LANG).
    """

    def __init__(self, fd: int = 2, environ: dict[str, str] | None = None) -> None:
        environ = dict(os.environ) if environ is None else environ
        self.fd = fd
        try:
            self.terminal = os.isatty(fd)
        except OSError:
            self.terminal = False
        self.color = self.terminal and not environ.get("NO_COLOR") and not is_dumb(environ)
        # In the C locale Python writes UTF-8 all the same; the terminal was said to show ASCII.
        locale = (environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "utf8").lower()
        encoding = (getattr(sys.stderr, "encoding", None) or "").lower().replace("-", "")
        self.unicode = encoding == "utf8" and "utf" in locale
        self.width = 0  # unlimited
        if self.terminal:
            try:
                self.width = os.get_terminal_size(fd).columns
            except OSError:
                self.width = 80

    def paint(self, text: str, style: str) -> str:
        """Return the text in a style, where there are colours."""
        return f"{style}{text}{RESET}" if self.color and text else text

    def plain(self, text: str) -> str:
        """Return the text in characters that it can show, none of which does anything to it."""
        clean = printable(text)
        return clean if self.unicode else clean.encode("ascii", "replace").decode("ascii")

    def fit(self, text: str, taken: int = 0) -> str:
        """Return the text cut to what is left of a line after `taken` columns, and with characters it can show."""
        clean = self.plain(text)
        room = self.width - taken
        if not self.width or 2 * len(clean) <= room:
            return clean
        from runner.cli.columns import columns, cut

        if columns(clean) <= room:
            return clean
        mark = "…" if self.unicode else "..."
        return cut(clean, room - len(mark)) + mark

    def write(self, text: str) -> None:
        """Write, and let no failure of the terminal become anybody's problem."""
        data = text.encode("utf-8", "replace")
        try:
            while data:
                data = data[os.write(self.fd, data) :]
        except OSError:
            pass


def warn(screen: Screen, text: str, show: ShowOptions | None = None) -> None:
    """Say one line of trouble that did not touch the script."""
    log = None if show is None else show.own_log
    if log is not None:
        log.warning(text)
        if log.speaks:
            return
    if show is None or not (show.suppress_warnings or show.log_level == "ERROR"):
        screen.write(f"{screen.paint('runner: warning:', YELLOW)} {screen.plain(text)}\n")


def fail(screen: Screen, text: str) -> None:
    """Say why nothing was done."""
    screen.write("".join(f"{screen.paint('runner: error:', RED)} {screen.plain(line)}\n" for line in text.split("\n")))


def summarize(screen: Screen, run: Run, show: ShowOptions) -> None:
    """Show what a run was and what it cost, as much of it as was asked for."""
    if show.own_log is not None and show.own_log.speaks:
        return  # its last event says the same
    if run.last.reason == SKIPPED:
        if not (show.quiet or show.log_level == "ERROR"):
            screen.write(f"runner: {screen.plain(f'{run.name} was skipped: {error_of(run.last)}')}\n")
        return
    if show.quiet and run.last.reason == FAILED_TO_START:
        fail(screen, error_of(run.last))  # not a summary: nothing else would say it
        return
    if show.quiet or (show.log_level == "ERROR" and run.last.success):
        return
    if show.log_level in ("WARNING", "ERROR"):
        screen.write(_one_line(screen, run) + "\n")
        return
    lines = [headline(screen, run), *(_row(screen, *row) for row in _rows(run) if row[1])]
    if run.usual is not None:
        from runner.cli.usual_row import usual_rows

        room = max(1, screen.width - _LABEL) if screen.width else 0
        lines += [_row(screen, *row) for row in usual_rows(run, screen.unicode, room)]
    # A script that left its last line open keeps it: the summary starts below.
    screen.write("\n" * (1 + _open_line(run, screen)) + "\n".join(lines) + "\n")


def _open_line(run: Run, screen: Screen) -> bool:
    tail = run.last.output.get("stdout" if run.last.merged else "stderr")
    return screen.terminal and tail is not None and tail.unfinished


def _one_line(screen: Screen, run: Run) -> str:
    last = run.last
    cost = [f"CPU {figure(last, m.CPU_TIME)}", f"peak memory {figure(last, m.MEMORY_MAX)}"]
    if len(run.attempts) > 1:
        cost.append(f"{len(run.attempts)} attempts")
    known = "" if last.reason == FAILED_TO_START else "; " + ", ".join(cost)
    error = f": {error_of(last)}" if error_of(last) else ""
    return screen.fit(f"runner: {run.name} {verdict(last)}{error}{known}")


def headline(screen: Screen, run: Run) -> str:
    """Return the line that says of which run how it ended."""
    good = run.last.success
    marks = ("✓", "✗") if screen.unicode else ("ok:", "FAILED:")
    mark = marks[0] if good else marks[1]
    right = f"run {run.id}"
    roomy = screen.width >= 60 or not screen.terminal
    taken = len(mark) + 2 + (len(right) + 2 if roomy else 0)
    ending = verdict(run.last)
    # A long name leaves the verdict half of the line.
    name = screen.fit(label_of(run.name, run.script_path), taken + min(len(ending), (screen.width - taken) // 2))
    painted = screen.paint(mark, GREEN if good else RED) + " " + screen.paint(name, BOLD)
    gap = "  "
    if screen.terminal:
        from runner.cli.columns import columns

        ending = screen.fit(ending, taken + columns(name))
        gap = " " * max(2, screen.width - len(mark) - 2 - columns(name) - columns(ending) - len(right))
    painted += " " + (ending if good else screen.paint(ending, RED))
    return painted + (gap + screen.paint(right, DIM) if roomy else "")


def _row(screen: Screen, label: str, text: str, alarming: bool = False) -> str:
    gap = " · " if screen.unicode else ", "
    plain = screen.plain(text if screen.unicode else text.replace(" · ", gap))
    style = YELLOW if alarming else DIM
    begin = f"  {screen.paint(f'{label:<8}', style)} "
    room = screen.width - _LABEL
    if not screen.width or (room >= _NARROW and 2 * len(plain) <= room):
        return begin + plain
    from runner.cli.columns import wrap

    if room >= _NARROW:
        lines = wrap(screen.fit(plain, screen.width - _MOST * room), room, gap)
        return begin + ("\n" + " " * _LABEL).join(lines)
    # Figures come in the order of what they are worth: here is room for the first of them.
    lines = wrap(plain if label == _ERROR else plain.split(gap)[0], max(2, screen.width - 4))[:_MOST]
    head = [f"  {screen.paint(label, style)}"] if label else []
    return "\n".join([*head, *(f"    {line}" for line in lines)])


def _rows(run: Run) -> list[tuple[str, str]]:
    last = run.last
    if last.reason == FAILED_TO_START or not last.metrics:
        return [(_ERROR, error_of(last))]
    return [
        (_ERROR, error_of(last)),
        _where(run),
        ("CPU", _cpu(last)),
        ("Memory", _memory(last)),
        ("Disk", _disk(last)),
        ("Output", _output(last)),
        ("Left", _left(last)),
        ("Retried", _retried(run)),
    ]


def _where(run: Run) -> tuple[str, str]:
    """Return the row of where a run failed, what an error of its kind usually means, and whether it came before."""
    failure = run.failure
    if failure is None:
        return "Where", ""
    kind = f"{failure.kind}: {failure.meaning}" if failure.meaning else ""
    runs = f"{format_count(failure.runs)} run{'s' * (failure.runs != 1)}"
    before = f"{failure.count} x in the {runs} before" if failure.count else f"never in the {runs} before"
    known = before if failure.runs else ""
    label = "Where" if failure.place else "Kind" if kind else "Before"
    parts = (failure.place, known, kind) if failure.place else (kind, known)
    return label, " · ".join(filter(None, parts))


def _number(attempt: Attempt, metric: Metric) -> float:
    return attempt.metrics.get(metric.name) or 0


def _cpu(attempt: Attempt) -> str:
    parts = [
        figure(attempt, m.CPU_TIME),
        f"user {figure(attempt, m.USER_TIME)}, system {figure(attempt, m.SYSTEM_TIME)}",
        f"{figure(attempt, m.CPU_AVG)} of a core, highest {figure(attempt, m.CPU_MAX)}",
    ]
    return " · ".join(parts)


def _memory(attempt: Attempt) -> str:
    parts = [f"peak {figure(attempt, m.MEMORY_MAX)}"]
    if _number(attempt, m.NUM_PROCESSES) > 1:
        parts.append(f"largest process {figure(attempt, m.MEMORY_MAX_PROCESS)}")
        parts.append(f"{figure(attempt, m.NUM_PROCESSES)} processes, {figure(attempt, m.NUM_THREADS)} threads")
    elif _number(attempt, m.NUM_THREADS) > 1:
        parts.append(f"{figure(attempt, m.NUM_THREADS)} threads")
    return " · ".join(parts)


def _disk(attempt: Attempt) -> str:
    parts = []
    for verb, metric in (("read", m.BLOCK_IO_READ), ("written", m.BLOCK_IO_WRITE)):
        if _number(attempt, metric):
            parts.append(f"{figure(attempt, metric)} {verb}")
    return " · ".join(parts)


def _output(attempt: Attempt) -> str:
    if attempt.metrics.get(m.STDOUT_SIZE.name) is None and attempt.metrics.get(m.STDERR_SIZE.name) is None:
        return "not captured"
    parts = []
    for name, lines, size in (("stdout", m.STDOUT_LINES, m.STDOUT_SIZE), ("stderr", m.STDERR_LINES, m.STDERR_SIZE)):
        if _number(attempt, size):
            label = "" if attempt.merged else f"{name} "
            count = int(_number(attempt, lines))
            amount = format_bytes(_number(attempt, size))
            parts.append(f"{label}{format_count(count)} line{'s' * (count != 1)}, {amount}")
    return " · ".join(parts)


def _left(attempt: Attempt) -> str:
    count = int(_number(attempt, m.SURVIVORS))
    return f"{count} process{'es' * (count != 1)} still running" if count else ""


def _retried(run: Run) -> str:
    if len(run.attempts) < 2:
        return ""
    failures = [attempt.error_message or attempt.reason for attempt in run.attempts[:-1]]
    changes = [now for before, now in zip(["", *failures], failures, strict=False) if now != before]
    told = ", then ".join([*changes[:_TOLD], *(["others"] if len(changes) > _TOLD else [])])
    return f"{len(failures)} x after {told} · {format_seconds(run.total_seconds)} in all"
