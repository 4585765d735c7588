"""Output through pipes: byte for byte, counted, and with the same effects on script and reader as alone."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from tests import support

from .conftest import Drive, children, open_to_all, wait_for


def test_bytes_pass_unchanged_and_are_counted(drive: Drive) -> None:
    code = (
        "import os, sys; os.write(1, bytes(range(256)) * 4 + b'\\n\\nend')\n"
        "sys.stderr.write('to stderr\\n'); sys.exit(3)"
    )
    result = drive(sys.executable, "-c", code)
    assert result.exit_code == 3
    assert result.stdout == bytes(range(256)) * 4 + b"\n\nend"
    assert result.stderr == b"to stderr\n"
    told = drive.told()
    assert told.started.streams == {"stdout": "pipe", "stderr": "pipe", "merged": False}
    assert told.ended.output == {"stdout": [1029, 6], "stderr": [10, 1], "merged": False}
    assert told.kept() == result.stdout
    assert told.kept("stderr") == b"to stderr\n"


def test_one_destination_is_one_channel_and_keeps_the_order(drive: Drive) -> None:
    code = "import os\nfor i in range(2000): os.write(1 + i % 2, b'%d\\n' % i)"
    result = drive.shell(drive.line(sys.executable, "-c", code) + " 2>&1 | cat")
    assert result.stdout == b"".join(b"%d\n" % i for i in range(2000))
    told = drive.told()
    assert told.started.streams["merged"] is True
    assert told.ended.output == {"stdout": [len(result.stdout), 2000], "stderr": None, "merged": True}


def test_no_output_at_all(drive: Drive) -> None:
    assert drive("true").exit_code == 0
    assert drive.told().ended.output == {"stdout": [0, 0], "stderr": [0, 0], "merged": False}


def test_script_that_closes_its_output_and_goes_on(drive: Drive) -> None:
    code = "import os, time; os.write(1, b'before'); os.close(1); os.close(2); time.sleep(0.3); os._exit(5)"
    result = drive(sys.executable, "-c", code)
    assert (result.exit_code, result.stdout) == (5, b"before")
    assert drive.told().ended.t >= 0.3


def test_null_device_is_counted(drive: Drive) -> None:
    drive.shell(drive.line("sh", "-c", "echo one; echo two; echo err >&2") + " >/dev/null 2>/dev/null")
    told = drive.told()
    assert told.ended.output == {"stdout": [12, 3], "stderr": None, "merged": True}


@pytest.mark.parametrize(("closing", "given"), [(">&-", {1}), ("2>&-", {2}), ("<&-", {0}), ("<&- >&- 2>&-", {0, 1, 2})])
def test_closed_descriptors_stay_closed(drive: Drive, closing: str, given: set[int]) -> None:
    script = drive.script(
        """
        import os, sys
        found = []
        for fd in range(64):
            try:
                os.fstat(fd)
                found.append(fd)
            except OSError:
                pass
        open(sys.argv[1], "w").write(repr(found))
        """
    )
    alone, ours = drive.folder / "alone", drive.folder / "ours"
    drive.shell(f"{sys.executable} {script} {alone} {closing}")
    drive.shell(drive.line(sys.executable, script, str(ours)) + f" {closing}")
    assert ours.read_text() == alone.read_text()
    assert not given & set(eval(ours.read_text()))
    kinds = drive.told().started.streams
    assert [kinds["stdout"] == "closed", kinds["stderr"] == "closed"] == [1 in given, 2 in given]


def test_inherited_descriptors_reach_the_script(drive: Drive) -> None:
    (drive.folder / "list").write_text("three\n")
    result = drive.shell(drive.line("sh", "-c", "cat <&7; cat") + " 7<list <<<input")
    assert result.stdout == b"three\ninput\n"


def test_reader_gone_is_told_as_alone(drive: Drive) -> None:
    line = drive.line(sys.executable, "-c", "while True: print('x' * 100)")
    result = drive.shell(line + " | head -1; echo ${PIPESTATUS[0]}")
    assert result.stdout == b"x" * 100 + b"\n1\n"
    assert b"BrokenPipeError" in result.stderr
    told = drive.told()
    assert (told.ended.reason, told.ended.exit_code) == ("exited", 1)


def test_reader_gone_kills_a_program_that_lets_itself_be_killed(drive: Drive) -> None:
    result = drive.shell(drive.line("yes") + " | head -1; echo ${PIPESTATUS[0]}")
    assert result.stdout == b"y\n141\n"
    assert drive.told().ended.signal == 13


def test_reader_gone_shows_at_the_first_write_after_it(drive: Drive) -> None:
    code = (
        "import os, time\n"
        "os.write(1, b'1\\n'); time.sleep(1)\n"
        "try: os.write(1, b'2\\n')\n"
        "except BrokenPipeError: os._exit(42)"
    )
    result = drive.shell(drive.line(sys.executable, "-c", code) + " | head -1; echo ${PIPESTATUS[0]}")
    assert result.stdout == b"1\n42\n"


def test_slow_reader_loses_nothing_and_bounds_memory(drive: Drive) -> None:
    line = drive.line(sys.executable, "-c", "import os\nfor i in range(64): os.write(1, b'%063d\\n' % i * 1024)")
    result = drive.shell(line + " | (sleep 1; cksum)")
    expected = b"".join(b"%063d\n" % i * 1024 for i in range(64))
    assert result.stdout == subprocess.run(["cksum"], input=expected, capture_output=True, check=True).stdout
    assert drive.told().ended.output["stdout"] == [4 << 20, 65536]


def test_timeout_fires_while_the_reader_is_stuck(drive: Drive) -> None:
    line = drive.line("sh", "-c", "yes; exit 9", timeout=0.5, kill_after=0.2)
    result = drive.shell(line + " | (sleep 3; head -c 20 | wc -c); echo ${PIPESTATUS[0]}")
    assert result.stdout == b"20\n124\n"
    told = drive.told()
    assert told.ended.reason == "timeout"
    assert told.ended.t < 2.5
    assert sum(event.name == "sample" for event in told.events) >= 3


def test_flags_of_a_shared_descriptor_are_respected(drive: Drive) -> None:
    """A destination that doesn't wait loses nothing, and one that waits is left so."""
    script = drive.script(
        """
        import os, subprocess, sys
        read, write = os.pipe()
        os.set_blocking(write, False)
        child = subprocess.Popen(sys.argv[1:], stdout=write)
        os.set_blocking(write, False)
        total = 0
        import time
        time.sleep(0.5)
        blocking = os.get_blocking(write)
        os.close(write)
        while data := os.read(read, 1000):
            total += len(data)
        print(total, blocking, child.wait())
        """
    )
    code = "import sys; sys.stdout.write('z' * 1000000)"
    result = drive.shell(f"{sys.executable} {script} " + drive.line(sys.executable, "-c", code))
    assert result.out == "1000000 False 0\n"


