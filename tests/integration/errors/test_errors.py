"""How scripts failed, through the command: the line of the summary, the groups, the patterns."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

import runner as api

if TYPE_CHECKING:
    from tests import support

FLAKY = """
import sys
print("fetching page", sys.argv[1])
def fetch():
    raise ConnectionError(f"server {sys.argv[1]} did not answer")
fetch()
"""


def test_a_failed_run_is_explained_in_one_line(runner: support.Command) -> None:
    script = runner.script(FLAKY, "fetch.py")
    first = runner("--json-output", "run.json", script, 1)
    [line] = [line for line in first.err.splitlines() if line.startswith("  Where")]
    assert line.split(None, 1)[1].startswith("fetch.py:5, in fetch · network: the other side did not answer")
    report = json.loads((runner.cwd / "run.json").read_text())["failure"]
    assert (report["class"], report["place"]) == ("network", "fetch.py:5, in fetch")
    assert (report["count"], report["runs"]) == (0, 0)
    runner("--quiet", "-c", "pass")
    again = runner(script, 22)
    assert "fetch.py:5, in fetch · 1 x in the 1 run before · network: " in again.err
    fine = runner(runner.script("print(1)", "fine.py"))
    assert "Where" not in fine.err


def test_errors_are_grouped_whatever_figures_are_in_them(runner: support.Command) -> None:
    script = runner.script(FLAKY, "fetch.py")
    for number in (1, 2, 30):
        runner(script, number)
    runner("-c", "open('/none')")
    rows = json.loads(runner("errors", "--format", "json").out)["errors"]
    assert [(row["count"], row["class"], row["error_type"]) for row in rows] == [
        (1, "data", "FileNotFoundError"), (3, "network", "ConnectionError"),
    ]  # fmt: skip
    assert rows[1]["message"] == "ConnectionError: server 30 did not answer" and len(rows[1]["runs"]) == 3
    table = runner("errors", "fetch.py").out.splitlines()
    assert len(table) == 2 and table[1].endswith("ConnectionError: server 30 did not answer (fetch.py:5, in fetch)")
    assert runner("errors", "--format", "csv").out.count("\n") == 3
    none = runner("errors", "other.py").out
    assert none.startswith("no run failed of other.py in the last 30 days; there are runs of: ")
    with api.HistoryManager(runner.cwd / "script_runner_history.db") as history:
        assert [row["count"] for row in api.LogAnalyzer(history).errors()] == [1, 3]


def test_patterns_show_what_is_new_in_the_output(runner: support.Command) -> None:
    script = runner.script("""
        import sys
        print("loaded", sys.argv[1], "rows")
        if sys.argv[1] == "3":
            print("WARNING odd")
        """)
    for number in (1, 2, 3):
        runner(script, number)
    rows = json.loads(runner("errors", script, "--patterns", "--format", "json").out)["patterns"]
    assert [(row["template"], row["runs"], row["first_number"], row["level"]) for row in rows] == [
        ("WARNING odd", 1, 3, "warning"), ("loaded <*> rows", 3, 1, ""),
    ]  # fmt: skip
    assert "run 3 of 3" in runner("errors", script, "--patterns").out
    refused = runner("errors", "--patterns")
    assert refused.exit_code == 2 and "--patterns needs a SCRIPT" in refused.err


def test_a_text_can_be_analyzed_alone() -> None:
    found = api.LogAnalyzer.analyze("WARNING x\nTraceback (most recent call last):\nMemoryError\n")
    assert (found["class"], found["levels"]) == ("memory", {"warning": 1})
    assert found["faults"][0]["type"] == "MemoryError" and found["meaning"]
    assert api.LogAnalyzer.analyze("all is well\n")["class"] == "other"


def test_errors_of_other_languages_are_told_by_what_they_printed(runner: support.Command) -> None:
    script = runner.script("""
        import sys
        sys.stderr.write("Exception in thread \\"main\\" java.lang.OutOfMemoryError: heap\\n\\tat a.B.c(B.java:12)\\n")
        sys.exit(1)
    """)
    told = runner(script).err
    assert "  Where    B.java:12 · memory: " in told
    [row] = json.loads(runner("errors", "--format", "json").out)["errors"]
    assert (row["class"], row["place"]) == ("memory", "B.java:12")
    handled = runner.script("""
        import sys, traceback
        try:
            {}["x"]
        except KeyError:
            traceback.print_exc()
        sys.exit(3)
    """)
    runner(handled)
    assert [row["place"] for row in json.loads(runner("errors", "--format", "json").out)["errors"]] == ["", "B.java:12"]


def rows_of(runner: support.Command) -> list[tuple[str, int, str, str]]:
    rows = json.loads(runner("errors", "--format", "json").out)["errors"]
    return [(row["message"], row["count"], row["class"], row["place"]) for row in rows]


def test_programs_that_end_with_a_code_are_grouped_by_what_they_said(runner: support.Command) -> None:
    path = runner.script("echo $1 is not here >&2\nexit 1\n", "job.sh")
    for what in ("file 1", "file 2", "server"):
        runner("--", "sh", path, what)
    assert [row[:2] for row in rows_of(runner)] == [
        ("last line: server is not here", 1), ("last line: file 2 is not here", 2),
    ]  # fmt: skip


def test_errors_of_node_are_told_apart(runner: support.Command) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    runner.script("if (process.argv[2] == 1)\n  throw new Error('boom')\nrequire('nope')\n", "job.js")
    assert "  Error    Error: boom\n" in runner("--", "node", "job.js", 1).err
    told = runner("--", "node", "job.js", 2).err
    assert "  Error    Error: Cannot find module 'nope'\n" in told
    assert "  Where    job.js:3:1 · never in the 1 run before · dependency: " in told
    assert "job.js:2:9 · 1 x in the 2 runs before" in runner("--", "node", "job.js", 1).err
    assert rows_of(runner) == [
        ("Error: boom", 2, "other", "job.js:2:9"),
        ("Error: Cannot find module 'nope'", 1, "dependency", "job.js:3:1"),
    ]


def test_what_an_exit_was_given_is_the_error(runner: support.Command) -> None:
    script = runner.script("import sys\nprint('begun')\nsys.exit('config file missing: /etc/x.ini')\n")
    assert "  Error    config file missing: /etc/x.ini\n" in runner(script).err
    assert "  Before   1 x in the 1 run before\n" in runner(script).err
    report = runner("--json-output", "-", "--quiet", script, env={"X": "1"})
    assert json.loads(report.out.partition("begun\n")[2])["error_type"] == "exit:1"


def test_an_error_while_compiling_has_its_place(runner: support.Command) -> None:
    told = runner(runner.script("a = 1\nb = ]\n", "syn.py")).err
    assert "  Where    syn.py:2 · syntax: " in told


def test_the_errors_of_children_are_told(runner: support.Command) -> None:
    script = runner.script("""
        import multiprocessing, sys
        def work(number):
            raise ValueError(f"bad row {number}")
        if __name__ == "__main__":
            for number in range(3):
                child = multiprocessing.Process(target=work, args=(number,))
                child.start()
                child.join()
            sys.exit(2)
        """, "many.py")  # fmt: skip
    told = runner(script).err
    assert "  Error    ValueError: bad row 2\n" in told
    assert "  Where    many.py:4, in work · data: " in told


def test_a_crash_is_told_from_a_kill(runner: support.Command) -> None:
    crash = runner.script("import ctypes\ndef f():\n    ctypes.string_at(0)\nf()\n", "crash.py")
    told = runner(crash)
    assert told.exit_code == -11
    assert "  Error    killed by SIGSEGV\n  Kind     crash: native code crashed" in told.err
    seen = runner(crash, env={"PYTHONFAULTHANDLER": "1"}).err
    assert "  Error    killed by SIGSEGV: Fatal Python error: Segmentation fault\n" in seen
    assert "  Where    crash.py:3, in f · never in the 1 run before · crash: " in seen
    killed = runner("-c", "import os; os.kill(os.getpid(), 9)").err
    assert "  Error    killed by SIGKILL\n  Kind     killed: somebody or something ended it" in killed


def test_messages_of_databases_tell_what_is_wrong(runner: support.Command) -> None:
    script = runner.script("""
        import sqlite3, sys
        first = sqlite3.connect("x.db", isolation_level=None)
        if sys.argv[1] == "table":
            first.execute("select * from t")
        first.execute("begin exclusive")
        sqlite3.connect("x.db", timeout=0.01).execute("create table u(x)")
        """)
    for what in ("table", "lock"):
        runner(script, what)
    assert [row[2] for row in rows_of(runner)] == ["timeout", "data"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups")
def test_a_group_is_judged_by_its_members(runner: support.Command) -> None:
    script = runner.script('raise ExceptionGroup("g", [ValueError("x"), OSError(28, "No space left on device")])\n')
    assert " · disk: the disk or a quota is full" in runner(script).err
