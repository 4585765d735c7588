"""Work in processes of their own, run from a program with no other thread."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests import support

PRELUDE = "import os, signal, time\nfrom runner.engine.isolated import Isolated\nisolated = Isolated()\n"


def program(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code], env={"PYTHONPATH": str(support.SRC)}, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done
    return done.stdout.strip()


def test_both_parts_of_an_answer_come_back() -> None:
    code = "a = isolated.call(lambda: ({'pid': os.getpid()}, b'x' * 10_000_000))\n"
    assert program(code + "print(a.brief['pid'] != os.getpid(), len(a.whole()), a.came)") == "True 10000000 0"


def test_answers_keep_no_files_open_and_are_read_in_any_order() -> None:
    code = """
answers = [isolated.call(lambda: (n, [n] * 1000)) for n in range(9)]
print([a.whole()[-1] for a in reversed(answers)], answers[3].whole()[0], len(os.listdir("/proc/self/fd")) < 9)
"""
    assert program(code) == "[8, 7, 6, 5, 4, 3, 2, 1, 0] 3 True"


def test_what_is_done_there_changes_nothing_here() -> None:
    assert program("seen = []\nfor n in range(3): isolated.call(lambda: (seen.append(n), None))\nprint(seen)") == "[]"


@pytest.mark.parametrize(
    ("work", "said"),
    [("1 / 0", "ZeroDivisionError: division by zero"), ("os.kill(os.getpid(), 9)", "was killed"),
     ("(lambda: 0, None)", "pickle")],
)  # fmt: skip
def test_work_that_fails_is_said(work: str, said: str) -> None:
    assert said in program(f"try: isolated.call(lambda: {work})\nexcept RuntimeError as error: print(error)")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_one_is_passed_on_to_the_other(number: int) -> None:
    code = f"""
def work():
    os.kill(os.getppid(), {int(number)})
    return int(signal.sigtimedwait([{int(number)}], 30).si_signo), None
answer = isolated.call(work)
print(answer.brief, answer.came)
"""
    assert program(code) == f"{int(number)} {int(number)}"


def test_an_ignored_end_of_children_is_told_all_the_same() -> None:
    code = "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\nisolated = Isolated()\n"
    code += "print(isolated.call(lambda: (signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN, None)).brief)"
    assert program(code) == "True"