def test_flood_runs_in_bounded_memory(drive: Drive) -> None:
    """Half a gigabyte through a pipe: head and tail are told, the rest is counted, and little is held."""
    script = drive.script(
        """
        import os, sys
        with open(f"/proc/{os.getppid()}/status") as file:
            before = file.read()
        block = (b"." * 99 + b"\\n") * 5000
        for _ in range(1000):
            os.write(1, block)
        with open(f"/proc/{os.getppid()}/status") as file:
            peak = [line for line in file if line.startswith("VmHWM")][0]
        sys.stderr.write(peak.split()[1])
        """
    )
    result = drive.shell(drive.line(sys.executable, script, keep_head=1 << 20, keep_tail=4096) + " | tail -c 1")
    assert result.stdout == b"\n"
    assert int(result.stderr) < 60_000
    told = drive.told()
    assert told.ended.output["stdout"] == [500_000_000, 5_000_000]
    kept = [event for event in told.events if event.name == "output" and event.stream == "stdout"]
    assert kept[-1].offset + len(kept[-1].data) == 500_000_000
    assert all(len(event.data) <= 4096 for event in kept if event.offset >= 1 << 20)


def test_ten_thousand_arguments(drive: Drive) -> None:
    words = [f"argument {i}" for i in range(10_000)]
    result = drive(sys.executable, "-c", "import sys; print(len(sys.argv), sys.argv[-1])", *words)
    assert result.out == "10001 argument 9999\n"


def test_output_of_a_socket_passes(drive: Drive) -> None:
    script = drive.script(
        """
        import socket, subprocess, sys
        here, there = socket.socketpair()
        child = subprocess.Popen(sys.argv[1:], stdout=there)
        there.close()
        total = 0
        while data := here.recv(65536):
            total += len(data)
        print(total, child.wait())
        """
    )
    code = "import sys; sys.stdout.write('z' * 1000000)"
    result = drive.shell(f"{sys.executable} {script} " + drive.line(sys.executable, "-c", code))
    assert result.out == "1000000 0\n"
    assert os.path.exists(drive.log)


