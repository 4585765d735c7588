"""``runner show``: a run that really failed, told whole, in every format, file and width."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from runner.model.metrics import BY_NAME, EXECUTION_TIME
from tests import support

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCRIPT = """\
import sys, time

def load(row):
    return {}[row]

print("begin \\x1b[31mred\\x1b[0m \\x1b[2J", flush=True)
for number in range(30):
    print("line", number)
time.sleep(0.35)
load(f"row-{len(sys.argv)}")
"""


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> support.Command:
    """Return the command in a folder with a record: one run that succeeded, two that failed, the last after a retry."""
    folder = tmp_path_factory.mktemp("show")
    (folder / "work").mkdir()
    runner = support.Command(folder / "work", support.clean_environment(folder))
    runner.script("print('fine')", "fine.py")
    runner.script(SCRIPT, "load.py")
    assert runner("fine.py").exit_code == 0
    assert runner("load.py").exit_code == 1
    retried = runner("--retry", "1", "--retry-delay", "0.01", "--tag", "env=prod", "load.py", "--since", "x")
    assert retried.exit_code == 1
    return runner


def test_a_failed_run_is_told_whole(failed: support.Command) -> None:
    shown = failed("show")
    assert (shown.exit_code, shown.err) == (0, "")
    for part in (
        "KeyError: 'row-3'", "load.py:4, in load", "> 4 │     return {}[row]", "once in 1 earlier run,",
        "--since x", "env=prod", "runner --retry 1 --retry-delay 0.01 --tag env=prod load.py --since x",
        "attempt 1", "attempt 2", "after waiting", EXECUTION_TIME.name, "Curves of attempt 2", "CPU", "samples",
        "line 29", "KeyError: 'row-3'", "Traceback",
    ):  # fmt: skip
        assert part in shown.out, part
    assert "\x1b" not in shown.out


def test_a_run_is_named_in_many_ways(failed: support.Command) -> None:
    runs = json.loads(failed("history", "--format", "json").out)["runs"]
    for text, run in (("last", runs[0]), ("-2", runs[1]), ("last:fine.py", runs[2]), (runs[1]["run_id"][:9], runs[1])):
        assert json.loads(failed("show", text, "--format", "json").out)["run_id"] == run["run_id"], text
    missing = failed("show", "last:nowhere.py")
    assert missing.exit_code == 2 and "there is no run of nowhere.py" in missing.err
    assert failed("show", "--attempt", "3").err.startswith("runner: error: --attempt 3: run ")


def test_json_is_the_report_of_the_run_and_more(failed: support.Command) -> None:
    told = json.loads(failed("show", "--format", "json").out)
    assert (told["status"], told["attempts"], told["error_type"]) == ("ok", 2, "KeyError")
    assert told["line"][-3:] == ["load.py", "--since", "x"]
    place = told["error_place"]
    assert (place["file"], place["line"], place["function"]) == (str(failed.cwd / "load.py"), 4, "load")
    assert (told["error_before"]["count"], told["error_before"]["runs"]) == (1, 1)
    assert "samples" not in told
    samples = json.loads(failed("show", "--format", "json", "--samples").out)["samples"]
    assert [each["attempt"] for each in samples] == [1, 2]
    for each in samples:
        assert len(each["t"]) == len(each["cpu_percent"]["mean"]) == each["count"] > 2
        assert each["t"] == sorted(each["t"])


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--raw", "--format", "json"], "--raw shows bytes as they are; --format json can't hold them"),
     (["--raw", "--format", "csv"], "--format csv can't hold them"),
     (["--samples"], "--samples needs --format json"), (["--samples", "--format", "csv"], "--samples needs")],
)  # fmt: skip
def test_what_would_have_no_effect_is_refused(failed: support.Command, options: list[str], said: str) -> None:
    done = failed("show", *options)
    assert (done.exit_code, done.out) == (2, "")
    assert said in done.err


def test_csv_has_a_row_a_figure(failed: support.Command) -> None:
    rows = list(csv.DictReader(io.StringIO(failed("show", "--format", "csv").out)))
    assert {row["attempt"] for row in rows} == {"1", "2"}
    assert {row["metric"] for row in rows} <= set(BY_NAME)
    [wall] = [row for row in rows if row["metric"] == EXECUTION_TIME.name and row["attempt"] == "2"]
    assert float(wall["value"]) > 0.3 and (wall["unit"], wall["kind"]) == ("seconds", "exact")
    one = list(csv.DictReader(io.StringIO(failed("show", "--attempt", "1", "--format", "csv").out)))
    assert {row["attempt"] for row in one} == {"1"}


def test_the_curves_are_drawn_into_files(failed: support.Command) -> None:
    for name in ("run.svg", "run.html"):
        assert failed("show", "--plot", name).out == f"drawn in {name}\n"
    root = ElementTree.parse(failed.cwd / "run.svg").getroot()
    assert "load.py --since x, run " in (root.findtext("{http://www.w3.org/2000/svg}title") or "")
    refused = failed("show", "--plot", "run.gif")
    assert refused.exit_code == 2 and "--plot: run.gif has to end with" in refused.err
    told = failed("show", "--plot", "run.svg", "--format", "json")
    assert json.loads(told.out)["status"] == "ok", "the file is no part of an answer to a program"


def test_raw_is_what_the_script_wrote(failed: support.Command) -> None:
    raw = failed("show", "--attempt", "1", "--raw", "--lines", "100").stdout
    lines = "".join(f"line {number}\n" for number in range(30))
    assert f"begin \x1b[31mred\x1b[0m \x1b[2J\n{lines}".encode() in raw
    assert b"\x1b" not in failed("show", "--lines", "100").stdout


def test_a_script_that_has_changed_is_not_quoted(failed: support.Command) -> None:
    path = failed.cwd / "load.py"
    before = path.read_text()
    try:
        path.write_text("# another\n" + before)
        shown = failed("show").out
    finally:
        path.write_text(before)
    assert "load.py:4, in load (the file is another one now)" in shown
    assert "> 4 │ return {}[row]" in shown, "the traceback itself has the line"
    assert "def load(row)" not in shown


@pytest.fixture
def narrow(failed: support.Command, tmp_path: Path) -> Iterator[support.Terminal]:
    screen = support.Terminal(tmp_path / "tmux", failed.env, failed.cwd, 40, 200, "bash --norc --noprofile")
    yield screen
    screen.close()


def test_it_fits_a_narrow_terminal(failed: support.Command, narrow: support.Terminal) -> None:
    narrow.line(f"clear; {failed.line('show')}; echo the-end")
    text = narrow.wait(lambda text: "\nthe-end" in text)
    shown = narrow.screen().rstrip().splitlines()
    assert max(map(len, shown)) <= 40
    assert sum(line == "the-end" for line in shown) == 1
    joined = [line for line in text.splitlines() if len(line) > 40 and "runner" not in line and "python" not in line]
    assert not joined, "no line was wrapped by the terminal itself"


def test_an_empty_record_is_a_usage_error(runner: support.Command) -> None:
    refused = runner("show", "--format", "json")
    assert (refused.exit_code, refused.out) == (2, "")
    assert "no runs are remembered in" in refused.err


def test_a_run_whose_runner_was_killed_is_shown_as_far_as_it_is_known(runner: support.Command) -> None:
    runner.script("import time\nprint('begin', flush=True)\ntime.sleep(60)\n")
    process = runner.start("--tag", "a=b", "script.py", stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"begin\n"
    [live] = json.loads(runner("ps", "--format", "json").out)["runs"]
    refused = runner("show", live["run_id"])
    assert refused.exit_code == 2 and "is still running" in refused.err
    for words in (("show",), ("show", "last:script.py"), ("rerun", "-2")):
        assert runner(*words).err == refused.err, "the first run of all is the last one too"
    assert "no run has ended yet" in runner("history").out and "no run has ended yet" in runner("scripts").out
    process.kill()
    process.wait(60)
    process.stdout.close()
    shown = runner("show", live["run_id"])
    assert shown.exit_code == 0, shown
    assert "lost" in shown.out.splitlines()[0] and "a=b" in shown.out
    again = runner.start("rerun", stdout=subprocess.PIPE)
    assert again.stdout is not None and again.stdout.readline() == b"begin\n", "its line was in the journal"
    again.terminate()
    again.wait(60)
    again.stdout.close()
