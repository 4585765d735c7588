"""Fixtures that tests of every kind use."""

from __future__ import annotations

import itertools
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import support

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    """Byte-compile the package once: where bytecode may not be written, each start would compile it anew."""
    import compileall

    compileall.compile_dir(str(support.SRC), quiet=1)


@pytest.fixture(scope="session", autouse=True)
def _signals() -> Iterator[None]:
    """Give what the tests start the signals of a foreground: under `nohup` or `&` some are inherited as ignored."""
    before = {each: signal.getsignal(each) for each in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)}
    for each, handler in before.items():
        if handler is signal.SIG_IGN:
            signal.signal(each, signal.default_int_handler if each is signal.SIGINT else signal.SIG_DFL)
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.fixture
def runner(tmp_path: Path) -> support.Command:
    """Return the command, in an empty folder with a home of its own."""
    home = tmp_path / "home"
    work = tmp_path / "work"
    home.mkdir()
    work.mkdir()
    return support.Command(work, support.clean_environment(home))


@pytest.fixture
def require() -> Callable[..., str]:
    """Return a function that skips the test where a program is missing, or fails it in CI."""
    return support.require


@pytest.fixture
def terminal(tmp_path: Path, runner: support.Command) -> Iterator[Callable[..., support.Terminal]]:
    """Return a function that opens a real terminal: ``terminal(width=80, height=24, command="bash ...")``."""
    opened: list[support.Terminal] = []
    numbers = itertools.count()
    with tempfile.TemporaryDirectory(prefix="t") as folder:  # the path of a socket has to be short

        def open_terminal(
            width: int = 80, height: int = 24, command: str = "bash --norc --noprofile -i"
        ) -> support.Terminal:
            socket = Path(folder) / str(next(numbers))
            new = support.Terminal(socket, runner.env, runner.cwd, width, height, command)
            opened.append(new)
            return new

        yield open_terminal
        for each in opened:
            each.close()


@pytest.fixture
def interpreter() -> Callable[[str], str]:
    """Return a function that gives the path of an interpreter by version, or skips the test."""
    return support.interpreter
