"""Finding runs through the command: filters, order, bars, the list of scripts."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from runner import HistoryManager
from runner.cli.commands.history import _briefly
from runner.model.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests import support


@pytest.fixture
def record(runner: support.Command) -> support.Command:
    """Return the command beside a record of runs measured elsewhere: `job-N.py` took N seconds and N * 100 MB."""
    with HistoryManager(runner.cwd / "script_runner_history.db") as history:
        for number in range(1, 7):
            figures = {"execution_time_seconds": number, "memory_max_mb": 100 * number, "cpu_max": 15 * number}
            history.save_execution(f"job-{number}.py", figures | {"exit_code": int(number == 4)})
    return runner


def found(runner: support.Command, *options: object) -> list[str]:
    done = runner("history", *options, "--format", "json")
    assert done.exit_code == 0, done
    return [run["script_name"][4:-3] for run in json.loads(done.out)["runs"]]


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (["--longer-than", "4"], "654"),
        (["--shorter-than", "2s"], "21"),
        (["--memory-above", "500MB"], "65"),
        (["--above", "cpu_max:45%", "--below", "memory_max_mb:0.4GB"], "43"),
        (["--above", "execution_time_seconds:5s"], "65"),
        (["--status", "failed"], "4"),
        (["--sort", "memory", "--limit", "2"], "65"),
        (["--sort", "duration", "--reverse", "--limit", "2"], "12"),
        (["--sort", "cpu_max", "--reverse", "--limit", "1"], "1"),
        (["--reverse"], "123456"),
        (["--host", "nowhere"], ""),
        (["--text", "EXIT code"], "4"),
    ],
)
def test_filters_and_orders(record: support.Command, options: list[str], numbers: str) -> None:
    assert "".join(found(record, *options)) == numbers


def test_the_flat_flags_are_the_same(record: support.Command) -> None:
    flat = record("--show-history", "--history-above", "cpu_max:45%", "--history-sort", "memory", "--history-reverse")
    assert flat.out == record("history", "--above", "cpu_max:45%", "--sort", "memory", "--reverse").out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--above", "cpu_mx:5"], "unknown metric 'cpu_mx', did you mean 'cpu_max'?"),
        (["--above", "cpu_max"], "--above cpu_max: METRIC:VALUE is needed"),
        (["--above", "cpu_max:much"], "--above cpu_max:much: 'much' is not a number of percent (90%)"),
        (["--below", "memory_max_mb:nan"], "is not a finite number"),
        (["--memory-above", "lots"], "'lots' is not a size"),
        (["--sort", "colour"], "unknown metric 'colour'"),
        (["--since", "2026-02-01", "--until", "2026-01-01"], "--since 2026-02-01 is not before --until 2026-01-01"),
    ],
)
def test_what_makes_no_sense_is_one_line(record: support.Command, options: list[str], message: str) -> None:
    done = record("history", *options)
    assert (done.exit_code, done.out) == (2, "")
    assert done.err.count("\n") == 1 and message in done.err


def test_text_is_found_in_output_and_error_of_real_runs(runner: support.Command) -> None:
    runner("-c", "print('Connection REFUSED by peer')")
    runner("-c", "raise ValueError('No Such Ledger')")
    runner("-c", "print('fine')")
    lines = runner("history", "--text", "connection refused").out.splitlines()
    assert len(lines) == 2
    assert len(json.loads(runner("history", "--text", "no such ledger", "--format", "json").out)["runs"]) == 1
    assert runner("history", "--text", "nowhere to be found").out.startswith("no run matches; there are runs of: ")
    for limit, told in ((1, "1 run, perhaps not all"), (2, "2 runs, perhaps not all")):
        assert runner("history", "--text", "e", "--limit", limit).out.endswith(f"\n{told}; --limit N shows more\n")


def test_a_terminal_shows_bars_and_failures_and_fits(
    record: support.Command, terminal: Callable[..., support.Terminal]
) -> None:
    for _ in range(2):
        record("--name", "same", "-c", "import time; time.sleep(0.05)")
    screen = terminal(width=100)
    screen.type(record.line("history") + "; echo done")
    screen.key("Enter")
    text = screen.wait(lambda text: "\ndone" in text)
    table = [line for line in text.splitlines() if re.match(r"\d\d-\d\d |STARTED", line)]
    assert table[0].split() == ["STARTED", "STATUS", "WALL", "BAR", "CPU", "MEMORY", "RUN", "SCRIPT"]
    assert sum("██████" in line for line in table) >= 7  # each script's longest, and most of those alone
    assert "\033[31mexit:1" in screen.screen(escapes=True)


@pytest.mark.parametrize(
    ("width", "names"),
    [(66, "STARTED STATUS WALL RUN SCRIPT"), (50, "AT STATUS WALL RUN SCRIPT"), (40, "AT STATUS RUN SCRIPT"),
     (24, "RUN SCRIPT"), (10, "SCRIPT")],
)  # fmt: skip
def test_a_narrow_terminal_keeps_what_is_needed_to_act(
    runner: support.Command, terminal: Callable[..., support.Terminal], width: int, names: str
) -> None:
    runner.script("class LongExceptionName(Exception): pass\nraise LongExceptionName()", "a-long-name.py")
    runner("a-long-name.py")
    screen = terminal(width=width)
    screen.line("clear; " + runner.line("history") + "; echo do''ne")
    screen.wait("done")
    lines = screen.screen().splitlines()
    at = next(number for number, line in enumerate(lines) if line.split() == names.split())
    if width == 40:
        assert re.match(r"(\d\d:\d\d|\d\d-\d\d)  LongExcept  ", lines[at + 1])


def test_a_start_in_short_is_its_time_or_its_day() -> None:
    today = time.localtime()
    run = Run("0123456789ab", "a.py", time.time_ns())
    assert _briefly(run) in (time.strftime("%H:%M", today), time.strftime("%H:%M"))
    run.started = int(time.mktime((today.tm_year - 1, 6, 7, 12, 0, 0, 0, 0, -1))) * 1_000_000_000
    assert _briefly(run) == f"{today.tm_year - 1}-06-07"


def test_a_run_ended_by_ctrl_c_is_called_cancelled_everywhere(runner: support.Command) -> None:
    runner.script("import pathlib, time; pathlib.Path('begun').touch(); time.sleep(60)", "job.py")
    process = runner.start("--quiet", "job.py", start_new_session=True, stderr=subprocess.DEVNULL)
    while not (runner.cwd / "begun").exists():
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    process.wait(30)
    told = runner("history", "--status", "cancelled").out.splitlines()
    assert [line.split()[2] for line in told[1:]] == ["cancelled"]
    assert runner("scripts").out.splitlines()[1].split()[-2:] == ["cancelled", "job.py"]
    assert " cancelled after " in runner("show").out.splitlines()[0]
    runner("--quiet", "-c", "pass")
    assert any(line.endswith(", cancelled") for line in runner("compare", "-1", "-2").out.splitlines()[:2])


def test_runs_of_a_shell_go_by_their_scripts(runner: support.Command) -> None:
    for name in ("one.sh", "two.sh"):
        runner.script("exit 0", name)
        runner("--quiet", "--", "sh", name, "now")
    runner("--quiet", "--", "sh", "-c", "exit 0")
    rows = json.loads(runner("scripts", "--format", "json").out)["scripts"]
    assert sorted((row["script"], row["runs"]) for row in rows) == [("one.sh", 1), ("sh", 1), ("two.sh", 1)]
    shown = runner("history").out.splitlines()
    assert [line[line.rindex("  ") + 2 :] for line in shown[2:]] == ["two.sh now", "one.sh now"]


def test_scripts_are_listed_one_a_line(record: support.Command) -> None:
    done = record("scripts")
    lines = done.out.splitlines()
    assert len(lines) == 7
    assert lines[0].split()[:3] == ["RUNS", "OK", "WALL"]
    assert [line.split()[-1] for line in lines[1:]] == [f"job-{number}.py" for number in range(6, 0, -1)]
    rows = json.loads(record("scripts", "--sort", "failures", "--format", "json").out)["scripts"]
    assert (rows[0]["script"], rows[0]["failures"], rows[0]["success_rate"]) == ("job-4.py", 1, 0)
    assert rows[0]["wall_p50"] is None
    assert record("scripts", "--sort", "wall", "job-2.py").out.splitlines()[1].split()[-1] == "job-2.py"
    assert record("scripts", "--format", "csv").out.count("\n") == 7


def test_no_scripts_are_said_to_be_none(runner: support.Command, record: support.Command) -> None:
    done = record("scripts", "other.py")
    assert done.out.startswith("no run of other.py in the last 30 days; there are runs of: job-1.py")
    assert json.loads(record("scripts", "other.py", "--format", "json").out)["status"] == "no_data"
