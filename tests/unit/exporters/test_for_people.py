"""Markdown, HTML, GitHub and GitLab: what people are told of a run, and what none of it may do."""

from __future__ import annotations

import re

import pytest

from runner.engine.curves import run_chart
from runner.exporters.files import ReportError
from runner.exporters.github import MOST_SUMMARY, GithubReport, annotation_commands, command
from runner.exporters.gitlab import gitlab_metrics
from runner.exporters.html_report import html_report
from runner.exporters.markdown import code, markdown
from runner.exporters.telling import gate_rows, headline
from runner.model.judgement import SAME, UNSURE, WORSE, Change, GateResult, Judgement
from runner.model.metrics import CPU_MAX, EXECUTION_TIME, MEMORY_MAX
from runner.model.run import Tail
from tests.unit.stores.made import whole


def gate(passed: bool, value: float | None = 95.0, note: str = "") -> GateResult:
    return GateResult(CPU_MAX.name, "cpu_max:<=90", value, 90.0, passed, "cpu_max 95 % (at most 90 %)", note)


def failed_run(error: str = "ValueError: no"):
    run = whole(1)
    run.last.exit_code, run.last.error_type, run.last.error_message = 1, "ValueError", error
    return run


def test_the_headline_says_what_failed_the_run() -> None:
    run = whole(1)
    assert headline(run, None).startswith("succeeded in ")
    assert headline(run, Judgement([gate(True)])) == headline(run, None)
    judgement = Judgement([gate(True), gate(False)], [], [], [MEMORY_MAX.name])
    assert headline(run, judgement).endswith(", but 1 of 2 gates failed and memory_max_mb got worse")
    assert headline(run, Judgement([gate(False)], [], [], ["a", "b"])).endswith(
        ", but its gate failed and 2 figures got worse"
    )
    assert headline(failed_run(), judgement).endswith("(exit code 1)")


