"""Scripts that name their dependencies, with packages made here: no test needs the network."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import runner as api
from tests import support

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = """
# /// script
# dependencies = ["tinything>=1"]
# ///
import os, sys, tinything
print(tinything.__version__, sys.prefix, os.environ.get("VIRTUAL_ENV"), *sys.argv[1:], flush=True)
"""


def wheel(folder: Path, version: str) -> None:
    name = f"tinything-{version}"
    metadata = f"Metadata-Version: 2.1\nName: tinything\nVersion: {version}\n"
    with zipfile.ZipFile(folder / f"{name}-py3-none-any.whl", "w") as file:
        file.writestr("tinything.py", f"__version__ = {version!r}\ndef main(): print('said by the command')\n")
        file.writestr(f"{name}.dist-info/METADATA", metadata)
        file.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{name}.dist-info/entry_points.txt", "[console_scripts]\ntinything = tinything:main\n")
        file.writestr(f"{name}.dist-info/RECORD", "")


@pytest.fixture(params=["uv", "venv"])
def installer(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def command(runner: support.Command, tmp_path: Path) -> Callable[[str], support.Command]:
    """Return a function that lets the command find packages of this test alone, and uv or only pip."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel(wheels, "1.0")
    runner.env.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheels), UV_NO_INDEX="1", UV_FIND_LINKS=str(wheels))

    def prepare(by: str) -> support.Command:
        folders = [each for each in os.environ["PATH"].split(":") if not (Path(each) / "uv").exists()]
        if by == "uv":
            beside = Path(sys.executable).parent / "uv"
            uv = str(beside) if beside.exists() else support.require("uv")
            own = tmp_path / "bin"
            own.mkdir(exist_ok=True)
            if not (own / "uv").exists():
                (own / "uv").symlink_to(uv)
            folders.insert(0, str(own))
        runner.env["PATH"] = ":".join(folders)
        return runner

    return prepare


def environments(command: support.Command) -> list[dict[str, object]]:
    answer = json.loads(command("cache", "list", "--format", "json").out)
    return list(answer["environments"])


def test_a_script_runs_with_its_dependencies(command: Callable[[str], support.Command], installer: str) -> None:
    runner = command(installer)
    script = runner.script(BLOCK)
    first = runner("--json-output", "run.json", script, "a", "b")
    assert first.exit_code == 0, first
    version, prefix, active, *args = first.out.split()
    assert (version, args) == ("1.0", ["a", "b"])
    assert prefix == active and prefix.startswith(runner.env["XDG_CACHE_HOME"])
    assert first.err.count("made an environment for script.py") == 1
    report = json.loads((runner.cwd / "run.json").read_text())
    assert report["python"] == prefix + "/bin/python"
    assert report["num_processes"] == 1

    again = runner(script)
    assert again.out.split()[:2] == ["1.0", prefix]
    assert "environment" not in again.err
    [kept] = environments(runner)
    assert (kept["path"], kept["by"], kept["dependencies"]) == (prefix, installer, ["tinything>=1"])


def test_other_metadata_is_another_environment_and_comes_back(command: Callable[[str], support.Command]) -> None:
    runner = command("uv")
    one = runner.script(BLOCK, "one.py")
    other = runner.script(BLOCK.replace("tinything>=1", "tinything==1.0"), "other.py")
    prefixes = [runner(script).out.split()[1] for script in (one, other, one)]
    assert prefixes[0] == prefixes[2] != prefixes[1]
    same = runner.script("# a comment before\n" + BLOCK, "same.py")
    assert runner(same).out.split()[1] == prefixes[0]


def test_commands_of_the_environment_are_found_by_the_script(command: Callable[[str], support.Command]) -> None:
    runner = command("uv")
    script = runner.script(BLOCK + "os.system('tinything')\n")
    assert runner(script).out.endswith("said by the command\n")


@pytest.mark.parametrize("how", ["--no-script-deps", "--python", "variable"])
def test_the_metadata_can_be_passed_over(command: Callable[[str], support.Command], how: str) -> None:
    runner = command("uv")
    script = runner.script(BLOCK)
    options = {"--no-script-deps": [how], "--python": [how, sys.executable], "variable": []}[how]
    env = {"RUNNER_NO_SCRIPT_DEPS": "1"} if how == "variable" else {}
    done = runner(*options, script, env=env)
    assert done.exit_code == 1 and "No module named 'tinything'" in done.err
    assert environments(runner) == []


