"""In a real terminal under a shell with job control: what a person sees and types is what it is alone."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from tests import support

from .conftest import Drive, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    Tty = Callable[..., support.Terminal]

SHOW = """
import os, sys
print([os.isatty(fd) for fd in (0, 1, 2)], os.get_terminal_size(1), flush=True)
print("to stderr", file=sys.stderr)
"""


def test_script_sees_a_terminal_of_the_right_size(drive: Drive, tty: Tty) -> None:
    term = tty(width=93, height=17)
    term.line(drive.line(sys.executable, drive.script(SHOW)))
    term.wait("[True, True, True] os.terminal_size(columns=93, lines=17)")
    term.wait("\nto stderr")
    told = drive.told()
    assert told.started.streams == {"stdout": "pty", "stderr": "pty", "merged": True}
    assert told.ended.output["stdout"] == [len(told.kept()), 2]
    assert b"\r" not in told.kept()


def test_bytes_at_the_terminal_are_the_same(drive: Drive) -> None:
    """Carriage returns, newlines and escapes at random, through the pty and the outer terminal, against alone."""
    pexpect = pytest.importorskip("pexpect")
    script = drive.script(
        """
        import os, random
        chance = random.Random(1)
        data = bytes(chance.choice(b"\\r\\n\\x1b[2Kab\\r\\n") for _ in range(60_000))
        while data:
            size = chance.randrange(1, 5000)
            os.write(1, data[:size])
            data = data[size:]
        """
    )
    seen = []
    for argv in ([sys.executable, script], drive.argv(sys.executable, script)):
        child = pexpect.spawn(argv[0], argv[1:], env=drive.env, timeout=60)
        seen.append(child.read())
        child.close()
        assert child.exitstatus == 0
    assert len(seen[0]) > 60_000
    assert seen[0] == seen[1]


def test_carriage_return_without_newline_appears_at_once(drive: Drive) -> None:
    pexpect = pytest.importorskip("pexpect")
    code = "import sys, time; sys.stdout.write('10%\\r'); sys.stdout.flush(); time.sleep(2); print('done')"
    child = pexpect.spawn(*_spawn(drive.argv(sys.executable, "-c", code)), env=drive.env, timeout=20)
    child.expect_exact("10%\r")
    assert b"done" not in child.buffer
    child.expect_exact("done\r\n", timeout=20)
    child.close()


def test_only_the_piped_stream_is_a_pipe(drive: Drive, tty: Tty) -> None:
    term = tty()
    code = "import os, sys; sys.stderr.write(repr([os.isatty(fd) for fd in (0, 1, 2)]) + '\\n'); print('piped')"
    term.line(drive.line(sys.executable, "-c", code) + " | cat")
    term.wait("[True, False, True]\n")
    told = drive.told()
    assert told.started.streams == {"stdout": "pipe", "stderr": "pty", "merged": False}
    assert told.ended.output["stdout"] == [6, 1]
    assert told.ended.output["stderr"] == [20, 1]


def test_both_to_tee_is_one_pipe(drive: Drive, tty: Tty) -> None:
    term = tty()
    term.line(drive.line("sh", "-c", "echo out; echo err >&2") + " 2>&1 | tee copy")
    term.wait("out\nerr\n")
    assert drive.told().started.streams == {"stdout": "pipe", "stderr": "pipe", "merged": True}


def test_ctrl_c_reaches_the_script_once_and_ends_a_loop_of_the_shell(drive: Drive, tty: Tty) -> None:
    script = drive.script(
        """
        import signal, sys, time
        count = 0
        def note(number, frame):
            global count
            count += 1
        signal.signal(signal.SIGINT, note)
        print("ready", flush=True)
        deadline = time.monotonic() + 20
        while not count and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.3)
        print("interrupted", count, flush=True)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
        """
    )
    term = tty()
    term.line(f"for i in 1 2 3; do {drive.line(sys.executable, script)}; done")
    term.wait("\nready")
    term.key("C-c")
    term.wait("interrupted 1")
    term.line("echo code=$?")
    term.wait("\ncode=130")
    assert term.scrollback().count("\nready") == 1
    ended = drive.told().ended
    assert (ended.reason, ended.signal) == ("cancelled", 2)


def test_stop_and_go_on(drive: Drive, tty: Tty) -> None:
    term = tty()
    code = "import time\nfor i in range(300): print('tick', i, flush=True); time.sleep(0.05)"
    term.line(drive.line(sys.executable, "-c", code))
    term.wait("tick 3")
    term.key("C-z")
    term.wait("Stopped")
    stopped = term.scrollback()
    term.line("echo at the prompt")
    term.wait("\nat the prompt")
    assert term.scrollback().count("tick") <= stopped.count("tick") + 2
    term.line("fg")
    last = stopped.count("tick")
    term.wait(lambda text: text.count("tick") > last + 5)
    term.key("C-c")
    term.wait("KeyboardInterrupt")


def test_stop_while_a_slow_reader_has_not_taken_all_that_the_script_wrote(drive: Drive, tty: Tty) -> None:
    """Alone the script would still be there, writing; a runner that did not stop would keep the shell waiting."""
    term = tty()
    code = "import os; open('pid', 'w').write(str(os.getpid())); print('x' * 150000)"
    term.line(drive.line(sys.executable, "-c", code) + " | sh -c 'read go </dev/tty; wc -c'")
    pid = drive.folder / "pid"
    wait_for(lambda: pid.exists() and pid.read_text(), what="the start of the script")
    wait_for(lambda: not os.path.exists("/proc/" + pid.read_text()), what="the end of the script")
    term.key("C-z")
    term.wait("Stopped")
    term.line("fg")
    term.line("go")
    term.wait("\n150001\n")
    assert drive.told().ended.output["stdout"] == [150001, 1]


def test_background_reader_is_stopped_and_reads_in_the_foreground(drive: Drive, tty: Tty) -> None:
    term = tty()
    term.line(drive.line("sh", "-c", "read x; echo got $x") + " &")
    term.line("")
    term.wait(lambda text: _pressing_enter(term) or "Stopped" in text)
    term.line("fg")
    term.line("hello")
    term.wait("\ngot hello")


def _pressing_enter(term: support.Terminal) -> bool:
    term.key("Enter")
    return False


def test_type_ahead_belongs_to_the_shell(drive: Drive, tty: Tty) -> None:
    term = tty()
    term.line(drive.line("sh", "-c", "echo started; sleep 1"))
    term.wait("\nstarted")
    term.line("echo typed ahead | tr a-z A-Z")
    term.wait("TYPED AHEAD")


def test_password_is_not_shown(drive: Drive, tty: Tty) -> None:
    term = tty()
    code = "import getpass; print(len(getpass.getpass('secret: ')), input('name: '))"
    term.line(drive.line(sys.executable, "-c", code))
    term.wait("\nsecret: ")
    term.line("hidden7")
    term.wait("\nname: ")
    term.line("joe")
    term.wait("\n7 joe")
    assert "hidden7" not in term.scrollback()


def test_change_of_size_is_seen(drive: Drive, tty: Tty) -> None:
    script = drive.script(
        """
        import os, signal, time
        def show(*_):
            os.write(1, b"size %d %d\\n" % os.get_terminal_size(1))
        signal.signal(signal.SIGWINCH, show)
        print("ready", flush=True)
        for _ in range(200):
            time.sleep(0.05)
        """
    )
    term = tty(width=90, height=20)
    term.line(drive.line(sys.executable, script))
    term.wait("\nready")
    for width in (70, 85, 60):
        term.resize(width, 20)
        term.wait(f"size {width} 20")
    term.key("C-c")


def test_change_of_size_when_the_script_has_closed_the_terminal(drive: Drive, tty: Tty) -> None:
    script = drive.script(
        """
        import os, time
        os.close(1)
        os.close(2)
        open("closed", "w").close()
        while os.get_terminal_size(0).columns != 70:
            time.sleep(0.02)
        time.sleep(0.3)
        """
    )
    term = tty(width=90)
    term.line(drive.line(sys.executable, script) + "; echo code=$?")
    wait_for((drive.folder / "closed").exists, what="the start of the script")
    term.resize(70, 20)
    term.wait("\ncode=0")
    assert drive.told().ended.reason == "exited"


def test_curses_modes_reach_the_terminal_and_are_put_back(drive: Drive, tty: Tty) -> None:
    script = drive.script(
        """
        import curses
        def main(screen):
            screen.addstr(2, 3, "press a key")
            screen.refresh()
            key = screen.getkey()
            screen.addstr(3, 3, f"key {key}")
            screen.refresh()
            screen.getkey()
        curses.wrapper(main)
        print("over")
        """
    )
    term = tty()
    term.line("stty -a >before")
    term.line(drive.line(sys.executable, script))
    term.wait("press a key")
    term.key("x")
    term.wait("key x")
    term.key("y")
    term.wait("over")
    term.line("stty -a >after; echo written")
    term.wait("\nwritten")
    assert (drive.folder / "after").read_text() == (drive.folder / "before").read_text()


@pytest.mark.parametrize("pager", ["less", "cat list | less", "cat list | more"])
def test_pager_in_the_script_gets_its_keys(drive: Drive, tty: Tty, pager: str) -> None:
    support.require("less", "more")
    (drive.folder / "list").write_text("".join(f"line {i}\n" for i in range(1, 200)))
    term = tty(height=20)
    command = pager if "|" in pager else "less list"
    term.line(drive.line("sh", "-c", command) + "; echo code=$?")
    term.wait("line 15")
    term.key("Space")
    term.wait(lambda text: "line 30" in text)
    term.key("q")
    term.wait("code=0")
    term.line("echo typed | tr a-z A-Z")
    term.wait("TYPED")


def test_pager_beside_the_script_gets_its_keys(drive: Drive, tty: Tty) -> None:
    support.require("less")
    term = tty(height=20)
    term.line(drive.line("seq", "-f", "line %g", "200") + " | less; echo code=${PIPESTATUS[0]}")
    term.wait("line 15")
    term.key("Space")
    term.wait("line 30")
    term.key("q")
    term.wait("code=0")


def test_output_of_a_survivor_appears_at_the_prompt(drive: Drive, tty: Tty) -> None:
    term = tty()
    term.line(drive.line("sh", "-c", "(sleep 1; echo from the survivor) & echo first") + "; echo prompt is back")
    term.wait("\nprompt is back")
    assert "$ from the survivor" not in term.scrollback()
    term.wait("$ from the survivor")


def test_terminal_closed_under_the_script(drive: Drive, tty: Tty) -> None:
    """The hang-up ends the script as alone, and the attempt tells its end."""
    term = tty()
    term.line(drive.line(sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)"))
    term.wait("\nready")
    term.close()
    ended = drive.told().ended
    assert (ended.reason, ended.signal) == ("cancelled", 1)


def test_direct_hands_the_terminal_through(drive: Drive, tty: Tty) -> None:
    term = tty()
    code = "import os; print(os.ttyname(1) == os.ttyname(0), os.tcgetpgrp(1) == os.getpgrp())"
    term.line(drive.line(sys.executable, "-c", code, direct=True))
    term.wait("\nTrue True")
    told = drive.told()
    assert told.started.streams == {"stdout": "direct", "stderr": "direct", "merged": False}
    assert told.ended.output == {"stdout": None, "stderr": None, "merged": False}


def test_terminal_stays_whole_when_the_runner_is_killed(drive: Drive, tty: Tty) -> None:
    term = tty()
    term.line("stty -a >before")
    term.line(drive.line("sh", "-c", "kill -9 $PPID; sleep 0.2; echo still here"))
    term.wait("Killed")
    term.line("stty -a >after; echo written")
    term.wait("\nwritten")
    assert (drive.folder / "after").read_text() == (drive.folder / "before").read_text()


def test_script_without_a_pty_gets_the_terminal(drive: Drive, tty: Tty) -> None:
    """Where no pty can be had, the terminal is handed through, and that is told."""
    script = drive.script(
        """
        import os, runpy, sys
        def none():
            raise OSError(28, "no ptys left")
        os.openpty = none
        sys.argv = sys.argv[1:]
        runpy.run_path(sys.argv[0], run_name="__main__")
        """
    )
    term = tty()
    argv = drive.argv("echo", "still works")
    term.line(shlex.join([argv[0], script, *argv[1:]]))
    term.wait("\nstill works")
    told = drive.told()
    assert told.started.streams["stdout"] == "direct"
    assert "no ptys left" in told.ended.weaker["stdout_size"][1]


def test_flood_on_a_terminal(drive: Drive) -> None:
    pexpect = pytest.importorskip("pexpect")
    child = pexpect.spawn(*_spawn(drive.argv("seq", "300000")), env=drive.env, timeout=60)
    data = child.read()
    child.close()
    assert data == b"".join(b"%d\r\n" % i for i in range(1, 300_001))
    assert drive.told().ended.output["stdout"] == [len(data) - 300_000, 300_000]


def _spawn(argv: list[str]) -> tuple[str, list[str]]:
    return argv[0], argv[1:]


@pytest.mark.parametrize("version", sorted(support.AGENT_INTERPRETERS))
def test_every_interpreter_carries_a_terminal(drive: Drive, version: str) -> None:
    pexpect = pytest.importorskip("pexpect")
    code = "import os; os.write(1, b'one\\r\\ntwo\\n'); print(os.get_terminal_size(1)[:], input('name: '))"
    argv = drive.argv(sys.executable, "-c", code, python=support.AGENT_INTERPRETERS[version])
    child = pexpect.spawn(*_spawn(argv), env=drive.env, timeout=30, dimensions=(20, 70))
    child.expect_exact("one\r\r\ntwo\r\nname: ")
    child.sendline("joe")
    child.expect_exact("joe\r\n(70, 20) joe\r\n")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert drive.told().ended.output["stdout"] == [len(b"one\r\ntwo\nname: (70, 20) joe\n"), 3]


def test_editor(drive: Drive, tty: Tty) -> None:
    support.require("vim")
    term = tty(height=20)
    term.line(drive.line("vim", "-u", "NONE", "text") + "; echo code=$?")
    term.wait(lambda _: "~\n~\n" in term.screen())
    term.type("ifirst line")
    term.key("Enter")
    term.type("second")
    term.wait(lambda _: "second" in term.screen())
    term.resize(60, 15)
    term.wait(lambda _: term.screen().rstrip("\n").count("\n") <= 14 and "first line" in term.screen())
    term.key("Escape")
    term.line(":wq")
    term.wait("code=0")
    assert (drive.folder / "text").read_text() == "first line\nsecond\n"


def test_interactive_interpreter(drive: Drive, tty: Tty) -> None:
    term = tty()
    term.line(drive.line(sys.executable, "-q"))
    term.wait(">>> ")
    term.line("6 * 7")
    term.wait("\n42\n")
    term.key("Up", "Enter")
    term.wait(lambda text: text.count("\n42\n") == 2)
    term.key("C-d")
    assert drive.told().ended.exit_code == 0


def test_background_job_prints_and_leaves_modes_alone(drive: Drive, tty: Tty) -> None:
    """In the background the terminal is the shell's: what the script sets on its own does not reach it."""
    code = (
        "import termios, time; modes = termios.tcgetattr(1); modes[3] &= ~termios.ECHO\\n"
        "termios.tcsetattr(1, termios.TCSANOW, modes); time.sleep(0.3); print('from the background')"
    )
    term = tty()
    term.line("stty -a >before; " + drive.line(sys.executable, "-c", code.replace("\\n", "\n")) + " & wait")
    term.wait("from the background")
    drive.told()
    term.line("stty -a >after; echo written")
    term.wait("\nwritten")
    assert (drive.folder / "after").read_text() == (drive.folder / "before").read_text()