def test_another_users_pipe_can_not_be_opened_anew(drive: Drive) -> None:
    """Then what the destination takes without waiting is written in small pieces, and a deadline still holds."""
    setpriv = support.require("setpriv")
    if os.getuid() != 0:
        pytest.skip("another user is needed")
    open_to_all(drive.folder)
    line = drive.line("head", "-c", "1000000", "/dev/zero")
    result = drive.shell(f"{setpriv} --reuid=65534 --clear-groups {line} | wc -c")
    assert (result.out, result.err) == ("1000000\n", "")
    drive.log.unlink()
    line = drive.line("yes", timeout=0.5, kill_after=0.2)
    result = drive.shell(f"{setpriv} --reuid=65534 --clear-groups {line} | (sleep 2; head -c 20 | wc -c)")
    assert result.out == "20\n"
    assert drive.told().ended.reason == "timeout"
    assert drive.told().ended.t < 1.8


def test_named_pipe_may_get_another_reader(drive: Drive) -> None:
    script = drive.script(
        """
        import os, sys
        print("one", flush=True)
        os.close(os.open("go", os.O_RDONLY))
        print("two", flush=True)
        """
    )
    os.mkfifo(drive.folder / "out")
    os.mkfifo(drive.folder / "go")
    result = drive.shell(
        f"{drive.line(sys.executable, script)} >out & head -1 out; sleep 0.3; cat out & sleep 0.3; : >go; wait"
    )
    assert result.out == "one\ntwo\n"
    assert drive.told().ended.exit_code == 0


def test_signal_ends_the_wait_for_a_stuck_reader(drive: Drive) -> None:
    """Alone, the script would still be writing, and would be ended."""
    read, write = os.pipe()
    code = "import os; os.write(1, b'x' * 120_000); open('over', 'w'); os._exit(3)"
    argv = drive.argv(sys.executable, "-c", code)
    with subprocess.Popen(argv, stdout=write, env=drive.env, cwd=drive.folder) as runner:
        os.close(write)
        wait_for((drive.folder / "over").exists, what="the script's last line")
        wait_for(lambda: not children(runner.pid, sys.executable + "\0-c"), what="the script's end")
        assert runner.poll() is None
        runner.terminate()
        assert runner.wait(20) == 3
    total = 0
    while data := os.read(read, 1 << 16):
        total += len(data)
    os.close(read)
    assert total == 120_000


def test_two_attempts_in_one_process_are_apart(drive: Drive) -> None:
    """What an earlier attempt left running is no part of the next, neither of its figures nor of its end."""
    script = drive.script(
        f"""
        import os, sys
        sys.path.insert(0, {str(support.SRC)!r})
        from runner.agent.attempt import Attempt
        from runner.agent.job import Job
        def run(command, **options):
            attempt = Attempt(Job(["sh", "-c", command], "/bin/sh", dict(os.environ), **options))
            attempt.start()
            return attempt.run(lambda event: None)
        burn = sys.executable + " -c 'import time; end = time.monotonic() + 3\\nwhile time.monotonic() < end: pass'"
        first = run(burn + " & echo first")
        second = run("echo second; sleep 0.5; exit 4", kill_tree=True)
        third = run("sleep 30", timeout=0.2)
        print(first.survivors, second.exit_code, second.survivors, third.reason)
        print(second.usage["user_seconds"] < 0.3, os.getpid() > 0)
        """
    )
    begun = time.monotonic()
    result = drive.shell(f"{sys.executable} {script}")
    assert result.err == ""
    assert result.out.splitlines() == ["first", "second", "1 4 0 timeout", "True True"]
    assert time.monotonic() - begun >= 2.5  # the survivor held the pipe until its own end


def test_attempts_in_one_process_keep_no_descriptors(drive: Drive) -> None:
    script = drive.script(
        f"""
        import os, sys
        sys.path.insert(0, {str(support.SRC)!r})
        from runner.agent.attempt import Attempt
        from runner.agent.job import Job
        for _ in range(3):
            command = "sleep 5 >&- 2>&- & sleep 0.1"
            attempt = Attempt(Job(["sh", "-c", command], "/bin/sh", dict(os.environ), interval=0.02))
            attempt.start()
            assert attempt.run(lambda event: None).survivors == 1
            print(len(os.listdir("/proc/self/fd")))
        """
    )
    result = drive.shell(f"{sys.executable} {script}")
    assert result.err == ""
    assert len(set(result.out.split())) == 1
