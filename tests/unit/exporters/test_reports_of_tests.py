"""JUnit and TAP: what became of the script and of each gate, in the words of the format."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from runner.agent.events import CANCELLED, EXITED, FAILED_TO_START, LOST, SKIPPED, TIMEOUT
from runner.exporters.cases import ERROR, FAILURE, PASS, SKIP, Suite
from runner.exporters.junit import GITLAB, junit_xml
from runner.exporters.tap import tap_text
from runner.model.judgement import Change, GateResult, Judgement
from runner.model.metrics import CPU_MAX, EXECUTION_TIME
from runner.model.run import Attempt, Run, Tail
from tests.unit.stores.made import START, run_of

FAILED_GATE = GateResult(CPU_MAX.name, "cpu_max:<=90", 95.0, 90.0, False, "cpu_max 95 % (at most 90 %)")
SKIPPED_GATE = GateResult(CPU_MAX.name, "cpu_max:+10%", 95.0, None, True, "cpu_max 95 %", "no baseline yet")
UNMEASURED = GateResult(CPU_MAX.name, "cpu_max:<=90", None, 90.0, False, "cpu_max was not measured", "not measured")


def finished(reason: str = EXITED, code: int | None = 0, error: str = "", **output: bytes) -> Run:
    run = run_of(1)
    attempt = Attempt(1, START)
    attempt.ended, attempt.reason, attempt.exit_code = START + 10**9, reason, code
    attempt.error_type, attempt.error_message = (error.partition(":")[0] or None), (error or None)
    attempt.metrics = {EXECUTION_TIME.name: 1.25}
    attempt.output = {name: Tail(data, b"", len(data), data.count(b"\n")) for name, data in output.items()}
    run.attempts = [attempt]
    return run


def cases(data: bytes) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(data).iter("testcase"))


@pytest.mark.parametrize(
    ("reason", "code", "state"),
    [(EXITED, 0, PASS), (EXITED, 1, FAILURE), (TIMEOUT, 124, FAILURE), (FAILED_TO_START, 127, ERROR),
     (LOST, None, ERROR), (CANCELLED, 143, ERROR), (SKIPPED, 0, SKIP)],
)  # fmt: skip
def test_every_end_of_a_script_has_its_state(reason: str, code: int | None, state: str) -> None:
    assert Suite(finished(reason, code)).cases[0].state == state


def test_junit_of_a_failure_has_type_message_and_the_end_of_the_output() -> None:
    run = finished(code=1, error="ValueError: no", stdout=b"begun\n", stderr=b"Traceback\nValueError: no\n")
    (case,) = cases(junit_xml(run))
    failure = case.find("failure")
    assert failure is not None and failure.text is not None
    assert failure.attrib == {"type": "ValueError", "message": "ValueError: no"}
    assert failure.text.endswith("stderr:\nTraceback\nValueError: no")
    assert (case.findtext("system-out"), case.findtext("system-err")) == ("begun", "Traceback\nValueError: no")
    assert case.attrib == {"name": "train.py", "classname": "jobs.train", "time": "1.250"}


def test_a_script_that_tells_its_failure_on_standard_output_is_quoted_too() -> None:
    failure = cases(junit_xml(finished(code=1, error="exit:1", stdout=b"make: *** [all] Error 1\n")))[0].find("failure")
    assert failure is not None and "make: ***" in str(failure.text)


def test_junit_of_gates() -> None:
    _, failed, skipped, unmeasured = cases(junit_xml(finished(), [FAILED_GATE, SKIPPED_GATE, UNMEASURED]))
    assert failed.attrib["name"] == "cpu_max:<=90"
    assert failed.find("failure").attrib == {"type": "gate", "message": "cpu_max 95 % (at most 90 %)"}  # type: ignore[union-attr]
    assert "allowed: 90 percent" in str(failed.findtext("failure"))
    assert skipped.find("skipped").attrib["message"] == "no baseline yet"  # type: ignore[union-attr]
    assert unmeasured.attrib["name"] == "cpu_max:<=90 (2)"
    assert "not measured" in unmeasured.find("failure").attrib["message"]  # type: ignore[union-attr]


def test_what_got_worse_without_a_gate_is_a_failed_case() -> None:
    change = Change(EXECUTION_TIME.name, 1.25, 1.0, 0.2, 0.3, "worse", 20)
    _, case = cases(junit_xml(finished(), Judgement([], [change], [], [EXECUTION_TIME.name])))
    message = case.find("failure").attrib["message"]  # type: ignore[union-attr]
    assert message == "execution_time_seconds got worse: 1.25 s, 1.00 s in the baseline (+25 %)"


def test_attempts_before_the_last_are_told_as_flaky_or_rerun() -> None:
    run = finished()
    early = finished(code=1, error="OSError: busy").last
    run.attempts.insert(0, early)
    run.last.number = 2
    (case,) = cases(junit_xml(run))
    flaky = case.find("flakyFailure")
    assert flaky is not None and flaky.attrib == {"type": "OSError", "message": "OSError: busy"}
    run.last.exit_code, run.last.error_message = 1, "OSError: busy"
    (case,) = cases(junit_xml(run))
    assert case.find("rerunFailure") is not None and case.find("failure") is not None


def test_only_the_dialect_of_gitlab_has_files() -> None:
    assert "file" not in cases(junit_xml(finished()))[0].attrib
    inside = junit_xml(finished(), dialect=GITLAB, root="/srv/app")
    assert cases(inside)[0].attrib["file"] == "jobs/train.py"
    outside = junit_xml(finished(), dialect=GITLAB, root="/elsewhere")
    assert cases(outside)[0].attrib["file"] == "/srv/app/jobs/train.py"
    code = finished()
    code.script_path = code.script_key = "-c"
    assert "file" not in cases(junit_xml(code, dialect=GITLAB))[0].attrib


def test_figures_of_the_python_api_make_the_same_reports() -> None:
    metrics = {"success": False, "exit_code": 3, "error_message": "exit code 3", "stdout": None, CPU_MAX.name: 95.0,
               "start_time": "2026-01-31T12:00:00+00:00", EXECUTION_TIME.name: 2.5}  # fmt: skip
    data = junit_xml(metrics, [FAILED_GATE], name="nightly")
    suite = ElementTree.fromstring(data).find("testsuite")
    assert suite is not None
    assert {name: suite.attrib[name] for name in ("name", "tests", "failures", "time", "timestamp")} == {
        "name": "nightly", "tests": "2", "failures": "2", "time": "2.500", "timestamp": "2026-01-31T12:00:00+00:00",
    }  # fmt: skip
    values = {each.attrib["name"]: each.attrib["value"] for each in suite.iter("property")}
    assert values[CPU_MAX.name] == "95.0" and "stdout" not in values
    assert tap_text(metrics, [FAILED_GATE], name="nightly").split("\n")[:3] == [
        "TAP version 14", "1..2", "not ok 1 - nightly",
    ]  # fmt: skip
    assert "ok 1 - script\n" in tap_text({"exit_code": 0})
    for unknown in (float("nan"), 10**400):
        assert "duration_ms" not in tap_text({EXECUTION_TIME.name: unknown})
        assert b"<testsuite " in junit_xml({EXECUTION_TIME.name: unknown})


def test_tap_escapes_what_would_be_a_directive() -> None:
    run = finished()
    run.name = "a # SKIP b \\ c"
    assert "ok 1 - a \\# SKIP b \\\\ c\n" in tap_text(run)
    text = tap_text(finished(), [SKIPPED_GATE])
    assert "ok 2 - cpu_max:+10% # SKIP no baseline yet\n" in text


def test_tap_tells_notices_as_comments_and_failures_in_yaml() -> None:
    run = finished(code=1, error='ValueError: a "b" \\', stderr=b"  indented: first\n\n...\nlast\n")
    text = tap_text(run, Judgement([FAILED_GATE], [], ["first run:\n1..7"]))
    assert "\n# first run: 1..7\n" in text
    assert '  message: "ValueError: a \\"b\\" \\\\"\n  severity: fail\n' in text
    assert "  stderr: |\n    [...]\n      indented: first\n    \n    ...\n    last\n  ...\n" in text
    assert text.endswith('  found: "95 percent"\n  allowed: "90 percent"\n  ...\n')
