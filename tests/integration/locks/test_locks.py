"""Runs that exclude each other do so across processes, whatever becomes of those who hold or want the lock."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import runner as api
from runner.agent import tree
from runner.agent.facts import start_ticks
from runner.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests import support

pytestmark = pytest.mark.skipif(not tree.HAS_PROC, reason="needs /proc")

#: Seconds after which a hang is taken for granted.
HANG = 30.0

#: Says that it runs, and stays until its input ends.
STAYS = "import sys; print('up', flush=True); sys.stdin.read()"


class Holder:
    """A run that has the lock until it is let go."""

    def __init__(self, runner: support.Command, *words: object, **options: Any) -> None:
        self.process = runner.start(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                    start_new_session=True, **options)  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"up\n"

    def end(self) -> int:
        self.process.communicate(timeout=HANG)
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=HANG)


@pytest.fixture
def hold(runner: support.Command) -> Iterator[Callable[..., Holder]]:
    """Return a function that starts a run which holds a lock; it is ended after the test."""
    runner.script(STAYS, "stays.py")
    holders: list[Holder] = []

    def start(*words: object, **options: Any) -> Holder:
        holders.append(Holder(runner, *words, **options))
        return holders[-1]

    yield start
    for holder in holders:
        if holder.process.poll() is None:
            holder.kill()


@pytest.fixture
def script(runner: support.Command) -> str:
    """Return a script that leaves a mark."""
    return runner.script("open('ran', 'a').write('x')", "marks.py")


def ran(runner: support.Command) -> int:
    mark = runner.cwd / "ran"
    return len(mark.read_text()) if mark.exists() else 0


def runs(runner: support.Command) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(runner.cwd / "script_runner_history.db")) as database:
        return database.execute("SELECT reason, exit_code FROM runs ORDER BY started").fetchall()


def read_until(process: subprocess.Popen[bytes], wanted: bytes) -> bytes:
    assert process.stderr is not None
    text = b""
    while wanted not in text:
        data = os.read(process.stderr.fileno(), 4096)
        assert data, f"{wanted!r} did not come: {text!r}"
        text += data
    return text


def test_a_run_waits_for_the_lock_and_says_for_whom(
    runner: support.Command, hold: Callable[..., Holder], script: str
) -> None:
    holder = hold("--lock", "nightly", "stays.py")
    with runner.start("--lock", "nightly", script, stderr=subprocess.PIPE) as waiting:
        said = read_until(waiting, b"\n").decode()
        assert "waiting, since the lock nightly is held by run " in said
        assert f" of stays.py (pid {holder.process.pid}, since " in said
        assert ran(runner) == 0
        assert holder.end() == 0
        waiting.communicate(timeout=HANG)
        assert waiting.returncode == 0
    assert ran(runner) == 1


def test_skip_runs_nothing_records_nothing_and_succeeds(
    runner: support.Command, hold: Callable[..., Holder], script: str
) -> None:
    holder = hold("--lock", "nightly", "stays.py")
    result = runner("--lock", "nightly", "--no-overlap", "skip", "--json-output", "report.json", script)
    assert result.exit_code == 0
    assert result.err.startswith("runner: marks.py was skipped: the lock nightly is held by run ")
    assert result.err.count("\n") == 1
    assert ran(runner) == 0
    report = json.loads((runner.cwd / "report.json").read_text())
    assert (report["reason"], report["success"], report["exit_code"]) == ("skipped", False, 0)
    assert runner("--lock", "nightly", "--no-overlap", "skip", "--quiet", script).err == ""
    assert holder.end() == 0
    assert runs(runner) == [("exited", 0)]


def test_fail_is_a_failure_of_the_runner_and_recorded(
    runner: support.Command, hold: Callable[..., Holder], script: str
) -> None:
    holder = hold("--lock", "nightly", "stays.py")
    result = runner("--lock", "nightly", "--no-overlap", "fail", "--quiet", script)
    assert result.exit_code == 125
    assert f"(pid {holder.process.pid}, since " in result.err
    assert result.err.count("\n") == 1
    assert "waiting" not in result.err
    assert holder.end() == 0
    assert sorted(runs(runner)) == [("exited", 0), ("failed-to-start", 125)]
    assert ran(runner) == 0


@pytest.mark.parametrize(("how", "code"), [((), 125), (("--no-overlap", "fail"), 125), (("--no-overlap", "skip"), 0)])
def test_patience_has_an_end(
    runner: support.Command, hold: Callable[..., Holder], script: str, how: tuple[str, ...], code: int
) -> None:
    hold("--lock", "nightly", "stays.py")
    begun = time.monotonic()
    result = runner("--lock", "nightly", "--lock-timeout", "0.4", *how, script)
    assert result.exit_code == code
    assert time.monotonic() - begun >= 0.4
    assert "), still after waiting 400 ms\n" in result.err
    assert ran(runner) == 0


def test_the_lock_is_held_during_retries(runner: support.Command, script: str) -> None:
    runner.script("import sys; print('up', flush=True); sys.exit(1)", "fails.py")
    holder = Holder(runner, "--lock", "n", "--retry", "1", "--retry-delay", "20", "fails.py")
    try:
        assert runner("--lock", "n", "--no-overlap", "fail", script).exit_code == 125
    finally:
        holder.process.terminate()
        holder.end()
    assert runner("--lock", "n", "--no-overlap", "fail", script).exit_code == 0


@pytest.mark.parametrize("victim", ["runner", "script"])
def test_a_lock_whose_holder_was_killed_is_free_at_once(
    runner: support.Command, hold: Callable[..., Holder], script: str, victim: str
) -> None:
    holder = hold("--lock", "nightly", "stays.py")
    if victim == "runner":
        holder.kill()
    else:
        os.kill(int(next(iter(tree.children(holder.process.pid)))), signal.SIGKILL)
        holder.end()
    assert runner("--lock", "nightly", "--no-overlap", "fail", script).exit_code == 0


def test_what_the_script_leaves_behind_holds_no_lock(runner: support.Command, script: str) -> None:
    leaves = runner.script("""
        import os, time
        if not os.fork():
            os.setsid()
            os.close(1), os.close(2)
            time.sleep(20)
    """, "leaves.py")  # fmt: skip
    assert runner("--lock", "n", leaves).exit_code == 0
    assert runner("--lock", "n", "--no-overlap", "fail", script).exit_code == 0


def test_a_file_that_was_left_behind_locks_nothing_and_accuses_nobody(
    runner: support.Command, hold: Callable[..., Holder], script: str
) -> None:
    path = runner.cwd / "left.lock"
    hold("--lock", "./left.lock", "stays.py").kill()
    assert b"stays.py" in path.read_bytes()
    with open(path, "rb") as other:
        import fcntl

        fcntl.flock(other, fcntl.LOCK_EX)
        result = runner("--lock", "./left.lock", "--no-overlap", "fail", script)
        assert result.exit_code == 125
        assert "is held by another process" in result.err
    assert runner("--lock", "./left.lock", "--no-overlap", "fail", script).exit_code == 0
    assert path.read_bytes() == b""


@pytest.mark.parametrize(
    "contents",
    [
        b"\0\xff",
        b"[" * 4000,
        b"[]",
        b'{"pid":1}',
        b'{"pid":1e999,"ticks":0,"since":0,"run":"","script":""}',
        b'{"pid":-1,"ticks":0,"since":0,"run":"","script":""}',
        b'{"pid":%d,"ticks":%d,"since":1e40,"run":"","script":""}',
    ],
)
def test_contents_that_anybody_may_have_written_do_no_harm(
    runner: support.Command, script: str, contents: bytes
) -> None:
    import fcntl

    path = runner.cwd / "a.lock"
    if b"%d" in contents:
        contents %= (os.getpid(), start_ticks(os.getpid()))
    path.write_bytes(contents)
    with open(path, "rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        result = runner("--lock", "./a.lock", "--no-overlap", "fail", "--quiet", script)
    assert (result.exit_code, result.err.count("\n")) == (125, 1)
    assert "is held by another process" in result.err
    assert path.read_bytes() == contents


def test_a_lock_is_one_for_all_directories_and_scripts(
    runner: support.Command, hold: Callable[..., Holder], script: str
) -> None:
    hold("--lock", "nightly", "stays.py")
    elsewhere = runner.cwd / "elsewhere"
    elsewhere.mkdir()
    result = runner("--lock", "nightly", "--no-overlap", "fail", f"../{script}", cwd=elsewhere)
    assert result.exit_code == 125
    assert runner("--lock", "other", "--no-overlap", "fail", f"../{script}", cwd=elsewhere).exit_code == 0


def test_without_a_name_the_script_itself_is_the_lock(
    runner: support.Command, hold: Callable[..., Holder], script: str
) -> None:
    hold("--no-overlap", "wait", "stays.py", "--day", "1")
    os.symlink("stays.py", runner.cwd / "link.py")
    for words in (["stays.py", "--day", "2"], ["./stays.py"], ["link.py"]):
        result = runner("--no-overlap", "skip", *words, input="")
        assert (result.exit_code, result.out) == (0, "")
        assert "was skipped: the lock of" in result.err
    assert runner("--no-overlap", "fail", script).exit_code == 0


def test_a_command_is_told_apart_by_its_whole_line_and_directory(
    runner: support.Command, hold: Callable[..., Holder]
) -> None:
    command = ["--", sys.executable, "stays.py"]
    hold("--no-overlap", "wait", *command)
    assert runner("--no-overlap", "fail", *command, input="").exit_code == 125
    assert runner("--no-overlap", "fail", *command, "more", input="").exit_code == 0
    (runner.cwd / "sub").mkdir()
    assert (
        runner("--no-overlap", "fail", *command, input="", cwd=runner.cwd / "sub").exit_code == 2
    )  # no such file there


def test_a_signal_ends_the_wait_and_the_runner_dies_of_it(
    runner: support.Command, hold: Callable[..., Holder], script: str
) -> None:
    hold("--lock", "n", "stays.py")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with runner.start("--lock", "n", script, stderr=subprocess.PIPE, start_new_session=True) as waiting:
            read_until(waiting, b"waiting")
            waiting.send_signal(number)
            waiting.communicate(timeout=HANG)
            assert waiting.returncode == -number
    assert ran(runner) == 0


def test_a_run_inside_of_the_run_that_holds_the_lock_does_not_wait_for_ever(runner: support.Command) -> None:
    inner = [*runner.argv, "--lock", "n", "-c", "print(1)"]
    outer = runner.script(f"import subprocess, sys; sys.exit(subprocess.call({inner!r}))")
    result = runner("--lock", "n", outer)
    assert result.exit_code == 125
    assert "which started this run" in result.err


def test_fifty_races_have_one_winner_each(runner: support.Command) -> None:
    """Two at a time, who hold the lock for no time at all; none may ever be inside with another."""
    inside = runner.script("""
        import os, sys, time
        os.close(os.open("inside", os.O_CREAT | os.O_EXCL))
        time.sleep(0.005)
        os.unlink("inside")
        open("ran", "a").write("x")
    """, "inside.py")  # fmt: skip
    loop = runner.script(f"""
        import subprocess, sys
        for _ in range(25):
            if subprocess.call([*{runner.argv!r}, "--lock", "race", "--disable-history", "--quiet", {inside!r}]):
                sys.exit("two were inside at once")
    """, "loop.py")  # fmt: skip
    racers = [
        subprocess.Popen([sys.executable, loop], cwd=runner.cwd, env=runner.env, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for racer in racers:
        _, err = racer.communicate(timeout=100)
        assert (racer.returncode, err) == (0, b"")
    assert ran(runner) == 50


def test_a_planted_link_is_not_followed(runner: support.Command, script: str) -> None:
    precious = runner.cwd / "precious"
    precious.write_text("")
    os.symlink(precious, runner.cwd / "planted.lock")
    result = runner("--lock", "./planted.lock", "--quiet", script)
    assert result.exit_code == 125
    assert "planted.lock: a symbolic link is not followed" in result.err
    assert result.err.count("\n") == 1
    assert precious.read_text() == ""
    assert ran(runner) == 0


@pytest.mark.parametrize("kind", ["fifo", "directory", "missing folder"])
def test_what_is_no_file_is_no_lock(runner: support.Command, script: str, kind: str) -> None:
    path = runner.cwd / "thing"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path = path / "lock"
    result = runner("--lock", path, "--quiet", script)
    assert result.exit_code == 125
    assert str(path) in result.err
    assert result.err.count("\n") == 1


def test_a_file_with_other_contents_is_locked_and_left_alone(
    runner: support.Command, hold: Callable[..., Holder], script: str
) -> None:
    data = runner.cwd / "data.csv"
    data.write_text("a,b\n1,2\n")
    holder = hold("--lock", "./data.csv", "stays.py")
    result = runner("--lock", "./data.csv", "--no-overlap", "fail", script)
    assert result.exit_code == 125
    assert "is held by another process" in result.err
    assert holder.end() == 0
    assert data.read_text() == "a,b\n1,2\n"


def test_a_removed_file_makes_no_two_holders_of_those_who_wait(
    runner: support.Command, hold: Callable[..., Holder], script: str
) -> None:
    """Who waited on the removed file must take the lock of the file that is there now."""
    holder = hold("--lock", "./a.lock", "stays.py")
    with runner.start("--lock", "./a.lock", script, stderr=subprocess.PIPE) as waiting:
        read_until(waiting, b"waiting")
        (runner.cwd / "a.lock").unlink()
        second = hold("--lock", "./a.lock", "stays.py")
        assert holder.end() == 0
        time.sleep(0.3)
        assert ran(runner) == 0
        assert second.end() == 0
        waiting.communicate(timeout=HANG)
    assert ran(runner) == 1


def test_a_state_directory_that_can_not_be_written_is_one_line(runner: support.Command, script: str) -> None:
    (runner.cwd / "file").write_text("")
    state = {"XDG_STATE_HOME": str(runner.cwd / "file")}
    result = runner("--lock", "n", "--quiet", script, env=state)
    assert result.exit_code == 125
    assert "the lock n can't be taken" in result.err
    assert ran(runner) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--lock-timeout", "5", "marks.py"], "--lock-timeout: there is no lock to wait for"),
        (["--no-overlap", "maybe", "marks.py"], "is not one of skip, wait, fail"),
        (["--no-overlap", "skip", "-"], "name a lock with --lock"),
        (["--lock", "x" * 300, "marks.py"], "can't be the name of a file"),
        (["--lock", "", "marks.py"], "--lock: a lock needs a name, and this one is empty\n"),
        (["--lock= ", "--no-overlap", "skip", "marks.py"], "--lock: a lock needs a name, and this one is empty\n"),
    ],
)
def test_what_makes_no_sense_is_refused(runner: support.Command, script: str, words: list[str], said: str) -> None:
    result = runner(*words)
    assert result.exit_code == 2
    assert said in result.err
    assert ran(runner) == 0


def test_a_lock_comes_from_the_file_too(runner: support.Command, hold: Callable[..., Holder], script: str) -> None:
    (runner.cwd / "runner.yaml").write_text("lock:\n  name: project\n  no_overlap: skip\n")
    hold("stays.py")
    assert "was skipped: the lock project is held" in runner(script).err
    assert ran(runner) == 0


@pytest.mark.parametrize("name", ['""', "${NAME}"])
def test_an_empty_name_in_the_file_is_refused_too(runner: support.Command, script: str, name: str) -> None:
    (runner.cwd / "runner.yaml").write_text(f"lock:\n  name: {name}\n")
    result = runner(script, env={"NAME": ""})
    assert (result.exit_code, ran(runner)) == (2, 0)
    assert result.err.endswith("runner.yaml:2: a lock needs a name, and this one is empty\n")
    assert runner("--lock", "n", script, env={"NAME": ""}).exit_code == 0


def test_an_empty_name_in_a_program_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--lock: a lock needs a name"):
        api.ScriptRunner(tmp_path / "a.py", lock="")


def test_programs_exclude_each_other_and_commands(
    runner: support.Command, hold: Callable[..., Holder], script: str
) -> None:
    program = runner.script(f"""
        import json, threading
        from runner import ScriptRunner
        results = {{}}
        def go(how):
            result = ScriptRunner({script!r}, lock="n", no_overlap=how).run_script()
            results[how] = [result["reason"], result["exit_code"], result["success"]]
        go("skip"), go("fail")
        print("up", flush=True)
        waits = threading.Thread(target=go, args=["wait"])
        waits.start()
        waits.join()
        print(json.dumps(results))
    """, "program.py")  # fmt: skip
    holder = hold("--lock", "n", "stays.py")
    with subprocess.Popen([sys.executable, program], cwd=runner.cwd, env=runner.env, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"up\n"
        assert ran(runner) == 0
        assert holder.end() == 0
        results = json.loads(running.communicate(timeout=HANG)[0])
    assert results == {
        "skip": ["skipped", 0, False], "fail": ["failed-to-start", 125, False], "wait": ["exited", 0, True]
    }  # fmt: skip
    assert runner("--lock", "n", "--no-overlap", "fail", script).exit_code == 0


def test_at_a_terminal_a_person_sees_at_once_for_whom_and_can_give_up(
    runner: support.Command, hold: Callable[..., Holder], script: str, terminal: Callable[..., support.Terminal]
) -> None:
    hold("--lock", "n", "stays.py")
    screen = terminal()
    screen.line(f"{' '.join(runner.argv)} --lock n {script}; echo never")
    screen.wait("runner: waiting, since the lock n is held by run")
    screen.key("C-c")
    screen.line("echo given-up=$?")
    assert "\nnever" not in screen.wait("given-up=130")
    assert ran(runner) == 0


def test_a_run_that_is_skipped_tells_no_monitor_that_it_begins(
    runner: support.Command, hold: Callable[..., Holder], script: str
) -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer

    pings: list[str] = []

    class Monitor(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            pings.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Monitor) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/check"
        holder = hold("--lock", "n", "stays.py")
        assert runner("--lock", "n", "--no-overlap", "skip", "--heartbeat", url, script).exit_code == 0
        assert pings == []
        holder.end()
        assert runner("--lock", "n", "--no-overlap", "skip", "--heartbeat", url, script).exit_code == 0
        assert len(pings) == 2
        server.shutdown()
