"""Every report of a run can be read by those it is for, whatever the run was and whatever was judged of it."""

from __future__ import annotations

import html.parser
import io
import json
import math
import re
from typing import TYPE_CHECKING

import junitparser
import pytest
import xmlschema
import yaml
from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options as CmarkOptions
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from runner.agent.events import EXITED, FAILED_TO_START, LOST, SKIPPED
from runner.engine.curves import run_chart
from runner.exporters.github import annotation_commands, outputs
from runner.exporters.gitlab import gitlab_metrics
from runner.exporters.html_report import html_report
from runner.exporters.json_report import JsonReport
from runner.exporters.junit import GITLAB, junit_xml
from runner.exporters.markdown import markdown
from runner.exporters.tap import tap_text
from runner.model.judgement import BETTER, SAME, UNSURE, WORSE, Change, GateResult, Judgement
from runner.model.metrics import CPU_MAX, EXECUTION_TIME, MEMORY_MAX
from runner.model.run import Attempt, Tail
from tests.support import ROOT
from tests.unit.stores.made import START, run_of, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.model.run import Run

SCHEMA = xmlschema.XMLSchema(str(ROOT / "tests" / "data" / "junit-10.xsd"))

#: What a script can put into its name, its arguments, its error and its output.
EVIL = (
    "a ]]> b\x00\x01\x1b[31mred\x1b[0m <script>alert(1)</script> & \"'` | # SKIP \\ @octocat www.evil.example "
    "https://evil.example <img src=x> \n::error::mine\r\n...\n---\n  ...\n```\n~~~\n</details></pre>"
    "\u202e\ufffe\udcff\ud800 1..9\nok 3"
)  # fmt: skip
EVIL_BYTES = EVIL.encode("utf-8", "replace") + b"\xff\xfe\xc3(" + b"\x1b]0;title\x07" + bytes(range(32)) + b"\n"


def attempt(reason: str = EXITED, code: int | None = 0, out: bytes = b"", err: bytes = b"", number: int = 1) -> Attempt:
    made = Attempt(number, START)
    made.ended = None if reason == LOST else START + 10**9
    made.reason, made.exit_code = reason, code
    if code:
        made.error_type, made.error_message = "ValueError", f"ValueError: {EVIL}"
    for name, data in (("stdout", out), ("stderr", err)):
        made.output[name] = Tail(data, b"", len(data), data.count(b"\n"))
    return made


def run(*attempts: Attempt, **facts: object) -> Run:
    made = run_of(1, **facts)
    made.attempts = list(attempts)
    return made


def large() -> Run:
    made = whole(3)
    head, tail = b"x" * (8 << 20), b"no newline in ten million bytes " * 60_000
    made.last.output["stdout"] = Tail(head, tail, len(head) + len(tail) + 12345, 1)
    lines = b"".join(b"line %d \xe2\x82\xac\n" % number for number in range(300_000))
    made.last.output["stderr"] = Tail(b"", lines, len(lines) + 100, 300_005)
    return made


RUNS: dict[str, Callable[[], Run]] = {
    "plain": lambda: whole(1),
    "long": lambda: whole(2, 4000),
    "evil": lambda: run(
        attempt(code=1, out=EVIL_BYTES, err=EVIL_BYTES), script_path=f"jobs/{EVIL}.py", name=EVIL, args=[EVIL] * 3,
        tags={EVIL: EVIL}, extra={EVIL: 1.5}, user=EVIL, host={"hostname": EVIL, "cores": 1, "memory_bytes": 1},
    ),
    "large": large,
    "not started": lambda: run(attempt(FAILED_TO_START, 127)),
    "skipped": lambda: run(attempt(SKIPPED, 0)),
    "lost": lambda: run(attempt(LOST, None)),
    "retried": lambda: run(*(attempt(code=1, number=n, err=b"no\n") for n in (1, 2)), attempt(number=3, out=b"yes\n")),
    "no output": lambda: run(attempt()),
}  # fmt: skip


def gate(number: int) -> GateResult:
    """Return one of the gates that can be met: failed, passed, not measured, skipped, not a number."""
    kind = number % 5
    value = (95.5, 12.0, None, 1.0, math.nan)[kind]
    limit = (90.0, 90.0, 90.0, None, math.inf)[kind]
    note = ("", "", "it was not measured", "no baseline yet", f"not a number {EVIL}")[kind]
    passed = kind in (1, 3)
    return GateResult(CPU_MAX.name if kind else "of another name", f"cpu_max:<={number}", value, limit, passed,
                      f"cpu_max 95 % (at most 90 %) {EVIL if number % 2 else ''}", note)  # fmt: skip


