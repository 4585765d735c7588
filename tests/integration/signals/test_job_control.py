"""In a shell with job control, keys and the shell's own commands do what they do to a script that runs alone."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import support
from tests.integration.signals.conftest import HERE, TELL, stat_of, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.signals.conftest import Running

    Open = Callable[..., support.Terminal]

LAST = "echo 'the end'"
END = "\nthe end"


@pytest.fixture
def line(tmp_path: Path) -> Callable[..., str]:
    """Return a function that gives the line which runs a command under an attempt."""

    def run(*command: str) -> str:
        return shlex.join([sys.executable, "-W", "error", str(HERE / "drive.py"), str(tmp_path / "report"), *command])

    return run


@pytest.fixture
def sh(terminal: Open) -> support.Terminal:
    """Return a terminal in which bash waits for a line."""
    shell = terminal(width=300, command="bash --norc --noprofile -i")
    shell.line("PS1='$ '")
    shell.wait("$ ")
    return shell


def script_of(text: str) -> int:
    """Return the process id that a script tells when it is ready, 0 before."""
    found = re.search(r"\bready (\d+)\n", text)
    return int(found[1]) if found else 0


def times_told(text: str, number: int) -> int:
    """Return how often the script told a signal; its lines may begin after a prompt or an echoed key."""
    return len(re.findall(rf"^(?:\$ |\^.)*{number:d}$", text, re.MULTILINE))


def test_ctrl_c_ends_a_loop_of_the_shell(sh: support.Terminal, line: Callable[..., str]) -> None:
    loop = f"for i in 1 2 3; do {line('/bin/sh', '-c', 'echo started-$$; exec sleep 60')}; done; {LAST}"
    sh.line(loop)
    sh.wait(lambda text: text.count("\nstarted-") == 1)
    sh.key("C-c")
    sh.line(f"echo code=$?; {LAST}")
    text = sh.wait(END)
    assert text.count("\nstarted-") == 1
    assert "\ncode=130\n" in text


@pytest.mark.parametrize(("key", "number"), [("C-c", signal.SIGINT), ("C-\\", signal.SIGQUIT)])
def test_a_key_is_delivered_once(
    sh: support.Terminal, line: Callable[..., str], key: str, number: signal.Signals
) -> None:
    sh.line(line(*TELL))
    sh.wait(script_of)
    for times in (1, 2):
        sh.key(key)
        sh.wait(lambda text, times=times: times_told(text, number) == times)  # type: ignore[misc]
    sh.key("C-d")
    sh.line(f"echo code=$?; {LAST}")
    text = sh.wait(END)
    assert times_told(text, number) == 2
    assert "\ncode=0\n" in text


def test_ctrl_z_and_fg(sh: support.Terminal, line: Callable[..., str]) -> None:
    sh.line(line(*TELL))
    script = script_of(sh.wait(script_of))
    for times in (1, 2):
        sh.key("C-z")
        sh.wait(lambda text, times=times: text.count("[1]+  Stopped") == times)  # type: ignore[misc]
        assert stat_of(script)[0] == "T"
        sh.line("fg")
        sh.wait(lambda text, times=times: times_told(text, signal.SIGCONT) == times)  # type: ignore[misc]
    sh.key("C-d")
    sh.line(f"echo code=$?; {LAST}")
    text = sh.wait(END)
    assert times_told(text, signal.SIGCONT) == 2
    assert "\ncode=0\n" in text


def test_ctrl_z_and_bg(sh: support.Terminal, line: Callable[..., str], tmp_path: Path) -> None:
    go = tmp_path / "go"
    sh.line(line("/bin/sh", "-c", 'echo "ready $$"; until [ -e "$1" ]; do sleep 0.05; done; echo done', "sh", str(go)))
    sh.wait(script_of)
    sh.key("C-z")
    sh.wait("Stopped")
    sh.line("bg; echo 'in the background'")
    sh.wait("\nin the background")
    go.touch()
    sh.line(f"wait; echo code=$?; {LAST}")
    text = sh.wait(END)
    assert re.search(r"^(\$ )?done$", text, re.MULTILINE)
    assert "\ncode=0\n" in text


@pytest.mark.parametrize("itself", ["signal.SIGTSTP", "signal.SIGSTOP"])
def test_a_script_that_stops_itself_after_ctrl_z(sh: support.Terminal, line: Callable[..., str], itself: str) -> None:
    """As full-screen programs do: they tidy up first."""
    code = f"""
import os, signal, sys
def stop(number, frame):
    os.write(1, b"tidied\\n")
    signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.kill(os.getpid(), {itself})
    signal.signal(signal.SIGTSTP, stop)
