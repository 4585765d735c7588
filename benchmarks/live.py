"""What the live line costs: CPU of the runner while it redraws, and what becomes of a flood of output."""

from __future__ import annotations

import os
import pty
import statistics
import sys
import termios
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if __package__ in (None, ""):
    sys.path.insert(0, __file__.rsplit("/", 2)[0])

from benchmarks import common
from benchmarks.monitor import cpu_seconds

if TYPE_CHECKING:
    from benchmarks.common import Row

ROUNDS = 30
#: A round takes a minute.
ROUNDS_FOR_ONE = 10
WINDOW = 10.0
SETTLE = 2.5
BOUND = 1.0  # percent of a core
SLOWER = 1.1
FLOOD = 64 << 20
_DRAWING = b"\x1b7\x1b[?7l"

#: Memory changes all the time, so that no drawing is left out because it would show what is shown already.
GROWING = """
import time
held = []
end = time.monotonic() + {seconds}
while time.monotonic() < end:
    held.append(bytearray(1 << 20))
    time.sleep(0.1)
"""
LINES = """
import time
for number in range({count}):
    print("line", number, flush=True)
    time.sleep(0.05)
"""
FLOODING = """
import os
block = b"x" * 79 + b"\\n"
block *= (1 << 16) // len(block)
for _ in range({bytes} // len(block)):
    os.write(1, block)
"""


class Drawn(NamedTuple):
    """What one run with a terminal cost."""

    percent: float  # of a core, within the window
    redraws: float  # a second, within the window
    seconds: float  # until its end


class Terminal:
    """A terminal that takes all there is, and counts drawings of the live line."""

    def __init__(self, words: list[str], script: str) -> None:
        folder = common.scratch("live")
        (folder / "work.py").write_text(script)
        argv = [*common.checkout_runner(), "--quiet", "--history-db", "h.db", *words, "work.py"]
        self.begin = time.monotonic()
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            termios.tcsetwinsize(0, (24, 80))
            os.chdir(folder)
            os.execve(argv[0], argv, {**common.environment(), "TERM": "xterm-256color"})
        self.redraws = 0
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 1 << 16)
            except OSError:  # EIO: the end
                return
            self.redraws += data.count(_DRAWING)

    def wait(self) -> float:
        """Return the seconds until the end."""
        _, status = os.waitpid(self.pid, 0)
        seconds = time.monotonic() - self.begin
        self._reader.join()
        os.close(self._master)
        if status:
            raise RuntimeError(f"the runner ended with status {status}")
        return seconds


def watch(words: list[str], script: str) -> Drawn:
    """Run a script on a terminal and look at the runner for a window of time."""
    terminal = Terminal(words, script)
    time.sleep(SETTLE)
    begin, cpu, redraws = time.monotonic(), cpu_seconds(terminal.pid), terminal.redraws
    time.sleep(WINDOW)
    span = time.monotonic() - begin
    spent, drawn = cpu_seconds(terminal.pid) - cpu, terminal.redraws - redraws
    return Drawn(100 * spent / span, drawn / span, terminal.wait())


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Measure; see `benchmarks.common` for what a row is."""
    times = max(1, rounds // ROUNDS_FOR_ONE)
    ways = {"with": ["--progress"], "without": ["--no-progress"]}
    growing = GROWING.replace("{seconds}", str(SETTLE + WINDOW + 1))
    lines = LINES.replace("{count}", str(int((SETTLE + WINDOW + 1) / 0.05)))
    found: dict[str, list[Drawn]] = {way: [] for way in ways}
    hurried: list[Drawn] = []
    for _ in range(times):
        for way, words in ways.items():
            found[way].append(watch(words, growing))
        hurried.append(watch(ways["with"], lines))
    flood = FLOODING.replace("{bytes}", str(FLOOD))
    floods = {way: lambda words=words: Terminal(words, flood).wait() for way, words in ways.items()}
    seconds = common.interleaved(floods, max(3, rounds // 3))
    table: list[Row] = []

    def add(*row: Any) -> None:
        table.append(row)

    percent = {way: statistics.median(each.percent for each in drawn) for way, drawn in found.items()}
    cost = percent["with"] - percent["without"]
    redraws = statistics.median(each.redraws for each in found["with"])
    between = max(each.redraws for each in hurried)
    ratio = seconds["with"] / seconds["without"]
    work = f"({times} rounds of {WINDOW:.0f} s)"
    add(f"CPU of the live line {work}", f"{cost:.2f} % of a core", f"<= {BOUND:g} %", cost <= BOUND)
    add("  redraws a second meanwhile", f"{redraws:.1f}", "<= 4", redraws <= 4.05)
    add("  CPU of the runner without it", f"{percent['without']:.2f} % of a core", "", True)
    add("redraws between lines that come 20 times a second", f"{between:.1f}", "0", between == 0)
    add(f"{FLOOD >> 20} MB to a terminal, to without the line", f"{ratio:.2f} x", f"<= {SLOWER:g} x", ratio <= SLOWER)
    return table


if __name__ == "__main__":
    common.print_table((__doc__ or "").splitlines()[0], rows(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