CHANGES = [
    Change(EXECUTION_TIME.name, 1.5, 1.0, 0.4, 0.6, WORSE, 20),
    Change(CPU_MAX.name, 50.0, 0.0, None, None, UNSURE, 1),
    Change(MEMORY_MAX.name, 10.0, 20.0, -0.5, -0.4, BETTER, 20),
    Change(f"another {EVIL}", 1e300, 1e-300, -math.inf, math.inf, SAME, 3),
    Change("nothing", math.nan, 1.0, math.nan, math.nan, UNSURE, 3),
]

JUDGEMENTS: dict[str, Callable[[], Judgement | None]] = {
    "nothing judged": lambda: None,
    "no gates": Judgement,
    "100 gates": lambda: Judgement([gate(number) for number in range(100)], CHANGES, [EVIL] * 30, [MEMORY_MAX.name]),
    "one gate twice": lambda: Judgement([gate(1), gate(1)], [], ["first run: no baseline yet"]),
}

CASES = [pytest.param(RUNS[run], JUDGEMENTS[judged], id=f"{run}, {judged}") for run in RUNS for judged in JUDGEMENTS]
each_case = pytest.mark.parametrize(("make", "judge"), CASES)


def expected(run: Run, judgement: Judgement | None) -> tuple[int, int, int, int]:
    """Return how many tests there have to be, how many failed, how many could not run, and how many were skipped."""
    gates = [] if judgement is None else judgement.gates
    regressed = 0 if judgement is None else len(judgement.regressed)
    error = run.last.reason in (FAILED_TO_START, LOST)
    failed = not run.last.success and not error and run.last.reason != SKIPPED
    return (
        1 + len(gates) + regressed,
        failed + sum(not gate.passed for gate in gates) + regressed,
        int(error),
        (run.last.reason == SKIPPED) + sum(gate.passed and gate.limit is None for gate in gates),
    )


@each_case
def test_json(make, judge, tmp_path):
    run, judgement = make(), judge()
    JsonReport(str(tmp_path / "r.json")).write(run, judgement)
    data = json.loads((tmp_path / "r.json").read_bytes(), parse_constant=pytest.fail)
    assert ("judgement" in data) == (judgement is not None)


@each_case
def test_junit_keeps_to_the_schema_and_is_read_back(make, judge):
    run, judgement = make(), judge()
    data = junit_xml(run, judgement)
    SCHEMA.validate(io.BytesIO(data))
    tests, failures, errors, skipped = expected(run, judgement)
    (suite,) = junitparser.JUnitXml.fromstring(data)
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (tests, failures, errors, skipped)
    cases = list(suite)
    kinds = [type(result).__name__ for case in cases for result in case.result]
    assert [kinds.count(kind) for kind in ("Failure", "Error", "Skipped")] == [failures, errors, skipped]
    assert len({case.name for case in cases}) == tests
    assert len(data) < 4 << 20
    assert {"run_id", "reason"} <= {each.name for each in suite.properties()}


@each_case
def test_junit_for_gitlab_names_the_file_of_each_case(make, judge):
    run, judgement = make(), judge()
    (suite,) = junitparser.JUnitXml.fromstring(junit_xml(run, judgement, dialect=GITLAB, root="/srv/app"))
    files = {case._elem.get("file") for case in suite}
    assert files == {"jobs/train.py"}


@each_case
@pytest.mark.parametrize("version", ["13", "14"])
def test_tap(make, judge, version):
    run, judgement = make(), judge()
    text = tap_text(run, judgement, version=version)
    lines = text.split("\n")
    tests, failures, errors, skipped = expected(run, judgement)
    assert lines[:2] == [f"TAP version {version}", f"1..{tests}"]
    rest = re.sub(r"^  ---\n(.*?)^  \.\.\.\n", "", "\n".join(lines[2:]), flags=re.DOTALL | re.MULTILINE)
    points = [line for line in rest.split("\n") if line and not line.startswith("#")]
    assert [re.match(r"(?:not )?ok (\d+) - ", point)[1] for point in points] == [str(n) for n in range(1, tests + 1)]
    assert sum(point.startswith("not ok") for point in points) == failures + errors
    directives = [re.search(r"(?<!\\) # SKIP ", point) for point in points]
    assert sum(found is not None for found in directives) == skipped
    for block in re.findall(r"^  ---\n(.*?)^  \.\.\.\n", text, flags=re.DOTALL | re.MULTILINE):
        assert isinstance(yaml.safe_load(block), dict)