signal.signal(signal.SIGTSTP, stop)
print("ready", os.getpid(), flush=True)
sys.stdin.read()
"""
    script = Path(str(line("x").split()[-2])).parent / "script.py"
    script.write_text(code)
    sh.line(line(sys.executable, str(script)))
    sh.wait(script_of)
    sh.key("C-z")
    sh.wait("[1]+  Stopped")
    sh.line("fg")
    sh.line("")
    sh.key("C-d")
    sh.line(f"echo code=$?; {LAST}")
    assert "\ncode=0\n" in sh.wait(END)


def test_reading_in_the_background_stops_the_job(sh: support.Terminal, line: Callable[..., str]) -> None:
    sh.line(line("/bin/sh", "-c", "echo ready $$; read line; echo got $line") + " &")
    sh.wait(script_of)
    sh.wait(lambda text: sh.line("jobs") or "[1]+  Stopped" in text)
    sh.line("fg")
    sh.line("hello")
    sh.wait("\ngot hello")
    sh.line(f"echo code=$?; {LAST}")
    assert "\ncode=0\n" in sh.wait(END)


@pytest.mark.parametrize(
    ("number", "python"),
    [
        (signal.SIGTSTP, "this"), (signal.SIGTTIN, "this"), (signal.SIGTTOU, "this"),
        *((signal.SIGTSTP, name) for name in support.AGENT_INTERPRETERS),
    ],
)  # fmt: skip
def test_the_runner_stops_of_the_same_signal(
    start: Callable[..., Running], number: signal.Signals, python: str
) -> None:
    """Shells tell their users why a job has stopped."""
    python = support.AGENT_INTERPRETERS.get(python, sys.executable)
    running = start(start_new_session=False, process_group=0, python=python)
    script = running.ready()
    job = running.process.pid
    for times in (1, 2):
        os.killpg(job, number)
        stopped = os.waitid(os.P_PID, job, os.WSTOPPED)
        assert stopped and stopped.si_status == number
        assert stat_of(script)[0] == "T"
        os.killpg(job, signal.SIGCONT)
        assert running.delivered(times) == {signal.SIGCONT: times}
    assert running.finish()["reason"] == "exited"


@pytest.mark.parametrize("name", ["TERM", "HUP", "USR1", "INT"])
def test_kill_of_a_job_is_delivered_once(sh: support.Terminal, line: Callable[..., str], name: str) -> None:
    number = signal.Signals[f"SIG{name}"]
    sh.line(f"mkfifo end; {line(*TELL)} <end & exec 3>end")
    sh.wait(script_of)
    sh.line(f"kill -{name} %1")
    sh.wait(lambda text: times_told(text, number))
    sh.line(f"exec 3>&-; wait; {LAST}")
    assert times_told(sh.wait(END), number) == 1


def test_closing_the_terminal_hangs_up_once(terminal: Open, line: Callable[..., str], tmp_path: Path) -> None:
    told, end = tmp_path / "told", tmp_path / "end"
    os.mkfifo(end)
    command = line("/bin/sh", "-c", 'exec "$0" "$1" >"$2" <"$3"', *TELL, str(told), str(end))
    shell = terminal(command=f"bash --norc --noprofile -i -c {shlex.quote(command)} ; :")
    keep = os.open(end, os.O_WRONLY)
    wait_for(lambda: told.exists() and script_of(told.read_text()))
    script = script_of(told.read_text())
    shell.close()
    wait_for(lambda: times_told(told.read_text(), signal.SIGHUP))
    os.close(keep)
    wait_for(lambda: not stat_of(script))
    assert times_told(told.read_text(), signal.SIGHUP) == 1


def test_a_session_leader_passes_the_hang_up_on(line: Callable[..., str], tmp_path: Path) -> None:
    """As under ``ssh -t host runner ...``: the kernel tells the leader of the session alone."""
    told, end = tmp_path / "told", tmp_path / "end"
    os.mkfifo(end)
    command = line("/bin/sh", "-c", 'exec "$0" "$1" >"$2" <"$3"', *TELL, str(told), str(end))
    runner, master = os.forkpty()
    if runner == 0:
        words = shlex.split(command)
        os.execv(words[0], words)
    keep = os.open(end, os.O_WRONLY)
    wait_for(lambda: told.exists() and script_of(told.read_text()))
    os.close(master)
    wait_for(lambda: times_told(told.read_text(), signal.SIGHUP))
    os.close(keep)
    assert os.waitpid(runner, 0)[1] == 0
    assert times_told(told.read_text(), signal.SIGHUP) == 1