def test_the_metadata_wins_over_an_active_environment(
    command: Callable[[str], support.Command], tmp_path: Path
) -> None:
    runner = command("uv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "active"], check=True)
    done = runner(runner.script(BLOCK), env={"VIRTUAL_ENV": str(tmp_path / "active")})
    assert done.out.startswith("1.0 ")


def test_a_dry_run_makes_nothing_and_says_what_would_be(command: Callable[[str], support.Command]) -> None:
    runner = command("uv")
    script = runner.script(BLOCK)
    done = runner("--dry-run", script)
    [line] = [line for line in done.out.splitlines() if line.startswith("environment")]
    assert line.endswith("(made first, for the script)")
    assert environments(runner) == []
    prefix = runner(script).out.split()[1]
    assert prefix == line.split()[1]
    assert f"environment        {prefix}\n" in runner("--dry-run", script).out


def test_the_python_it_needs_is_found_or_said_to_be_missing(
    command: Callable[[str], support.Command], tmp_path: Path
) -> None:
    runner = command("uv")
    wanted = runner.script(BLOCK.replace("dependencies", 'requires-python = ">=4"\n# dependencies'))
    done = runner(wanted)
    assert done.exit_code == 125 and done.out == ""
    assert "the script needs Python >=4, and there is no such one here (there is: 3." in done.err
    here = ".".join(map(str, sys.version_info[:2]))
    fitting = runner.script(BLOCK.replace("dependencies", f'requires-python = "=={here}.*"\n# dependencies'))
    assert runner(fitting).exit_code == 0


def test_what_can_not_be_had_is_one_clear_line(command: Callable[[str], support.Command], installer: str) -> None:
    runner = command(installer)
    script = runner.script(BLOCK.replace("tinything>=1", "tinything>=7"))
    done = runner(script)
    assert (done.exit_code, done.out) == (125, "")
    errors = [line for line in done.err.splitlines() if "no environment could be made for script.py" in line]
    assert len(errors) == 1 and "tinything" in errors[0].split("script.py:")[1]
    assert environments(runner) == []
    folder = Path(runner("cache", "path").out.strip())
    assert not [each for each in folder.iterdir() if each.is_dir() and any(each.iterdir())]
    history = json.loads(runner("history", "--format", "json").out)
    assert history["runs"][0]["reason"] == "failed-to-start"


def test_metadata_that_makes_no_sense_starts_nothing(command: Callable[[str], support.Command]) -> None:
    runner = command("uv")
    done = runner(runner.script(BLOCK.replace('["tinything>=1"]', "[")))
    assert (done.exit_code, done.out) == (2, "")
    assert done.err.startswith("runner: error: script.py: its script metadata is no TOML")
    assert runner("history").out.startswith("no runs are remembered")


def test_two_runners_fill_the_cache_once(command: Callable[[str], support.Command], installer: str) -> None:
    runner = command(installer)
    script = runner.script(BLOCK)
    both = [runner.start(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    ends = [process.communicate(timeout=100) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert len({out.split()[1] for out, _ in ends}) == 1
    assert sum(b"made an environment" in err for _, err in ends) == 1


def test_what_was_left_unfinished_is_made_anew(command: Callable[[str], support.Command]) -> None:
    runner = command("uv")
    script = runner.script(BLOCK)
    prefix = Path(runner(script).out.split()[1])
    (prefix / "runner-environment.json").unlink()
    (prefix / "rubbish").write_text("")
    assert "made an environment" in runner(script).err
    assert not (prefix / "rubbish").exists()
    (prefix / "bin/python").unlink()
    (prefix / "bin/python").symlink_to("/nowhere")
    assert runner(script).out.split()[1] == str(prefix)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_is_made_leaves_nothing(
    command: Callable[[str], support.Command], tmp_path: Path, number: signal.Signals
) -> None:
    runner = command("uv")
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "uv").write_text(f"#!/bin/sh\ntouch {tmp_path}/called\nexec sleep 60\n")
    (slow / "uv").chmod(0o755)
    runner.env["PATH"] = f"{slow}:{runner.env['PATH']}"
    process = runner.start(runner.script(BLOCK), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not (tmp_path / "called").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (-number, b"", b"")
    assert environments(runner) == []
    shutil.rmtree(slow)
    assert runner(runner.script(BLOCK)).exit_code == 0


def test_a_cache_that_can_not_be_written_is_said(command: Callable[[str], support.Command], tmp_path: Path) -> None:
    runner = command("uv")
    (tmp_path / "file").write_text("")
    done = runner(runner.script(BLOCK), env={"XDG_CACHE_HOME": str(tmp_path / "file")})
    assert done.exit_code == 125
    assert "no environment can be made for script.py" in done.err and "set XDG_CACHE_HOME" in done.err


def test_the_cache_is_cleaned(command: Callable[[str], support.Command]) -> None:
    runner = command("uv")
    for name in ("tinything", "tinything==1.0"):
        runner(runner.script(BLOCK.replace("tinything>=1", name)))
    kept = environments(runner)
    assert len(kept) == 2
    old = Path(str(kept[1]["path"])) / "runner-environment.json"
    os.utime(old, (0, 0))
    assert json.loads(runner("cache", "clean", "--older-than", "1d", "--format", "json").out)["removed"] == 1
    assert [each["path"] for each in environments(runner)] == [kept[0]["path"]]
    assert "removed 1 environment, freed" in runner("cache", "clean").out
    assert environments(runner) == []
    assert [each.name for each in Path(runner("cache", "path").out.strip()).rglob("*")] == ["index"]


def test_the_api_does_the_same(command: Callable[[str], support.Command], monkeypatch: pytest.MonkeyPatch) -> None:
    runner = command("uv")
    for name in ("PATH", "XDG_CACHE_HOME", "UV_NO_INDEX", "UV_FIND_LINKS"):
        monkeypatch.setenv(name, runner.env[name])
    script = runner.cwd / runner.script(BLOCK)
    assert api.ScriptRunner(script).run_script()["stdout"].startswith("1.0 ")
    assert api.ScriptRunner(script, script_deps=False).run_script()["error_type"] == "ModuleNotFoundError"
    assert api.ScriptRunner(script, python=sys.executable).run_script()["error_type"] == "ModuleNotFoundError"


def test_a_terminal_shows_what_is_being_done_and_keeps_one_line(
    command: Callable[[str], support.Command], terminal: Callable[..., support.Terminal], tmp_path: Path
) -> None:
    runner = command("uv")
    uv = (tmp_path / "bin/uv").resolve()
    (tmp_path / "bin/uv").unlink()
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    (tmp_path / "bin/uv").write_text(f"#!/bin/sh\n[ $1 = pip ] && read line < {gate}\nexec {uv} \"$@\"\n")
    (tmp_path / "bin/uv").chmod(0o755)
    screen = terminal(width=70)
    screen.type(runner.line(runner.script(BLOCK)))
    screen.key("Enter")
    screen.wait("making an environment for script.py")
    gate.write_text("go\n")
    screen.wait("succeeded in")
    assert "making an environment" not in screen.screen()
    assert "made an environment for script.py" in screen.screen()


@pytest.mark.parametrize("way", ["direct", "proxy"])
def test_an_index_that_is_out_of_reach_is_named(
    command: Callable[[str], support.Command], installer: str, way: str
) -> None:
    runner = command(installer)
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "UV_NO_INDEX", "UV_FIND_LINKS"):
        runner.env.pop(name)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}"
    index = f"{nobody}/simple" if way == "direct" else "https://index.invalid/simple"
    runner.env.update(PIP_CONFIG_FILE="/dev/null", PIP_INDEX_URL=index, PIP_RETRIES="0", PIP_NO_CACHE_DIR="1",
                      UV_NO_CONFIG="1", UV_INDEX_URL=index, UV_HTTP_RETRIES="0", UV_NO_CACHE="1")  # fmt: skip
    if way == "proxy":
        runner.env.update(https_proxy=nobody)
    done = runner("--quiet", runner.script(BLOCK))
    through = " through the proxy" if way == "proxy" else ""
    assert (done.exit_code, done.out) == (125, "")
    assert done.err == (
        "runner: error: no environment could be made for script.py:"
        f" the package index {index} can't be reached{through} (Connection refused)\n"
    )
    assert environments(runner) == []
