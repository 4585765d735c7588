"""The panel shows a run on the whole screen, and leaves the terminal as the script alone would have left it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import Ptys

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests import support

    Shell = Callable[..., support.Terminal]

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
SCRIPT = """
    import sys, time
    print("\\033[32mgreen\\033[0m")
    for i in range(0, 101, 20):
        sys.stdout.write(f"\\r{i}% done"); sys.stdout.flush(); time.sleep(0.1)
    print()
    for i in range(40): print("line", i)
    time.sleep(0.4)
    sys.stdout.write("no newline at the end")
"""


def test_everything_is_on_the_terminal_afterwards(ptys: Ptys) -> None:
    alone, shown = ptys.both(ptys.script(SCRIPT), 80, None, "--panel", "--quiet")
    assert ENTER in shown.data
    assert shown.data.count(ENTER) == shown.data.count(LEAVE)
    after = shown.data.rpartition(LEAVE)[2]
    assert after == alone.data
    assert shown.code == 0


@pytest.mark.parametrize(("width", "height"), [(100, 30), (80, 24), (40, 12), (20, 5)])
def test_what_it_shows(ptys: Ptys, shell: Shell, width: int, height: int) -> None:
    ptys.script("""
        import time
        print("begun")
        for i in range(101): print(f"\\r{i}%", end="", flush=True)
        time.sleep(9)
    """)
    term = shell(width=width, height=height)
    term.line(" ".join([*ptys.command("--panel", "script.py")]))
    term.wait(lambda _: "100%" in term.screen())  # type: ignore[misc]
    screen = term.screen()
    lines = screen.split("\n")
    assert "0:0" in lines[0]
    assert "begun\n100%\n" in screen
    assert "99%" not in screen
    if height >= 12:
        assert "CPU" in screen.split("100%")[1]
        assert "Memory" in screen
        assert "I/O" in screen
    if height >= 24:
        term.wait(lambda _: "script.py" in term.screen().split("COMMAND")[-1])  # type: ignore[misc]
    assert all(len(line) <= width for line in lines)
    term.key("C-c")
    text = term.wait("KeyboardInterrupt")
    term.wait(lambda _: "begun" in term.screen() or height < 24)  # type: ignore[misc]
    assert "Memory" not in text.split("begun")[0]


def test_change_of_size_stop_and_go_on(ptys: Ptys, shell: Shell) -> None:
    ptys.script("import time\nprint('begun', flush=True)\ntime.sleep(2.5)\nprint('end')")
    term = shell(width=100, height=30)
    term.line(" ".join([*ptys.command("--panel", "--quiet", "script.py")]))
    term.wait(lambda _: "I/O per second" in term.screen())  # type: ignore[misc]
    term.resize(50, 14)
    term.wait(lambda _: "Memory" in term.screen() and "┤" not in term.screen())  # type: ignore[misc]
    term.key("C-z")
    text = term.wait("Stopped")
    assert "Memory" not in text
    term.line("fg")
    term.wait(lambda _: "Memory" in term.screen())  # type: ignore[misc]
    term.wait(lambda text: "begun\nend" in text and "Memory" not in text)


def test_a_program_that_takes_the_screen_gets_it(ptys: Ptys, shell: Shell) -> None:
    ptys.script("""
        import curses, time
        print("before", flush=True)
        time.sleep(0.6)
        def main(screen):
            screen.addstr(1, 1, "press a key"); screen.refresh(); screen.getkey()
        curses.wrapper(main)
        print("after")
    """)
    term = shell(width=80, height=24)
    term.line(" ".join([*ptys.command("--panel", "--quiet", "script.py")]))
    term.wait(lambda _: "press a key" in term.screen() and "Memory" not in term.screen())  # type: ignore[misc]
    term.type("x")
    term.wait("before\nafter")


def test_the_answer_to_a_prompt_and_a_password(ptys: Ptys) -> None:
    script = ptys.script("""
        import getpass, time
        time.sleep(0.5)
        name = input("name: ")
        print(name, len(getpass.getpass("secret: ")))
    """)

    def talk(child: Any) -> bytes:
        child.expect_exact("name: ")
        data = child.before + child.after
        child.sendline("joe")
        child.expect_exact("secret: ")
        data += child.before + child.after
        time.sleep(0.3)
        child.sendline("hidden7")
        return bytes(data)

    seen = ptys.see(ptys.command("--panel", "--quiet", script), talk=talk)
    assert "joe 7" in seen.text
    assert b"hidden7" not in seen.data


def test_a_signal_to_the_runner_restores_the_screen(ptys: Ptys) -> None:
    script = ptys.script("import time\nprint('begun', flush=True)\ntime.sleep(20)")

    def talk(child: Any) -> bytes:
        child.expect_exact(ENTER)
        data = child.before + child.after
        child.expect_exact("begun")
        data += child.before + child.after
        os.kill(child.pid, signal.SIGTERM)
        return bytes(data)

    seen = ptys.see(ptys.command("--panel", "--quiet", script), talk=talk)
    assert seen.data.rpartition(LEAVE)[2] == b"begun\r\n"


def test_a_terminal_that_is_closed(ptys: Ptys) -> None:
    ptys.script("import os, time\nopen('pid', 'w').write(str(os.getpid()))\nprint('begun', flush=True)\ntime.sleep(20)")
    child = ptys.spawn(ptys.command("--panel", "script.py"))
    child.expect_exact("begun")
    child.close(force=False)
    deadline = time.monotonic() + 20
    pid = Path(ptys.folder / "pid").read_text()
    while os.path.exists(f"/proc/{pid}") or child.isalive():
        assert time.monotonic() < deadline, "the script or the runner is still there"
        time.sleep(0.05)
    argv = [sys.executable, "-m", "runner", "history", "--format", "json"]
    done = subprocess.run(argv, cwd=ptys.folder, env=ptys.env, capture_output=True, text=True, timeout=60)
    assert '"signal": 1' in done.stdout, done


def left(fd: int) -> bytes:
    """Read to the end what a terminal still gets: pexpect takes it for the end where the runner itself is gone."""
    data = b""
    while select.select([fd], [], [], 20)[0]:
        try:
            data += os.read(fd, 65536)
        except OSError:  # nobody has the terminal open any more
            break
    return data


def test_a_terminal_that_is_held_with_ctrl_s(ptys: Ptys) -> None:
    """Whoever asks the runner to end need not let the terminal go on first; it still gets everything when it does."""
    ptys.script("""
        import time
        print("begun", flush=True)
        while not open("go").read(): time.sleep(0.02)
        print("end")
    """)
    go = ptys.folder / "go"
    go.touch()
    child = ptys.spawn(ptys.command("--panel", "--quiet", "script.py"))
    child.expect_exact("begun")
    data = child.before + child.after
    child.send("\x13")
    time.sleep(1.2)  # the clock is drawn anew
    go.write_text("now")
    deadline = time.monotonic() + 20
    while child.isalive():
        assert time.monotonic() < deadline, "the runner waits for the terminal"
        os.kill(child.pid, signal.SIGTERM)
        time.sleep(0.1)
    child.send("\x11")
    after = (data + left(child.child_fd)).rpartition(LEAVE)[2]
    assert after.startswith(b"begun\r\n")
    argv = [sys.executable, "-m", "runner", "history", "--format", "json"]
    done = subprocess.run(argv, cwd=ptys.folder, env=ptys.env, capture_output=True, text=True, timeout=60)
    assert '"script_name": "script.py"' in done.stdout, done


def test_a_panel_that_fails_costs_no_output(ptys: Ptys) -> None:
    script = ptys.script("import time\nfor n in range(6): print('line', n, flush=True); time.sleep(0.1)")
    drive = Path(__file__).with_name("drive.py").read_text()
    failing = """
from runner.cli.panel_view import View
rows = View.rows
def fail(self, *words):
    shown = rows(self, *words)
    return 1 / 0 if "line 3" in "".join(shown[0]) else shown
View.rows = fail
main()
"""
    (ptys.folder / "failing.py").write_text(drive.replace("\nmain()\n", failing))
    seen = ptys.see([sys.executable, "failing.py", "--panel", script], lines=40)
    assert seen.data.count(ENTER) == 1
    after = seen.data.rpartition(LEAVE)[2]
    assert after.startswith(b"".join(b"line %d\r\n" % n for n in range(6)))
    assert b"the script did not notice" in after
    assert seen.code == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--panel script.py 2>&1 | cat", "standard error is no terminal"),
        ("--panel script.py | cat", "redirect it to a file"),
        ("--panel --direct script.py", "--direct"),
        ("--panel --only-on-failure script.py", "--only-on-failure"),
    ],
)
def test_where_it_is_refused(ptys: Ptys, line: str, said: str) -> None:
    ptys.script("print('it ran')")
    command = " ".join(ptys.command())
    seen = ptys.see(["bash", "-c", f"set -o pipefail; {command} {line}"], columns=200)
    assert seen.code == 2
    assert said in seen.text
    assert "it ran" not in seen.text
