"""Questions to the record through the command: values, aggregates, buckets, metrics, SQL."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pexpect
import pytest

from benchmarks.generate import generate
from runner.model.metrics import CPU_MAX, EXECUTION_TIME, METRICS
from tests import support

if TYPE_CHECKING:
    from pathlib import Path

RUNS = 600
SCRIPT = "load_orders.py"
CPU, WALL = CPU_MAX.name, EXECUTION_TIME.name
YEAR = ("--start", "2025-11-01", "--end", "2026-10-31")
ODD = 'q"uo\'te; DROP TABLE runs -- \N{SNOWMAN} ' + "é" * 4000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "history.db"
    generate(str(path), RUNS, 6, kept=0.2)
    return path


@pytest.fixture
def asked(runner: support.Command, made: Path) -> support.Command:
    """Return the command, in a folder with a record of made-up runs."""
    shutil.copy(made, runner.cwd / "script_runner_history.db")
    runner.env["TZ"] = "Europe/Berlin"
    return runner


def test_both_spellings_answer_the_same(asked: support.Command) -> None:
    flat = asked("--query-metric", CPU, "--query-script", SCRIPT, "--query-start", "2026-01-01", "--query-limit", "9")
    beside = asked("--query-metric", CPU, "--query-start", "2026-01-01", "--query-limit", "9", SCRIPT)
    brief = asked("query", CPU, SCRIPT, "--start", "2026-01-01", "--limit", "9")
    assert flat.out == beside.out == brief.out
    assert len(brief.out.splitlines()) == 12
    assert "the last 9 of " in brief.out
    assert asked("metrics").out == asked("--metrics-list").out
    assert asked("metrics", SCRIPT).out == asked("--metrics-list", SCRIPT).out != asked("metrics").out


def test_values_are_written_as_json_and_csv(asked: support.Command) -> None:
    answer = json.loads(asked("query", CPU, SCRIPT, "--limit", "5", "--format", "json").out)
    assert (answer["status"], answer["unit"], answer["matching"], len(answer["points"])) == ("ok", "percent", 100, 5)
    assert answer["points"] == sorted(answer["points"], key=lambda point: point["timestamp"])
    rows = list(csv.DictReader(io.StringIO(asked("query", CPU, SCRIPT, "--limit", "5", "--format", "csv").out)))
    assert [{**row, "value": float(row["value"])} for row in rows] == answer["points"]


def test_buckets_cover_the_year_day_by_day(asked: support.Command) -> None:
    answer = json.loads(asked("query", CPU, SCRIPT, "--bucket", "1day", *YEAR, "--format", "json").out)
    buckets = answer["buckets"]
    assert len(buckets) == 365
    assert list(buckets[0]) == ["start", "end", "avg", "count", "min", "max"]
    assert sum(bucket["count"] for bucket in buckets) == 100
    assert {bucket["avg"] for bucket in buckets if not bucket["count"]} == {None}
    # Days of Berlin, also where the clocks change.
    assert {bucket["start"][10:] for bucket in buckets} == {"T00:00:00.000000+01:00", "T00:00:00.000000+02:00"}
    assert all(bucket["end"] == later["start"] for bucket, later in itertools.pairwise(buckets))
    hours = asked("query", CPU, "--bucket", "1hour", "--start", "2026-10-24", "--end", "2026-10-26").out
    starts = [line.split("  ")[0] for line in hours.splitlines()[1:]]
    assert len(starts) == 24 + 25 + 24
    assert starts[25:29] == [
        "2026-10-25 01:00 +0200", "2026-10-25 02:00 +0200", "2026-10-25 02:00 +0100", "2026-10-25 03:00 +0100"
    ]  # fmt: skip


def test_aggregates_are_numbers_for_programs_and_figures_for_people(asked: support.Command) -> None:
    everything = json.loads(asked("query", WALL, SCRIPT, "--aggregations", "--format", "json").out)["aggregates"]
    assert list(everything) == [
        "count", "min", "max", "avg", "sum", "median", "p50", "p90", "p95", "p99", "stddev"
    ]  # fmt: skip
    one = asked("query", WALL, SCRIPT, "--aggregate", "P95").out
    table = dict(line.split(maxsplit=1) for line in asked("query", WALL, SCRIPT, "--aggregations").out.splitlines()[1:])
    assert one.strip() == table["p95"]
    assert asked("query", WALL, SCRIPT, "--aggregate", "count", "--format", "csv").out == "count\n100\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("query",), "`runner query` needs METRIC"),
        (("query", "cpu_mx"), "unknown metric 'cpu_mx', did you mean 'cpu_max'?; `runner metrics` lists them all"),
        (("query", "rows_don"),
         "unknown metric 'rows_don', did you mean 'rows_done'?; `runner metrics` lists them all"),
        (("query", CPU, "--start", "2026-03-01", "--end", "2026-02-01"),
         "--query-start 2026-03-01 is not before --query-end 2026-02-01"),
        (("query", CPU, "--start", ""), "'' is no time (2026-01-31, 2026-01-31T12:00, yesterday and 7d are)"),
        (("query", CPU, "--end", ""), None),
        (("history", "--since", ""), None),
        (("--bucket", "1day", SCRIPT, "--aggregate"), None),
        (("--aggregate", "max"), "--aggregate needs --query-metric"),
        (("query", CPU, "--start", "soon"), "'soon' is no time (2026-01-31, 2026-01-31T12:00, yesterday and 7d are)"),
        (("query", CPU, "--aggregate", "mean"), None),
        (("query", CPU, "--bucket", "2h"), None),
        (("query", CPU, "--limit", "0"), None),
        (("query", CPU, "--plot=cpu.gif"), None),
        (("query", CPU, "--plot", "--format", "json"), None),
        (("query", CPU, "--aggregate", "avg", "--plot"), None),
        (("query", CPU, SCRIPT, "more"), "`runner query` has no use for 'more'"),
        (("query", CPU, "--timeout", "5"), None),
        (("sql", "SELECT 1", "--schema"), None),
        (("sql", "SELEC 1"), 'the query makes no sense: near "SELEC": syntax error (line 1, column 1)'),
        (("sql", "DROP TABLE record.runs"),
         "only SELECT on runs, scripts, daily and alerts is allowed; nothing can be changed this way"),
        (("sql", "SELECT 1", "--timeout", "never"), None),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_one_line_and_exit_code_2(
    asked: support.Command, words: tuple[str, ...], message: str | None
) -> None:
    done = asked(*words)
    assert (done.exit_code, done.out) == (2, "")
    assert done.err.startswith("runner: error: ")
    assert done.err.count("\n") == 1
    if message is not None:
        assert done.err == f"runner: error: {message}\n"


def test_a_script_without_runs_is_no_error(asked: support.Command) -> None:
    done = asked("query", CPU, "nowhere.py")
    assert done.exit_code == 0
    assert done.out.startswith(f"no run of nowhere.py that matches has {CPU}; there are runs of: ")
    assert SCRIPT in done.out
    answer = json.loads(asked("query", CPU, "nowhere.py", "--bucket", "1day", "--format", "json").out)
    assert (answer["status"], SCRIPT in answer["scripts"]) == ("no_data", True)
    assert asked("query", CPU, "nowhere.py", "--format", "csv").out == "timestamp,value,run_id,script_name\n"
    assert asked("metrics", "nowhere.py").out.startswith("no run of nowhere.py; there are runs of: ")
    assert json.loads(asked("metrics", "nowhere.py", "--format", "json").out)["status"] == "no_data"
    assert asked("metrics", "nowhere.py", "--format", "csv").out.count("\n") == 1


def test_without_a_record_there_is_nothing_and_nothing_is_made(runner: support.Command) -> None:
    for words in (("query", CPU), ("sql", "SELECT 1"), ("metrics",)):
        for format in ("table", "json", "csv"):
            done = runner(*words, "--format", format)
            assert (done.exit_code, done.err) == (0, ""), (words, format)
    assert json.loads(runner("sql", "SELECT 1", "--format", "json").out)["status"] == "no_data"
    assert "no runs are remembered in" in runner("query", CPU).out
    assert "RUNS" not in runner("metrics").out
    assert os.listdir(runner.cwd) == []


def test_names_of_every_kind_can_be_asked_for(asked: support.Command) -> None:
    program = (
        "import sys\nfrom runner import HistoryManager\n"
        "HistoryManager().save_execution(sys.argv[1], {sys.argv[2]: 2.5, 'cpu_max': 80.0})"
    )
    metric = "größe; \"x' \N{SNOWMAN}"
    subprocess.run([asked.argv[0], "-c", program, ODD, metric], cwd=asked.cwd, env=asked.env, check=True)
    assert asked("query", CPU, ODD, "--aggregate", "avg").out == "80 %\n"
    assert asked("query", metric, ODD, "--aggregate", "p50").out == "2.5\n"
    listed = json.loads(asked("metrics", "--format", "json").out)["metrics"]
    assert (metric, 1) in [(each["name"], each["runs"]) for each in listed]
    query = "SELECT script_path FROM runs WHERE script = '" + ODD.replace("'", "''") + "'"
    assert json.loads(asked("sql", query, "--format", "json").out)["rows"] == [{"script_path": ODD}]
    assert json.loads(asked("query", CPU, "--aggregate", "count", "--format", "json").out)["aggregates"]["count"] == 601
    assert max(map(len, asked("query", CPU, "nowhere.py").out.split(", "))) < 200  # however long a name is


def test_a_record_that_others_write_to_in_vain_is_still_whole(asked: support.Command) -> None:
    assert asked("sql", "SELECT count(*) AS n FROM runs", "--format", "csv").out == f"n\n{RUNS}\n"
    for query in ("DELETE FROM runs", "DELETE FROM record.runs", "ATTACH 'x' AS x"):
        assert asked("sql", query).exit_code == 2
    assert asked("sql", "SELECT count(*) AS n FROM runs", "--format", "csv").out == f"n\n{RUNS}\n"
    assert not (asked.cwd / "x").exists()


def test_every_metric_is_listed_with_how_many_runs_have_it(asked: support.Command) -> None:
    listed = json.loads(asked("metrics", "--format", "json").out)["metrics"]
    assert [each["name"] for each in listed] == [*(metric.name for metric in METRICS), "rows_done"]
    assert {each["runs"] for each in listed[:-1]} == {RUNS}
    assert listed[0]["first"].startswith("2025-11-01T")
    of_one = json.loads(asked("metrics", SCRIPT, "--format", "json").out)["metrics"]
    assert {each["runs"] for each in of_one[: len(METRICS)]} == {100}
    first = json.loads(asked("query", WALL, SCRIPT, "--format", "json").out)["points"][0]["timestamp"]
    assert {each["first"] for each in of_one[: len(METRICS)]} == {first}
    counted = asked("sql", "SELECT count(*) AS n FROM runs WHERE extra ->> 'rows_done'", "--format", "csv").out
    assert listed[-1]["runs"] == int(counted.split()[1])


def test_sql_shows_at_most_a_thousand_rows_in_a_table_and_all_elsewhere(asked: support.Command) -> None:
    many = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 2500) SELECT x FROM n"
    table = asked("sql", many).out.splitlines()
    assert (len(table), table[-1]) == (1003, "the first 1,000 rows; --limit N shows more, --format csv all of them")
    assert len(asked("sql", many, "--format", "csv").out.splitlines()) == 2501
    assert len(json.loads(asked("sql", many, "--format", "json").out)["rows"]) == 2500
    assert asked("sql", many, "--limit", "2").out.splitlines()[:3] == ["X", "1", "2"]
    assert asked("sql", many, "--limit", "2", "--format", "csv").out == "x\n1\n2\n"
    assert asked("sql", "SELECT x FROM (SELECT 1 AS x) WHERE x > 1").out == "X\nno rows\n"


def test_sql_shows_what_is_no_text_and_no_number(asked: support.Command) -> None:
    query = "SELECT x'ff00' AS b, 9e999 AS more, -9e999 AS less"
    assert asked("sql", query).out.splitlines()[1].split() == ["x'ff00'", "inf", "-inf"]
    assert asked("sql", query, "--format", "csv").out == "b,more,less\nx'ff00',inf,-inf\n"
    answer = json.loads(asked("sql", query, "--format", "json").out, parse_constant=pytest.fail)
    assert answer["rows"] == [{"b": "x'ff00'", "more": None, "less": None}]


def test_sql_ends_when_its_time_is_up(asked: support.Command) -> None:
    for_ever = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    done = asked("sql", for_ever, "--timeout", "300ms")
    assert done.exit_code == 1
    assert done.err == "runner: error: the query took longer than 0.3 s and was stopped; --timeout allows more\n"


def test_sql_ends_also_within_one_step_that_takes_for_ever(asked: support.Command) -> None:
    slow = "SELECT instr(hex(zeroblob(30000000)), hex(zeroblob(10000000)) || '1')"
    done = asked("sql", slow, "--timeout", "300ms")
    assert done.exit_code == 1
    assert done.err == "runner: error: the query took longer than 0.3 s and was stopped; --timeout allows more\n"


def test_sql_takes_no_more_memory_than_it_may(asked: support.Command) -> None:
    huge = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT zeroblob(60000000) FROM n"
    program = "import runner.cli.commands.sql as s, runner.cli.main as m; s._MEMORY = 1 << 28; m.main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "sql", huge], capture_output=True, text=True, timeout=60, cwd=asked.cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "runner: error: the query takes more than 0 GB of memory and was stopped\n"


def test_samples_of_a_run_are_a_view(asked: support.Command) -> None:
    run = asked("sql", "SELECT run_id FROM runs ORDER BY started_ns LIMIT 1 OFFSET 4", "--format", "csv").out.split()[1]
    query = "SELECT count(*) AS n, max(t) AS t FROM samples"
    answer = json.loads(asked("sql", query, "--samples", run[:10], "--format", "json").out)
    assert answer["rows"][0]["n"] > 5
    assert json.loads(asked("sql", query, "--samples", "-4", "--format", "json").out)["status"] == "ok"
    done = asked("sql", query, "--samples", "ffffffffffff")
    assert (done.exit_code, done.out) == (2, "")
    assert "no run's id begins with ffffffffffff" in done.err


def test_the_schema_names_every_view(asked: support.Command) -> None:
    shown = asked("sql", "--schema").out
    assert shown == asked("sql").out
    for view in ("runs: ", "scripts: ", "daily: ", "samples: "):
        assert f"\n{view}" in f"\n{shown}"
    columns = json.loads(asked("sql", "--schema", "--format", "json").out)["columns"]
    assert {"view": "daily", "column": "day", "type": "text", "meaning": "The day, 2026-01-31"} in columns


def test_several_questions_on_one_line_are_all_answered(asked: support.Command) -> None:
    answer = json.loads(asked("--query-metric", CPU, "--query-limit", "1", "--metrics-list", "--format", "json").out)
    assert (answer["query-metric"]["matching"], len(answer["metrics-list"]["metrics"])) == (RUNS, len(METRICS) + 1)


def test_a_question_is_drawn(asked: support.Command) -> None:
    drawn = asked("query", CPU, SCRIPT, "--bucket", "1day", *YEAR, "--plot")
    assert (drawn.exit_code, drawn.err) == (0, "")
    assert f"{CPU} of {SCRIPT}" in drawn.out
    for name, begin in (("cpu.svg", b"<svg"), ("cpu.html", b"<!")):
        done = asked("query", CPU, SCRIPT, f"--plot={name}")
        assert done.out.endswith(f"drawn in {name}\n")
        assert begin in (asked.cwd / name).read_bytes()[:200]
    data = asked("query", CPU, SCRIPT, "--plot=again.svg", "--format", "json")
    assert json.loads(data.out)["status"] == "ok"
    assert (asked.cwd / "again.svg").exists()


@pytest.mark.parametrize("more", [(), ("--bucket", "1hour", *YEAR, "--limit", "5000")])
def test_a_file_is_drawn_also_for_a_reader_who_has_seen_enough(asked: support.Command, more: tuple[str, ...]) -> None:
    line = f"{asked.line('query', CPU, '--plot=cpu.svg', *more)} | head -1; echo ${{PIPESTATUS[0]}}"
    done = support.Command(asked.cwd, asked.env, ["bash", "-c"])(line)
    assert (done.out.split()[0], done.out.split()[-1], done.err) == (("START", "STARTED")[not more], "0", "")
    assert "</svg>" in (asked.cwd / "cpu.svg").read_text()


def test_more_buckets_are_offered_only_where_there_are_more(asked: support.Command) -> None:
    days = ("query", CPU, SCRIPT, "--bucket", "1day", *YEAR, "--limit")
    assert "the last 364 buckets; --query-limit N shows more" in asked(*days, "364").out
    assert "shows more" not in asked(*days, "365").out
    assert len(json.loads(asked(*days, "364", "--format", "json").out)["buckets"]) == 364


def test_times_have_their_offset_where_the_clocks_change(runner: support.Command) -> None:
    program = (
        "from datetime import datetime\nfrom runner import HistoryManager\n"
        "for at in ('2026-10-25T00:30+00:00', '2026-10-25T01:30+00:00'):\n"
        "    HistoryManager().save_execution('a.py', {'cpu_max': 1.0}, timestamp=datetime.fromisoformat(at))"
    )
    runner.env["TZ"] = "Europe/Vienna"
    subprocess.run([runner.argv[0], "-c", program], cwd=runner.cwd, env=runner.env, check=True)
    shown = runner("query", CPU).out.splitlines()
    assert [line[:25] for line in shown[1:]] == ["2026-10-25 02:30:00 +0200", "2026-10-25 02:30:00 +0100"]
    assert runner("query", CPU, "--limit", "1").out.splitlines()[1].startswith("2026-10-25 02:30:00  ")


@pytest.mark.parametrize("width", [80, 40])
@pytest.mark.parametrize(
    "words",
    [
        ("query", CPU, SCRIPT, "--bucket", "1day", "--start", "2026-10-20", "--end", "2026-10-31", "--plot"),
        ("query", CPU, "--bucket", "1day", "--start", "2026-10-28", "--end", "2026-10-31", "--aggregations"),
        ("sql", "SELECT * FROM runs LIMIT 1"),
    ],
    ids=["plot", "buckets", "sql"],
)
def test_a_terminal_is_not_overrun(asked: support.Command, words: tuple[str, ...], width: int) -> None:
    env = {**asked.env, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    shown, code = pexpect.run(
        shlex.join([*asked.argv, *words]), cwd=str(asked.cwd), env=env, withexitstatus=True, timeout=60,
        encoding="utf-8", dimensions=(60, width),
    )  # fmt: skip
    lines = shown.split("\r\n")
    assert (code, len(lines) > 4) == (0, True), shown
    assert max(map(len, lines)) <= width, shown