class Page(html.parser.HTMLParser):
    """What of a page matters here: elements, addresses, and text by the elements that it stands in."""

    VOID = ("meta", "br", "img", "rect", "path", "circle")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href", "action", "data")]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((tuple(self.open), data))


@each_case
def test_html_needs_nothing_else_and_runs_nothing_of_the_script(make, judge):
    run, judgement = make(), judge()
    chart = run_chart(run)
    text = html_report(run, judgement, chart)
    text.encode("utf-8")
    page = Page(text)
    assert not page.open
    assert set(page.addresses) <= {"#whole"}  # a part of the page itself
    assert page.elements.count("script") == (2 if chart.panels else 0)
    assert "img" not in page.elements
    assert not re.search(r"@import|url\((?!#)", text)
    assert len(text) < 4 << 20
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ufffe]", text)


@each_case
def test_markdown_stays_what_it_is_on_github(make, judge):
    run, judgement = make(), judge()
    text = markdown(run, judgement)
    assert len(text) < 60_000
    page = Page(github_flavored_markdown_to_html(text, options=CmarkOptions.CMARK_OPT_UNSAFE).replace("<!--", "<br>"))
    assert set(page.elements) <= {
        "h3", "p", "code", "pre", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "blockquote", "br",
        "ul", "li",
    }  # fmt: skip
    assert page.elements.count("details") == sum(kept.size > 0 for kept in run.last.output.values())
    for inside, told in page.texts:
        if "@octocat" in told or "evil.example" in told:
            assert {"code", "pre"} & set(inside)
    judged = [] if judgement is None else [*judgement.notices, *(gate.text + gate.note for gate in judgement.gates)]
    told = (run.name, run.last.error_message or "", *judged)
    assert ("@octocat" in text.replace("&#64;", "@")) == any(EVIL in part for part in told)
    rows = page.elements.count("tr")
    assert rows == 0 if judgement is None else rows >= min(40, len(judgement.gates))


@each_case
def test_gitlab_metrics(make, judge):
    run, judgement = make(), judge()
    families = {family.name: family for family in text_string_to_metric_families(gitlab_metrics(run, judgement))}
    assert families["runner_success"].samples[0].value == run.last.success
    assert "runner_last_run_timestamp_seconds" not in families
    if judgement is not None and judgement.gates:
        found = {sample.labels["gate"]: sample.value for sample in families["runner_gate_passed"].samples}
        assert found == {gate.gate: gate.passed for gate in judgement.gates}


@each_case
def test_commands_to_github_hold_no_more_than_one_line_each(make, judge):
    run, judgement = make(), judge()
    commands = annotation_commands(run, judgement, ("/srv/app/jobs/train.py", 7), "/srv/app")
    pattern = r"::(error|notice)(?: (?:file|line|title)=[^,:\r\n]*(?:,(?:line|title)=[^,:\r\n]*)*)?::[^\r\n]*"
    assert all(re.fullmatch(pattern, command) for command in commands)
    assert sum(command.startswith("::error") for command in commands) == min(10, sum(expected(run, judgement)[1:3]))
    assert sum(command.startswith("::notice") for command in commands) <= 10


@each_case
def test_output_variables_of_github_are_read_back(make, judge):
    run, judgement = make(), judge()
    values = read_outputs(outputs(run, judgement))
    assert values["run_id"] == run.id
    assert values["passed"] in ("true", "false")
    assert values["success"] == str(run.last.success).lower()
    assert values["error_message"].count("::error::") == (run.last.error_message or "").count("::error::")
    assert set(run.last.metrics) <= set(values)


def read_outputs(text: str) -> dict[str, str]:
    """Read a file of output variables as the runner of Actions does."""
    values: dict[str, str] = {}
    lines = iter(text.split("\n")[:-1])
    for line in lines:
        name, equals, value = line.partition("=")
        if "<<" in name:
            name, end = line.split("<<", 1)
            parts = []
            for part in lines:
                if part == end:
                    break
                parts.append(part)
            else:
                raise AssertionError(f"{name}: no end {end}")
            value = "\n".join(parts)
        assert (equals or "<<" in line) and name not in values
        values[name] = value
    return values
