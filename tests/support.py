"""What tests share: running the command, a real terminal, the interpreters of this machine, what is installed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"

#: Whether what a test needs must be there: a missing program is then a failure, not a skip.
REQUIRED = os.environ.get("RUNNER_REQUIRE_SERVICES") == "1"


def require(*programs: str) -> str:
    """Return the path of the first program; skip the test where one is missing, or fail it in CI."""
    for program in programs:
        if shutil.which(program) is None:
            missing(f"{program} is not installed")
    return str(shutil.which(programs[0]))


def missing(reason: str) -> None:
    """Skip the test for want of a real part, or fail it where RUNNER_REQUIRE_SERVICES=1 promises the part."""
    if REQUIRED:
        pytest.fail(f"{reason}, and RUNNER_REQUIRE_SERVICES=1 says it must be")
    pytest.skip(reason)


def clean_environment(home: Path) -> dict[str, str]:
    """Return an environment without the developer's own settings: an empty home, and none of the runner's variables.

    ``PYTHONDONTWRITEBYTECODE`` goes too: it would make every start of the command compile the whole package.
    """
    dropped = (
        "RUNNER_", "XDG_", "VIRTUAL_ENV", "PYTHON", "PYENV_", "NO_COLOR", "CI", "COLUMNS", "LINES", "TMUX", "GITHUB_",
        "GIT_BRANCH", "BRANCH_NAME", "CHANGE_", "NODE_NAME", "JENKINS_",
    )  # fmt: skip
    env = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    env.update(
        HOME=str(home),
        PYTHONPATH=str(SRC),
        XDG_STATE_HOME=str(home / ".local/state"),
        XDG_CONFIG_HOME=str(home / ".config"),
        XDG_CACHE_HOME=str(home / ".cache"),
    )
    return env


class Result:
    """What one run of the command gave.

    Attributes:
        exit_code: As `subprocess` tells it: negative where a signal ended the command.
        stdout: Its standard output, as bytes; `out` is the text.
        stderr: Its standard error, as bytes; `err` is the text.
    """

    def __init__(self, exit_code: int, stdout: bytes, stderr: bytes) -> None:
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr

    @property
    def out(self) -> str:
        return self.stdout.decode("utf-8", "replace")

    @property
    def err(self) -> str:
        return self.stderr.decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"Result({self.exit_code}, stdout={self.out[-2000:]!r}, stderr={self.err[-2000:]!r})"


class Command:
    """The runner's command in a folder of its own, with a clean environment.

    Attributes:
        argv: What starts the command.
        cwd: The folder it runs in.
        env: Its environment; change it to change every later run.
    """

    def __init__(self, cwd: Path, env: dict[str, str], argv: Iterable[str] = (sys.executable, "-m", "runner")) -> None:
        self.argv = list(argv)
        self.cwd = cwd
        self.env = env

    def script(self, text: str, name: str = "script.py") -> str:
        """Write a script into the folder and return its name."""
        import textwrap

        path = self.cwd / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        path.chmod(0o755)
        return name

    def start(self, *args: object, env: Mapping[str, str] | None = None, **popen: object) -> subprocess.Popen[bytes]:
        """Start the command and return at once; the caller waits for it."""
        popen.setdefault("cwd", self.cwd)
        return subprocess.Popen(
            [*self.argv, *map(str, args)],
            env={**self.env, **(env or {})},
            **popen,  # type: ignore[call-overload]
        )

    def __call__(
        self,
        *args: object,
        input: bytes | str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 60,
    ) -> Result:
        """Run the command to its end.

        Args:
            args: What follows the command's name.
            input: Standard input; the null device where it is None.
            env: Variables set for this run alone.
            cwd: Another folder for this run alone.
            timeout: Seconds after which a hang is taken for granted.
        """
        data = input.encode() if isinstance(input, str) else input
        done = subprocess.run(
            [*self.argv, *map(str, args)],
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            cwd=cwd or self.cwd,
            env={**self.env, **(env or {})},
            timeout=timeout,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def line(self, *args: object) -> str:
        """Return the command with arguments as one line for a shell."""
        return shlex.join([*self.argv, *map(str, args)])


class Terminal:
    """A real terminal: a tmux server of its own with one window, in which a shell with job control runs."""

    def __init__(self, socket: Path, env: Mapping[str, str], cwd: Path, width: int, height: int, command: str) -> None:
        self._base = [require("tmux"), "-f", "/dev/null", "-S", str(socket)]
        self._env = {**env, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PS1": "$ "}
        self._tmux("start-server", ";", "set-option", "-g", "history-limit", "50000", ";",
                   "set-option", "-g", "default-terminal", "screen-256color", ";",
                   "new-session", "-d", "-x", str(width), "-y", str(height), "-c", str(cwd), command)  # fmt: skip

    def _tmux(self, *args: str) -> str:
        done = subprocess.run([*self._base, *args], env=self._env, capture_output=True, text=True, timeout=30)
        if done.returncode:
            raise RuntimeError(f"tmux {args[0]}: {done.stderr.strip()}")
        return done.stdout

    def type(self, text: str) -> None:
        """Type text, without a final Enter."""
        self._tmux("send-keys", "-l", "--", text)

    def key(self, *names: str) -> None:
        """Press keys by their tmux names: ``C-c``, ``Enter``, ``C-z``."""
        self._tmux("send-keys", *names)

    def line(self, text: str) -> None:
        """Type a line and press Enter."""
        self.type(text)
        self.key("Enter")

    def screen(self, escapes: bool = False) -> str:
        """Return what is on the screen now, with the escape sequences of colours if asked for."""
        return self._tmux("capture-pane", "-p", *(["-e"] if escapes else []))

    def scrollback(self) -> str:
        """Return everything the terminal still holds, long lines joined."""
        return self._tmux("capture-pane", "-p", "-J", "-S", "-")

    def resize(self, width: int, height: int) -> None:
        """Change the size of the window, as dragging its corner does."""
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def wait(self, wanted: str | Callable[[str], object], timeout: float = 30) -> str:
        """Return the scrollback once it holds the text (or matches the function); fail after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            text = self.scrollback()
            if wanted in text if isinstance(wanted, str) else wanted(text):
                return text
            if time.monotonic() > deadline:
                raise AssertionError(f"{wanted!r} did not appear within {timeout} s; the terminal shows:\n{text}")
            time.sleep(0.03)

    def close(self) -> None:
        """End the terminal and all that runs in it."""
        subprocess.run([*self._base, "kill-server"], env=self._env, capture_output=True, timeout=30)


