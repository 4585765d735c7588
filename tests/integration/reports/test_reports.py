"""Reports of real runs, read by what reads them elsewhere: prove, a browser, the files and streams of a CI step."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import junitparser
import pytest
import xmlschema

from runner.engine.curves import run_chart
from runner.exporters.html_report import html_report
from runner.model.judgement import WORSE, Change, GateResult, Judgement
from runner.model.metrics import EXECUTION_TIME
from tests.contract.test_reports import read_outputs
from tests.support import ROOT, require
from tests.unit.stores.made import whole

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = r"""
import sys
print("::error::of the script itself ]]> <script>document.title='ran'</script>")
sys.stderr.buffer.write(b"\xff\x00\x1b[31m ]]> @octocat `x` ##[error]no\n")
sys.stderr.flush()
if len(sys.argv) > 1:
    raise ValueError("::error::not mine\n::set-output name=x::y %0A")
"""


def prove(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    require("prove")
    words = ["prove", "-v", *options, str(path)]
    return subprocess.run(words, capture_output=True, encoding="utf-8", errors="replace", timeout=60)


#: A report of version 14 as a reader that knows 13 takes it, and one that says 13 as it is.
READINGS = [((), ("--exec", "sed 1s/14/13/")), (("--tap-version", "13"), ())]


@pytest.mark.parametrize(("version", "read"), READINGS)
def test_prove_reads_a_passing_and_a_failing_file(runner, version, read):
    script = runner.script(HOSTILE)
    gates = ("--add-gate", "execution_time_seconds:600", "--add-gate", "memory_max_mb:+10%")
    assert runner("--tap-output", "good.tap", *version, *gates, script).exit_code == 0
    good = prove(runner.cwd / "good.tap", *read)
    assert (good.returncode, "Result: PASS" in good.stdout) == (0, True)
    assert "ok 3 - memory_max_mb:+10% # SKIP " in good.stdout  # nothing to compare with yet
    gates = ("--add-gate", "memory_max_mb:0.001", "--add-gate", "execution_time_seconds:600")
    assert runner("--tap-output", "bad.tap", *version, *gates, script).exit_code == 3
    bad = prove(runner.cwd / "bad.tap", *read)
    assert "Failed 1/3 subtests" in bad.stdout
    assert runner("--tap-output", "worse.tap", *version, *gates, script, "fail").exit_code == 1
    worse = prove(runner.cwd / "worse.tap", *read)
    assert "Failed 2/3 subtests" in worse.stdout or "Failed 3/3 subtests" in worse.stdout
    assert "Parse errors" not in good.stdout + bad.stdout + worse.stdout


def test_a_report_says_that_it_is_of_version_14(runner):
    script = runner.script(HOSTILE)
    runner("--tap-output", "r.tap", script, "fail")
    assert (runner.cwd / "r.tap").read_text().startswith("TAP version 14\n1..1\nnot ok 1 - script.py\n")


def test_junit_of_a_real_run_keeps_to_the_schema(runner):
    script = runner.script(HOSTILE, "jobs/load.py")
    result = runner("--junit-output", "r.xml", "--add-gate", "cpu_max:<=100000", script, "fail")
    assert result.exit_code == 1
    data = (runner.cwd / "r.xml").read_bytes()
    xmlschema.XMLSchema(str(ROOT / "tests" / "data" / "junit-10.xsd")).validate(str(runner.cwd / "r.xml"))
    (suite,) = junitparser.JUnitXml.fromstring(data)
    case, *gates = suite
    assert (case.name, case.classname, len(gates)) == ("load.py", "jobs.load", 1)
    assert case.result[0].type == "ValueError"
    assert "\\xff\\x00 ]]> @octocat" in case.system_err
    runner("--junit-output", "lab.xml", "--junit-dialect", "GitLab", script, env={"CI_PROJECT_DIR": str(runner.cwd)})
    assert ElementTree.parse(runner.cwd / "lab.xml").find(".//testcase").get("file") == "jobs/load.py"


@pytest.fixture
def actions(runner):
    """Return the files of a step, after telling the command that it is one."""
    files = {"GITHUB_STEP_SUMMARY": runner.cwd / "summary.md", "GITHUB_OUTPUT": runner.cwd / "outputs"}
    for path in files.values():
        path.write_text("before\n" if path.suffix else "before=1\n")
    runner.env.update(GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(runner.cwd), **{k: str(v) for k, v in files.items()})
    return files


def commands_of(stream: str) -> list[str]:
    return [line for line in stream.split("\n") if line.startswith("::")]


def test_github_actions_is_told_of_a_failure(runner, actions):
    script = runner.script(HOSTILE)
    result = runner("--add-gate", "memory_max_mb:0.001", script, "fail")
    assert result.exit_code == 1
    assert result.out == "::error::of the script itself ]]> <script>document.title='ran'</script>\n"  # nothing of ours
    ours = [command for command in commands_of(result.err) if "title=" in command]
    assert ours[0].startswith("::error file=script.py,line=7,title=script.py failed::ValueError: ::error::not mine")
    assert ours[1].startswith("::error title=script.py%3A memory_max_mb%3A0.001::")
    # The traceback is the script's own, with all that is in it.
    assert len(commands_of(result.err)) == len(ours) + 1
    summary = actions["GITHUB_STEP_SUMMARY"].read_text()
    assert summary.startswith("before\n<!-- runner: script.py -->\n")
    assert "| ❌ | `memory_max_mb:0.001` |" in summary
    values = read_outputs(actions["GITHUB_OUTPUT"].read_text())
    assert (values["before"], values["passed"], values["exit_code"], values["gates_failed"]) == ("1", "false", "1", "1")
    assert float(values["execution_time_seconds"]) > 0


def test_github_actions_is_told_of_success_and_only_where_that_is_wanted(runner, actions):
    script = runner.script("print('fine')\n")
    result = runner("--quiet", script)
    assert (result.exit_code, result.out, result.err) == (0, "fine\n", "")
    assert read_outputs(actions["GITHUB_OUTPUT"].read_text())["passed"] == "true"
    before = {path: path.read_text() for path in actions.values()}
    runner("--no-github", script)
    runner(script, env={"GITHUB_ACTIONS": ""})
    runner("--show-history")
    assert {path: path.read_text() for path in actions.values()} == before


def test_several_reports_at_once_and_one_that_fails_late(runner):
    script = runner.script("import shutil; shutil.rmtree('gone'); print('out')\n")
    (runner.cwd / "gone").mkdir()
    flags = ("junit", "tap", "html", "markdown", "gitlab-metrics")
    files = ("gone/r.xml", "r.tap", "r.html", "r.md", "r.txt")
    asked = [word for flag, file in zip(flags, files, strict=True) for word in (f"--{flag}-output", file)]
    result = runner("--quiet", *asked, "--json-output", "-", script)
    assert result.exit_code == 0
    assert "gone/r.xml was not written" in result.err
    first, _, rest = result.out.partition("\n")
    assert (first, json.loads(rest)["exit_code"]) == ("out", 0)
    assert all((runner.cwd / name).stat().st_size for name in files[1:])


def test_a_fault_of_ours_in_one_report_touches_nothing_else(runner):
    script = runner.script("raise SystemExit(4)\n")
    code = (
        "import sys\nfrom runner.exporters.junit import JunitReport\nJunitReport.render = lambda *parts: 1 / 0\n"
        "from runner.cli.main import main\nsys.exit(main())"
    )
    line = ("--junit-output", "r.xml", "--tap-output", "r.tap", script)
    done = subprocess.run([sys.executable, "-c", code, *line], cwd=runner.cwd, env=runner.env, capture_output=True,
                          text=True, timeout=60)  # fmt: skip
    assert (done.returncode, "a report was not written (JunitReport): ZeroDivisionError" in done.stderr) == (4, True)
    assert not (runner.cwd / "r.xml").exists()
    assert (runner.cwd / "r.tap").read_text().startswith("TAP version 14\n")


def test_a_report_on_standard_output_begins_a_line(runner):
    script = runner.script("import sys; sys.stdout.write(sys.argv[1])\n")
    for written in ("no end", "end\\n", ""):
        result = runner("--quiet", "--tap-output", "-", script, written.encode().decode("unicode_escape"))
        lines = result.out.split("\n")
        assert lines[bool(written)] == "TAP version 14"


def test_a_secret_on_the_line_is_in_no_report(runner, actions):
    script = runner.script("import sys; raise ValueError(len(sys.argv))\n")
    names = [f"r.{kind}" for kind in ("junit", "tap", "html", "markdown", "json")]
    asked = [word for name in names for word in (f"--{name[2:]}-output", name)]
    result = runner(*asked, script, "--password", "hunter2hunter2", "--api-key=abcdef123456")
    written = result.err + "".join(
        path.read_text() for path in [*(runner.cwd / name for name in names), *actions.values()]
    )
    assert "ValueError: 4" in written
    assert "hunter2" not in written and "abcdef123456" not in written


def test_a_spec_flag_counts_after_the_script_and_others_are_the_scripts(runner):
    script = runner.script("import sys; print(sys.argv[1:])\n")
    result = runner("--quiet", script, "--junit-output", "r.xml", "--html-output", "r.html")
    assert result.out == "['--html-output', 'r.html']\n"
    assert (runner.cwd / "r.xml").exists() and not (runner.cwd / "r.html").exists()


@pytest.mark.parametrize("flag", ["--junit-output", "--tap-output", "--html-output", "--markdown-output"])
def test_a_path_that_cannot_work_stops_everything_before_the_start(runner, flag):
    script = runner.script("open('ran', 'w')")
    for path in (".", "no/such/file"):
        result = runner(flag, path, script)
        assert (result.exit_code, result.err.count("\n")) == (2, 1)
        assert flag in result.err
    assert not (runner.cwd / "ran").exists()


def test_reports_of_a_script_that_cannot_start_are_written_too(runner):
    result = runner("--junit-output", "r.xml", "--tap-output", "r.tap", "--html-output", "r.html", "nope.py")
    assert result.exit_code == 127
    assert ElementTree.parse(runner.cwd / "r.xml").find(".//testcase/error") is not None
    assert "not ok 1 - nope.py" in (runner.cwd / "r.tap").read_text()
    assert "was not started (exit code 127)" in (runner.cwd / "r.html").read_text()


def test_a_browser_shows_the_page_and_runs_nothing_of_the_script(runner, tmp_path):
    script = runner.script(f"{HOSTILE}import time\ntime.sleep(0.5)\n")  # for a curve
    runner("--html-output", "r.html", "--add-gate", "memory_max_mb:0.001", script)
    shown = browse(runner, tmp_path, "--virtual-time-budget=1000", "--dump-dom", "r.html")
    assert "<title>script.py: succeeded in" in shown
    assert "memory_max_mb:0.001" in shown
    assert 'class="rc-cross"' in shown  # our own script has run
    assert "&lt;script&gt;document.title" in shown


def browse(runner, tmp_path: Path, *words: str) -> str:
    """Return what a browser writes of a page, which is the last word."""
    line = [require("chromium"), "--headless=new", "--no-sandbox", "--disable-gpu",
            f"--user-data-dir={tmp_path / 'profile'}", *words[:-1], f"file://{runner.cwd / words[-1]}"]  # fmt: skip
    return subprocess.run(line, capture_output=True, text=True, timeout=100, check=True,
                          env={**runner.env, "HOME": str(tmp_path)}).stdout  # fmt: skip


def page_of_a_regression(gates: int) -> str:
    """Return the page of a run that failed a gate and got worse, with curves."""
    run = whole(1)
    text = "2.54 s (at most 840 ms, the larger of 10 % and 500 ms above 340 ms, median of 11 runs)"
    results = [GateResult(EXECUTION_TIME.name, "execution_time_seconds:+10%&>0.5s", 2.54, 0.84, False, text)] * gates
    return html_report(run, Judgement(results, [Change(EXECUTION_TIME.name, 2.54, 0.34, 6.4, 6.5, WORSE, 11)]),
                       run_chart(run))  # fmt: skip


#: Puts the width of a telephone around a page, and into its title what lies beyond that and how high rows are.
MEASURE = """<script>
document.body.style.width = '380px';
const cells = [...document.querySelectorAll('.rows td, .rows th')].filter(cell => cell.offsetWidth);
const cut = cell => cell.getBoundingClientRect().right > 380 || cell.scrollWidth > cell.clientWidth + 1;
const beyond = cells.filter(cut);
const heights = [...document.querySelectorAll('.rows tr')].map(row => row.offsetHeight);
document.title = JSON.stringify([cells.length, beyond.map(cell => cell.textContent), Math.max(...heights)]);
</script>"""


def test_on_a_narrow_screen_nothing_of_a_table_lies_beyond_the_edge(runner, tmp_path):
    (runner.cwd / "r.html").write_text(page_of_a_regression(2).replace("</body>", f"{MEASURE}</body>"))
    shown = browse(runner, tmp_path, "--window-size=500,900", "--virtual-time-budget=1000", "--dump-dom", "r.html")
    cells, beyond, highest = json.loads(shown.partition("<title>")[2].partition("</title>")[0])
    assert cells >= 2 * 3 + 6 + 4  # gates, the figure that is compared, the head above it
    assert beyond == []
    assert highest < 120


def test_on_paper_a_page_ends_between_two_curves(runner, tmp_path):
    require("pdftotext")
    page = html_report(whole(1), None, run_chart(whole(1)))
    small = "<style>@page{size:20cm 13cm;margin:1cm}</style></head>"
    (runner.cwd / "r.html").write_text(page.replace("</head>", small))
    browse(runner, tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={runner.cwd / 'r.pdf'}", "r.html")
    told = subprocess.run(["pdftotext", "r.pdf", "-"], cwd=runner.cwd, capture_output=True, text=True, check=True)
    first, second, *_ = told.stdout.split("\f")
    assert "Curves" in first and "CPU\n" in first and "Memory\n" not in first
    assert "Memory\n" in second and "20 samples" in second