def test_what_a_gate_says_is_told_once() -> None:
    sure, unsure = gate(False), gate(True, note="unsure: by chance alone a run may reach 99 %")
    bare = GateResult(CPU_MAX.name, "cpu_max:+10%", None, None, True, "cpu_max: nothing yet", "nothing yet")
    assert gate_rows([unsure, bare, sure]) == [
        ("failed", "cpu_max:<=90", "95 % (at most 90 %)"),
        ("passed", "cpu_max:<=90", "95 % (at most 90 %): unsure: by chance alone a run may reach 99 %"),
        ("skipped", "cpu_max:+10%", "nothing yet"),
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cpu_max:<=90 @me", "`cpu_max:<=90 @me`"),
        ("a|b", "<code>a&#124;b</code>"),
        ("a`b @me www.x.y", "<code>a&#96;b &#64;me www&#46;x.y</code>"),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_texts_stand_in_code(text: str, shown: str) -> None:
    assert code(text) == shown


def test_failed_gates_and_worse_figures_come_first() -> None:
    changes = [Change(EXECUTION_TIME.name, 1.0, 1.0, -0.1, 0.1, SAME, 9),
               Change(MEMORY_MAX.name, 2.0, 1.0, None, None, UNSURE, 1),
               Change(CPU_MAX.name, 2.0, 1.0, 0.8, 1.2, WORSE, 9)]  # fmt: skip
    text = markdown(whole(1), Judgement([gate(True), gate(False)], changes, ["no baseline yet"]))
    assert text.index("| ❌ |") < text.index("| ✅ |")
    assert text.index("`cpu_max` |") < text.index("`memory_max_mb` |") < text.index("`execution_time_seconds` |")
    assert "| +100 % | +80 % to +120 % | 🔴 worse |" in text
    assert "> `no baseline yet`" in text


def test_a_fence_is_longer_than_any_in_the_output() -> None:
    run = whole(1)
    run.last.output = {"stdout": Tail(b"````\n</details>\n", b"", 16, 2)}
    assert "\n`````text\n````\n</details>\n`````\n" in markdown(run)


def test_the_page_draws_intervals_and_the_limits_of_gates() -> None:
    changes = [Change(EXECUTION_TIME.name, 1.0, 1.0, -0.1, 0.1, SAME, 9)]
    run = whole(1)
    page = html_report(run, Judgement([gate(False, 95.0)], changes), run_chart(run))
    assert page.count('class="interval same"') == 1
    assert page.count("rc-limit") > page.split("</style>")[0].count("rc-limit")
    assert "1 of 1 failed" in page and "9 earlier runs" in page
    assert "train.py" in page.split("</title>")[0]


def test_a_change_beyond_the_scale_is_an_arrow() -> None:
    changes = [Change(EXECUTION_TIME.name, 1.0, 1.0, -0.1, 0.1, SAME, 9),
               Change(CPU_MAX.name, 9.0, 1.0, 7, 9, WORSE, 9)]  # fmt: skip
    text = html_report(whole(1), Judgement([], changes), run_chart(whole(1)))
    assert text.count('<circle class="point"') == 1
    assert text.count('<path class="point" d="M113.0 3l7.0 5l-7.0 5z"/>') == 1  # it ends where the drawing does
    down = [Change(CPU_MAX.name, -8.0, 1.0, -9.5, -8.5, WORSE, 9)]
    assert '<path class="point" d="M7.0 3l-7.0 5l7.0 5z"/>' in html_report(
        whole(1), Judgement([], down), run_chart(whole(1))
    )


def test_on_paper_each_panel_is_a_piece_and_nothing_is_lost_between_them() -> None:
    chart = run_chart(whole(1))
    paper = html_report(whole(1), None, chart).partition('<div class="paper"')[2].partition("</div>")[0]
    boxes = [tuple(map(float, box)) for box in re.findall(r'<svg viewBox="0 (\S+) 960 (\S+)">', paper)]
    assert len(boxes) == len(chart.panels) == paper.count('href="#whole"') + 1
    ends = [0.0, *(top + height for top, height in boxes)]
    assert [top for top, _ in boxes] == pytest.approx(ends[:-1], abs=0.11)
    assert f"--height:{ends[-1]:.0f}px" in paper


def test_one_sample_is_no_curve() -> None:
    for count, drawn in ((1, False), (2, True)):
        run = whole(1, count)
        text = html_report(run, None, run_chart(run))
        assert ("<h2>Curves</h2>" in text, "<script" in text) == (drawn, drawn)


def test_a_limit_far_above_does_not_flatten_the_curve() -> None:
    run = whole(1)
    gates = [GateResult(CPU_MAX.name, f"cpu_max:{limit}", 90.0, limit, True, "") for limit in (100.0, 9000.0)]
    page = html_report(run, Judgement(gates), run_chart(run))
    assert [f">cpu_max:{limit}</text>" in page for limit in (100.0, 9000.0)] == [True, False]


def test_commands_are_escaped_as_documented() -> None:
    assert command("error", {"title": "a:b,c%\n", "file": "x"}, "50 %: a,b\r\nc") == (
        "::error title=a%3Ab%2Cc%25%0A,file=x::50 %25: a,b%0D%0Ac"
    )
    assert command("notice", {}, "x") == "::notice::x"


def test_an_error_is_annotated_at_its_line_if_it_lies_in_the_checkout() -> None:
    run = failed_run()
    inside = annotation_commands(run, None, ("/srv/app/jobs/train.py", 7), "/srv/app")
    assert inside == ["::error file=jobs/train.py,line=7,title=train.py failed::ValueError: no"]
    outside = annotation_commands(run, None, ("/usr/lib/x.py", 7), "/srv/app")
    assert outside == ["::error title=train.py failed::ValueError: no"]
    assert annotation_commands(whole(1), Judgement([gate(True)]), None, "") == []


def test_more_annotations_than_a_step_may_have_are_counted() -> None:
    found = annotation_commands(whole(1), Judgement([gate(False)] * 25), None, "")
    assert len(found) == 10
    assert found[-1] == "::error::and 16 more: the summary of the step has them all"


def test_a_file_that_is_missing_keeps_no_other_from_being_written(tmp_path, capfd) -> None:
    environ = {"GITHUB_STEP_SUMMARY": str(tmp_path / "no" / "summary"), "GITHUB_OUTPUT": str(tmp_path / "outputs")}
    run = failed_run()
    run.last.output = {"stderr": Tail(b"no end", b"", 6, 0)}
    with pytest.raises(ReportError, match="no/summary: No such file"):
        GithubReport(environ, lambda run: None).write(run)
    assert "passed=false\n" in (tmp_path / "outputs").read_text()
    assert capfd.readouterr().err.startswith("\n::error ")  # the script had left its line open


@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("result=5", "result=5\n"), ("result=5\n", "result=5\n"), ("\n", "\n")]
)
def test_a_line_that_the_script_left_open_is_ended_first(before: str, after: str, tmp_path) -> None:
    environ = {name: str(tmp_path / name) for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
    for name in environ:
        (tmp_path / name).write_text(before)
    GithubReport(environ, lambda run: None).write(whole(1))
    assert (tmp_path / "GITHUB_OUTPUT").read_text().startswith(f"{after}run_id=")
    assert (tmp_path / "GITHUB_STEP_SUMMARY").read_text().startswith(f"{after}<!-- runner: ")


def test_a_summary_without_room_is_left_alone(tmp_path) -> None:
    summary = tmp_path / "summary"
    summary.write_bytes(b"x" * MOST_SUMMARY)
    with pytest.raises(ReportError, match="no room"):
        GithubReport({"GITHUB_STEP_SUMMARY": str(summary)}, lambda run: None).write(whole(1))
    assert summary.stat().st_size == MOST_SUMMARY


def test_gitlab_is_told_the_same_of_runs_that_differ_by_chance() -> None:
    one, other = whole(1), whole(1)
    other.id, other.started = "0" * 12, other.started + 10**12
    other.last.metrics = dict(one.last.metrics)
    one.last.metrics[EXECUTION_TIME.name], other.last.metrics[EXECUTION_TIME.name] = 1.231, 1.234
    assert gitlab_metrics(one) == gitlab_metrics(other)
    assert 'runner_execution_time_seconds{script="train.py"} 1.2\n' in gitlab_metrics(one)
    assert gitlab_metrics(one, Judgement([gate(False)])).endswith(
        'runner_gate_passed{script="train.py",gate="cpu_max:<=90"} 0\n# EOF\n'
    )
