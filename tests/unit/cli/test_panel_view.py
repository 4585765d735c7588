"""What the panel shows of the processes, as much of it as there is room for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.cli.live_figures import Figures
from runner.cli.panel_text import Text
from runner.cli.panel_view import View
from tests.unit.cli.test_output import Recorded

if TYPE_CHECKING:
    from runner.engine.live_tree import Entry


class Process:
    """Stands in for `Entry`, which is read from the kernel."""

    def __init__(self, words: str) -> None:
        self.pid = 4711
        self.cpu_percent = 12.0
        self.cpu_seconds = 65.0
        self.memory_bytes = 5 << 20
        self.command = f"/opt/python/versions/3.11/bin/{words}"
        self.brief = words


@pytest.mark.parametrize(
    ("width", "head", "first"),
    [
        (80, "PID CPU MEMORY TIME COMMAND", "4711 12 % 5 MB 1:05 python load.py --since yesterday"),
        (60, "PID CPU MEMORY TIME COMMAND", "4711 12 % 5 MB 1:05 python load.py --since y"),
        (50, "PID CPU MEMORY COMMAND", "4711 12 % 5 MB python load.py --since"),
        (40, "PID CPU COMMAND", "4711 12 % python load.py --since"),
        (30, "CPU COMMAND", "12 % python load.py --sinc"),
    ],
)
def test_commands_have_room(width: int, head: str, first: str) -> None:
    entries: Any = [Process("python load.py --since yesterday"), Process("sleep 600")]
    shown: list[Entry] = entries
    view = View("load.py", Figures(), Text(), Recorded())  # type: ignore[no-untyped-call]
    rows, _ = view.rows(width, 24, 1.0, shown)
    at = next(number for number, row in enumerate(rows) if "COMMAND" in row)
    assert rows[at].split() == head.split()
    assert " ".join(rows[at + 1].split()).startswith(first[: width - 4])
    assert all(len(row) <= width for row in rows[at:])
