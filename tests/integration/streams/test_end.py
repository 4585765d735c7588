"""The end of a script: survivors and what they write, the whole tree's end, and how the reason is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from .conftest import Drive, wait_for

DAEMON = """
import os, sys, time
if os.fork():
    os._exit(7)
os.setsid()
print("daemon", os.getpid(), flush=True)
time.sleep(1)
print("late", flush=True)
"""


def test_runner_goes_with_the_script_and_a_relay_carries_what_survivors_write(drive: Drive) -> None:
    argv = drive.argv(sys.executable, drive.script(DAEMON))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=drive.env) as runner:
        assert runner.stdout is not None
        begun = time.monotonic()
        assert runner.wait(30) == 7
        took = time.monotonic() - begun
        told = drive.told()
        rest = runner.stdout.read()  # until the survivor has ended, as alone
    assert rest.splitlines()[-1] == b"late"
    assert told.ended.survivors == 1
    assert told.ended.t < 1
    assert took < 5


def test_reader_sees_the_end_when_survivors_end_as_alone(drive: Drive) -> None:
    result = drive.shell(drive.line(sys.executable, drive.script(DAEMON)) + " | cat; echo done")
    assert result.out.splitlines()[-2:] == ["late", "done"]


def test_relay_holds_nothing_of_the_runners(drive: Drive) -> None:
    script = drive.script(
        """
        import os, time
        if os.fork():
            os._exit(0)
        time.sleep(3)
        """
    )
    read, write = os.pipe()
    argv = drive.argv(sys.executable, script)
    pipe = subprocess.PIPE
    runner = subprocess.Popen(argv, stdout=pipe, stdin=pipe, pass_fds=[write], env=drive.env)
    assert runner.wait(30) == 0

    def find() -> list[int]:
        return [pid for pid in _all_pids() if "drive.py" in _command(pid) and str(drive.log) in _command(pid)]

    wait_for(lambda: len(find()) == 1, what="a single process that is left of the runner")
    relays = find()
    wait_for(lambda: os.readlink(f"/proc/{relays[0]}/cwd") == "/", what="the relay's last step before it carries")
    fds = {os.readlink(f"/proc/{relays[0]}/fd/{fd}") for fd in os.listdir(f"/proc/{relays[0]}/fd")}
    assert all(target.startswith(("pipe:", "anon_inode:")) for target in fds)
    inode = f"pipe:[{os.fstat(write).st_ino}]"
    stdin = f"pipe:[{os.fstat(runner.stdin.fileno()).st_ino}]"  # type: ignore[union-attr]
    assert inode not in fds
    assert stdin not in fds
    os.close(read)
    os.close(write)
    for stream in (runner.stdin, runner.stdout):
        stream.close()  # type: ignore[union-attr]
    wait_for(lambda: not os.path.exists(f"/proc/{relays[0]}"), what="the end of the relay")


def test_flooding_survivor_does_not_hold_the_runner(drive: Drive) -> None:
    script = drive.script(
        """
        import os
        if os.fork():
            os._exit(0)
        os.execlp("timeout", "timeout", "2", "yes")
        """
    )
    with subprocess.Popen(drive.argv(sys.executable, script), stdout=subprocess.PIPE, env=drive.env) as runner:
        assert runner.stdout is not None
        wait_for(lambda: runner.stdout.read(1 << 16) and runner.poll() == 0, 30, "the runner's end")  # type: ignore[union-attr]
        assert drive.told().ended.survivors >= 1
        runner.stdout.close()


def test_kill_tree_ends_survivors(drive: Drive) -> None:
    result = drive(sys.executable, drive.script(DAEMON), kill_tree=True)
    assert result.exit_code == 7
    assert b"late" not in result.stdout
    assert drive.told().ended.reason == "exited"


def test_timeout_ends_the_whole_tree(drive: Drive) -> None:
    script = drive.script(
        """
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if not os.fork():
            os.setsid()
            if os.fork():
                os._exit(0)
            open("orphan", "w").write(str(os.getpid()))
        time.sleep(60)
        """
    )
    result = subprocess.run(
        drive.argv(sys.executable, script, timeout=0.7, kill_after=0.3), cwd=drive.folder, env=drive.env, timeout=30
    )
    assert result.returncode == 124
    ended = drive.told().ended
    assert (ended.reason, ended.exit_code, ended.signal) == ("timeout", 124, signal.SIGKILL)
    assert ended.message
    assert not os.path.exists(f"/proc/{(drive.folder / 'orphan').read_text()}")
    sent = [event.number for event in drive.told().events if event.name == "signal"]
    assert sent[:2] == [signal.SIGTERM, signal.SIGCONT]
    assert signal.SIGKILL in sent


def test_script_that_ends_well_within_its_grace_still_timed_out(drive: Drive) -> None:
    code = "import signal, sys, time; signal.signal(15, lambda *a: (print('bye'), sys.exit(0))); time.sleep(30)"
    result = drive(sys.executable, "-c", code, timeout=0.7)
    assert (result.exit_code, result.out) == (124, "bye\n")
    ended = drive.told().ended
    assert (ended.reason, ended.signal) == ("timeout", None)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT, signal.SIGTERM])
def test_death_of_a_signal(drive: Drive, number: int) -> None:
    result = drive(sys.executable, "-c", f"import os; print('x', flush=True); os.kill(os.getpid(), {int(number)})")
    assert result.exit_code == -number
    ended = drive.told().ended
    assert (ended.reason, ended.exit_code, ended.signal) == ("signaled", 128 + number, number)


def test_what_a_signal_to_the_runner_ended_is_cancelled(drive: Drive) -> None:
    for code, signal_seen in (("import time; print(1, flush=True); time.sleep(30)", signal.SIGTERM),
                              ("import signal, sys, time; signal.signal(15, lambda *a: sys.exit(143));"
                               " print(1, flush=True); time.sleep(30)", None)):  # fmt: skip
        with subprocess.Popen(drive.argv(sys.executable, "-c", code), stdout=subprocess.PIPE, env=drive.env) as runner:
            assert runner.stdout is not None
            runner.stdout.readline()
            runner.terminate()
            runner.wait(30)
        ended = drive.told().ended
        assert (ended.reason, ended.exit_code, ended.signal) == ("cancelled", 143, signal_seen)
        drive.log.unlink()


def test_interrupt_in_a_python_that_exits_with_1(drive: Drive) -> None:
    code = (
        "import sys, time; print(1, flush=True)\n"
        "try: time.sleep(30)\n"
        "except KeyboardInterrupt: sys.exit('KeyboardInterrupt')"
    )
    with subprocess.Popen(drive.argv(sys.executable, "-c", code), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=drive.env) as runner:  # fmt: skip
        assert runner.stdout is not None
        runner.stdout.readline()
        runner.send_signal(signal.SIGINT)
        runner.wait(30)
    ended = drive.told().ended
    assert (ended.reason, ended.exit_code) == ("cancelled", 1)


def test_orphans_of_a_shell_in_its_first_millisecond_are_counted(drive: Drive) -> None:
    burn = "import time\nwhile time.process_time() < 0.2: pass"
    drive("sh", "-c", f"({sys.executable} -c '{burn}' &) ; exec {sys.executable} -c 'import time; time.sleep(1.2)'")
    usage = drive.told().ended.usage
    assert usage["user_seconds"] + usage["system_seconds"] > 0.2


def test_ticks_keep_their_slots(drive: Drive) -> None:
    drive("sleep", "1", interval=0.05)
    samples = [event.t for event in drive.told().events if event.name == "sample"]
    slots = [int(t / 0.05 + 1e-9) for t in samples]
    assert len(set(slots)) == len(slots)
    assert len(slots) >= 10


def _all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read()
    except OSError:
        return ""