def _find_interpreters() -> dict[str, str]:
    found: dict[str, str] = {}
    candidates = sorted(Path.home().glob(".pyenv/versions/*/bin/python"))
    candidates += [Path(f"/usr/bin/{name}") for name in ("pypy3", *(f"python3.{minor}" for minor in range(6, 16)))]
    for path in candidates:
        if not path.exists():
            continue
        match = re.fullmatch(r"(\d+\.\d+)[.\d]*", path.parent.parent.name)
        name = match.group(1) if match else path.name.removeprefix("python")
        found.setdefault(name, str(path))
    return found


#: Interpreters of this machine by version ("2.7", "3.8", "3.13", "pypy3"), apart from the one that runs the tests.
INTERPRETERS = _find_interpreters()

#: Those that the agent must run on.
AGENT_INTERPRETERS = {
    name: path
    for name, path in INTERPRETERS.items()
    if name == "pypy3" or (name.startswith("3.") and int(name.split(".")[1]) >= 8)
}


def interpreter(version: str) -> str:
    """Return the path of an interpreter by version; skip the test where this machine has none."""
    if version not in INTERPRETERS:
        if version == "pypy3":
            missing("pypy3 is not installed")
        pytest.skip(f"there is no Python {version} on this machine")
    return INTERPRETERS[version]
