"""However a script is given, it finds the process that it finds alone: arguments, paths, environment, descriptors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import support

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Tells everything that a script can see of how it was started and that does not differ from one start to the next.
TELL = textwrap.dedent(
    """\
    import json, os, resource, signal, sys
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status", errors="replace") if ":\\t" in line)
    # The C library's posix_spawn leaves its own two signals (32 and 33) ignored; no program can tell.
    status["SigIgn"] = hex(int(status["SigIgn"], 16) & ~(3 << 31))
    def slurp(name):
        with open("/proc/self/" + name, "rb") as file:
            return repr(file.read())
    seen = {
        "argv": sys.argv, "orig_argv": sys.orig_argv, "cmdline": slurp("cmdline"), "environ": slurp("environ"),
        "path": sys.path, "name": __name__, "file": globals().get("__file__"), "package": __package__,
        "spec": repr(getattr(__spec__, "name", None)), "cwd": os.getcwd(), "python": sys.executable,
        "prefix": sys.prefix, "flags": repr(sys.flags), "warnings": sys.warnoptions,
        "env": {name: value for name, value in os.environ.items()},
        "streams": [(file.encoding, file.errors, file.line_buffering, file.isatty())
                    for file in (sys.stdin, sys.stdout, sys.stderr)],
        "limits": {name: resource.getrlimit(getattr(resource, name))
                   for name in dir(resource) if name[:7] == "RLIMIT_"},
        "signals": {int(s): repr(signal.getsignal(s)) for s in signal.valid_signals() if not 32 <= s <= 33},
        "status": {name: status[name] for name in ("SigBlk", "SigIgn", "SigCgt", "CapEff", "CapBnd", "NoNewPrivs",
                   "Seccomp", "Cpus_allowed", "Umask", "Uid", "Groups", "Threads")},
        "group": [os.getpgrp() == os.getpid(), os.getsid(0) == os.getpid(), os.nice(0), os.umask(0o22)],
        "fds": sorted(os.listdir("/proc/self/fd"), key=int),
        "slack": slurp("timerslack_ns"), "oom": slurp("oom_score_adj"), "policy": os.sched_getscheduler(0),
    }
    print(json.dumps(seen, sort_keys=True))
    """
)

QUIET = ("--disable-history", "--quiet")


def look(runner: support.Command, argv: Sequence[object], cwd: Path | None = None, **options: Any) -> dict[str, Any]:
    """Run a program that tells what it sees."""
    done = subprocess.run(
        [os.fsencode(str(word)) for word in argv], capture_output=True, cwd=cwd or runner.cwd, env=runner.env,
        timeout=60, stdin=subprocess.DEVNULL, **options,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b""), done
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def is_the_same(
    runner: support.Command, ours: Sequence[object], theirs: Sequence[object], cwd: Path | None = None
) -> dict[str, Any]:
    """Check that a script sees the same through the runner as alone; return what it sees."""
    seen = look(runner, [*runner.argv, *QUIET, *ours])
    alone = look(runner, theirs, cwd)
    assert seen == alone
    return seen


@pytest.fixture
def tell(runner: support.Command) -> support.Command:
    """Return the command, with a script that tells in every form beside it."""
    for name in ("tell.py", "a b.py", "ünï.py", "-dash.py", "pack/tool.py", "app/__main__.py"):
        runner.script(TELL, name)
    for name in ("no suffix", "UPPER.PY"):
        runner.script(f"#!{sys.executable}\n{TELL}", name)
        (runner.cwd / name).chmod(0o644)
    runner.script("", "pack/__init__.py")
    runner.script(f"#!{sys.executable} -IS\n{TELL}", "direct")
    runner.script(f"#!/usr/bin/env -S {sys.executable} -B\n{TELL}", "by-env")
    runner.script(f'#!/bin/sh\nexec {sys.executable} tell.py "$0" "$@"\n', "by-sh")
    with zipfile.ZipFile(runner.cwd / "app.zip", "w") as archive:
        archive.writestr("__main__.py", TELL)
    (runner.cwd / "links").mkdir()
    (runner.cwd / "links/to.py").symlink_to("../pack/tool.py")
    return runner


FORMS: list[tuple[list[str], list[str]]] = [
    (["tell.py"], ["tell.py"]),
    (["./tell.py"], ["./tell.py"]),
    (["run", "tell.py"], ["tell.py"]),
    (["pack/../tell.py"], ["pack/../tell.py"]),
    (["a b.py"], ["a b.py"]),
    (["ünï.py"], ["ünï.py"]),
    (["./-dash.py"], ["./-dash.py"]),
    (["links/to.py"], ["links/to.py"]),
    (["no suffix"], ["no suffix"]),
    (["UPPER.PY"], ["UPPER.PY"]),
    (["app"], ["app"]),
    (["app.zip"], ["app.zip"]),
    (["-m", "tell"], ["-m", "tell"]),
    (["-m", "pack.tool"], ["-m", "pack.tool"]),
    (["run", "-m", "app"], ["-m", "app"]),
    (["-c", TELL], ["-c", TELL]),
]


@pytest.mark.parametrize(("ours", "theirs"), FORMS, ids=lambda form: form[-1][:12])
def test_what_python_runs(tell: support.Command, ours: list[str], theirs: list[str]) -> None:
    words = ["", "a b", "*", "é", "\udcff", "--x=1", "-v", "$HOME"]
    seen = is_the_same(tell, [*ours, *words], [sys.executable, *theirs, *words])
    assert seen["argv"][1:] == words
    assert seen["name"] == "__main__"


@pytest.mark.parametrize("name", ["./direct", "./by-env", "./by-sh", "{cwd}/direct"])
def test_an_executable_file(tell: support.Command, name: str) -> None:
    path = name.format(cwd=tell.cwd)
    seen = is_the_same(tell, [path, "a b", ""], [path, "a b", ""])
    assert seen["argv"][-2:] == ["a b", ""]


def test_a_command_by_name(tell: support.Command) -> None:
    words = [sys.executable, "-W", "ignore", "-u", "tell.py", "--", "a"]
    assert is_the_same(tell, ["run", "--", *words], words)["warnings"] == ["ignore"]


def test_a_name_that_is_no_text(tell: support.Command) -> None:
    name = "\udcff\udcfe.py"
    (tell.cwd / name).write_text(TELL)
    assert is_the_same(tell, [name], [sys.executable, name])["argv"] == [name]


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"LC_ALL": "C.UTF-8"}, {"LANG": "POSIX", "PYTHONUTF8": "0"}])
def test_any_environment(tell: support.Command, locale: dict[str, str]) -> None:
    """Nothing is added, taken away or put in another order, whatever the locale and however odd a variable."""
    odd = {"EMPTY": "", "odd name": "x=y", "BYTES": "\udcff", "RUNNER_LOG_LEVEL": "WARNING", "LINES": "5", "_": "/x"}
    tell.env = {**tell.env, **odd, **locale}
    seen = is_the_same(tell, ["tell.py", "é"], [sys.executable, "tell.py", "é"])
    assert seen["env"]["EMPTY"] == ""
    assert "BYTES=\\xff\\x00" in seen["environ"]


def test_another_directory(tell: support.Command) -> None:
    seen = is_the_same(tell, ["--cwd", "pack", "tool.py"], [sys.executable, "tool.py"], cwd=tell.cwd / "pack")
    assert (seen["cwd"], seen["path"][0]) == (f"{tell.cwd}/pack", f"{tell.cwd}/pack")


def test_by_a_shell_in_a_list_and_in_a_group(tell: support.Command) -> None:
    """All that a shell changes of the environment from one command to the next is the name of the command."""
    code = 'cd "$0"; ulimit -n 200 -c 0; umask 027; trap "" HUP; "$@" 7</dev/null 3>&1; exit $?'

    def run(*words: str) -> dict[str, Any]:
        return look(tell, ["bash", "-c", code, tell.cwd / "pack", *words])

    seen, alone = run(*tell.argv, *QUIET, "tool.py"), run(sys.executable, "tool.py")
    assert seen["env"].pop("_") == alone["env"].pop("_") == sys.executable
    for each in (seen, alone):
        del each["environ"]
    assert seen == alone
    assert seen["group"][:2] == [False, False]
    assert {"3", "7"} <= set(seen["fds"])
    assert seen["limits"]["RLIMIT_NOFILE"] == [200, 200]


def test_a_script_from_a_pipe(tell: support.Command) -> None:
    line = "{} <(printf 'import sys\\nprint(sys.argv[1:], __name__, __file__ == sys.argv[0])\\n') a --x"
    for command in (tell.line(*QUIET), sys.executable):
        done = subprocess.run(["bash", "-c", line.format(command)], capture_output=True, cwd=tell.cwd, env=tell.env,
                              timeout=60)  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr) == (0, b"['a', '--x'] __main__ True\n", b"")


def test_a_script_from_standard_input(tell: support.Command) -> None:
    for command in ([*tell.argv, *QUIET, "-", "a"], [sys.executable, "-", "a"]):
        done = subprocess.run(command, input=b"import sys\nprint(sys.argv, sys.path[0] == '')", capture_output=True,
                              cwd=tell.cwd, env=tell.env, timeout=60)  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr) == (0, b"['-', 'a'] True\n", b"")


def test_the_door_of_a_checkout(tell: support.Command) -> None:
    env = {name: value for name, value in tell.env.items() if name != "PYTHONPATH"}
    door = support.Command(tell.cwd, env, [sys.executable, str(support.ROOT / "runner.py")])
    is_the_same(door, ["tell.py", "a"], [sys.executable, "tell.py", "a"])
