"""What the tests of the live line and the panel share: scripts on real ptys, and what a terminal shows of them."""

from __future__ import annotations

import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import support

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DRIVE = str(Path(__file__).with_name("drive.py"))

#: What each drawing of the live line begins with.
LINE = b"\x1b7\x1b[?7l"


class Seen:
    """What a terminal was sent, and what it shows in the end."""

    def __init__(self, data: bytes, columns: int, lines: int, code: int | None) -> None:
        pyte = pytest.importorskip("pyte")
        self.data = data
        self.code = code
        self.screen = pyte.HistoryScreen(columns, lines, history=20000, ratio=0.5)
        pyte.ByteStream(self.screen).feed(data)

    @property
    def shows(self) -> tuple[list[Any], list[str], tuple[int, int]]:
        """Everything that can be seen: cells with their colours, what has scrolled away, where the cursor is."""
        screen = self.screen
        cells = [[_look(screen.buffer[row][at]) for at in range(screen.columns)] for row in range(screen.lines)]
        history = ["".join(line[at].data for at in range(screen.columns)) for line in screen.history.top]
        return cells, history, (screen.cursor.x, screen.cursor.y)

    @property
    def text(self) -> str:
        history = ["".join(line[at].data for at in range(self.screen.columns)) for line in self.screen.history.top]
        return "\n".join(line.rstrip() for line in [*history, *self.screen.display]).rstrip()


def _look(cell: Any) -> Any:
    return (" ", cell.bg) if cell.data == " " else cell


class Ptys:
    """Runs commands on ptys of their own, in a folder with a clean environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {**support.clean_environment(folder), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}

    def script(self, text: str) -> str:
        (self.folder / "script.py").write_text(textwrap.dedent(text))
        return "script.py"

    def command(self, *words: str) -> list[str]:
        return [sys.executable, _DRIVE, *words]

    def spawn(self, argv: Sequence[str], columns: int = 80, lines: int = 24, **env: str) -> Any:
        pexpect = pytest.importorskip("pexpect")
        return pexpect.spawn(
            argv[0], list(argv[1:]), env={**self.env, **env}, cwd=str(self.folder), dimensions=(lines, columns),
            timeout=30,
        )  # fmt: skip

    def see(
        self,
        argv: Sequence[str],
        columns: int = 80,
        lines: int = 24,
        talk: Callable[[Any], bytes] | None = None,
        **env: str,
    ) -> Seen:
        """Run a command to its end, saying what `talk` says; it returns what came meanwhile."""
        child = self.spawn(argv, columns, lines, **env)
        data = talk(child) if talk is not None else b""
        data += child.read()
        child.close()
        return Seen(data, columns, lines, child.exitstatus)

    def both(
        self, script: str, columns: int = 80, talk: Callable[[Any], bytes] | None = None, *words: str
    ) -> tuple[Seen, Seen]:
        """Run a script alone and, at the same time, with a live line; return what both terminals show."""
        runner = self.command(*(words or ("--progress", "--quiet")), script)
        with ThreadPoolExecutor() as pool:
            jobs = [pool.submit(self.see, argv, columns, talk=talk) for argv in ([sys.executable, script], runner)]
            alone, shown = (job.result() for job in jobs)
        return alone, shown


@pytest.fixture
def ptys(tmp_path: Path) -> Ptys:
    folder = tmp_path / "ptys"
    folder.mkdir()
    return Ptys(folder)


@pytest.fixture
def shell(ptys: Ptys, terminal: Callable[..., support.Terminal]) -> Callable[..., support.Terminal]:
    """Return a function that opens a real terminal with a shell in the folder of `ptys`."""

    def open_terminal(**options: Any) -> support.Terminal:
        new = terminal(**options)
        new.line(f"cd {ptys.folder}; PS1='$ '; PYTHONPATH={support.SRC}; clear")
        return new

    return open_terminal
