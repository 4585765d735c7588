"""Both ways to start a process, and what the script inherits."""

from __future__ import annotations

import os
import signal

import pytest

from runner.agent import spawn, tree
from runner.agent.spawn import StartFailed


@pytest.fixture(params=["posix_spawn", "fork"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "fork":
        monkeypatch.delattr(os, "posix_spawn")
    return str(request.param)


def start(command: str, **options: object) -> tuple[int, bytes]:
    """Run a line of the shell; return its wait status and output."""
    read, write = os.pipe()
    values = {"env": {"A": "b c"}, "cwd": None, "given": {1: write}, "mask": [], "defaults": [signal.SIGPIPE]}
    values.update(options)
    pid = spawn.spawn("/bin/sh", ["sh", "-c", command], **values)  # type: ignore[arg-type]
    os.close(write)
    with open(read, "rb") as file:
        output = file.read()
    return os.waitpid(pid, 0)[1], output


def test_descriptors_environment_and_exit_code(way: str) -> None:
    status, output = start('echo "$A" $#; exit 7')
    assert (os.WEXITSTATUS(status), output) == (7, b"b c 0\n")


def test_directory_and_back(way: str) -> None:
    before = os.getcwd()
    assert start("pwd -P", cwd="/usr/bin")[1].strip() == os.path.realpath("/usr/bin").encode()
    with pytest.raises(StartFailed, match="cannot change to directory /nowhere"):
        start("true", cwd="/nowhere")
    assert os.getcwd() == before


def test_mask_and_defaults(way: str) -> None:
    def field(output: bytes, name: bytes) -> int:
        (line,) = (line for line in output.splitlines() if line.startswith(name))
        return int(line.split()[1], 16)

    output = start("exec cat /proc/self/status", mask=[signal.SIGUSR1])[1]
    assert field(output, b"SigBlk") == 1 << signal.SIGUSR1 - 1
    assert field(output, b"SigIgn") >> signal.SIGPIPE - 1 & 1 == 0


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_no_program_can_be_given(way: str, text: str) -> None:
    for options in ({"env": {"A": text}}, {"command": text}):
        with pytest.raises(StartFailed, match="cannot execute") as caught:
            start(**{"command": "true", **options})  # type: ignore[arg-type]
        assert caught.value.code == 125


@pytest.mark.parametrize(("path", "code"), [("/no/such", 127), ("/etc", 126), ("/etc/passwd", 126)])
def test_failure(way: str, path: str, code: int) -> None:
    with pytest.raises(StartFailed) as caught:
        spawn.spawn(path, [path], {}, None, {}, [], [])
    assert caught.value.code == code
    assert path in caught.value.message


def test_no_zombie_is_left_of_a_failure(way: str) -> None:
    before = tree.children(os.getpid())
    with pytest.raises(StartFailed):
        spawn.spawn("/no/such", ["x"], {}, None, {}, [], [])
    assert tree.children(os.getpid()) == before


def test_nul_in_an_argument() -> None:
    with pytest.raises(StartFailed, match="null"):
        spawn.spawn("/bin/true", ["true", "a\0b"], {}, None, {}, [], [])
