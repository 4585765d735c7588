"""What a report of tests says of a run: the script is one test case, every gate another."""

from __future__ import annotations

import os

from runner.agent.events import CANCELLED, FAILED_TO_START, LOST, SKIPPED
from runner.exporters.plain import one_line, output_text, streams
from runner.exporters.telling import failure_note
from runner.model.judgement import GateResult, Judgement
from runner.model.metric import is_figure
from runner.model.metrics import BY_NAME, EXECUTION_TIME
from runner.model.run import Run, iso, label_of
from runner.model.units import format_change
from runner.model.verdict import value_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TypeAlias

    from runner.model.judgement import Change

    #: What reports are made of: a run, or its figures as the Python API hands them out.
    Measured: TypeAlias = Run | Mapping[str, Any]
    Judged: TypeAlias = Judgement | Sequence[GateResult] | None

# What became of a case. An error is a case that could not be judged: the script did not run, or not to its end.
PASS, FAILURE, ERROR, SKIP = "pass", "failure", "error", "skip"

_ERRORS = (FAILED_TO_START, LOST, CANCELLED)

#: Output in the text of a failure: what a reader looks at first.
_FAILURE_BYTES, _FAILURE_LINES = 16 << 10, 100


class Case:
    """One test case.

    Attributes:
        name: Its name, no other case's.
        state: `PASS`, `FAILURE`, `ERROR` or `SKIP`.
        type: Class of the failure: an exception, ``gate``, ``regression``; "" for none.
        message: One line: why it did not pass; "" where it did without more to say.
        details: More of it, each with a name.
    """

    __slots__ = ("details", "message", "name", "state", "type")

    def __init__(
        self, name: str, state: str, type: str = "", message: str = "", details: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.state = state
        self.type = type
        self.message = message
        self.details = dict(details or {})


class Suite:
    """All cases of a run, the script's own first.

    Attributes:
        name: What people call the script.
        path: The script as it was given, "" for code on the line.
        file: Its file, absolute, "" for none.
        started: When, ISO 8601; "" where that is not known.
        seconds: Wall time; None where that is not known.
        host: Where, or "".
        properties: Facts and figures by name.
        cases: The cases.
    """

    __slots__ = ("cases", "file", "host", "name", "path", "properties", "seconds", "started")

    name: str
    path: str
    file: str
    started: str
    seconds: float | None
    host: str
    properties: dict[str, str]
    cases: list[Case]

    def __init__(self, measured: Measured, judged: Judged = None, name: str = "") -> None:
        if isinstance(measured, Run):
            self._take_run(measured)
        else:
            self._take_metrics(measured)
        self.name = one_line(name or self.name, 200)
        judgement = judged if isinstance(judged, Judgement) else Judgement(judged or ())
        self.cases[0].name = self.name
        for result in judgement.gates:
            self._add(gate_case(result))
        changes = {change.metric: change for change in judgement.changes}
        for metric in judgement.regressed:
            self._add(_regression_case(metric, changes.get(metric)))

    def count(self, state: str) -> int:
        """Return how many cases are in a state."""
        return sum(case.state == state for case in self.cases)

    def _add(self, case: Case) -> None:
        """Add a case under a name that no other has: readers drop the second of a name."""
        taken = {each.name for each in self.cases}
        name, number = case.name, 1
        while case.name in taken:
            number += 1
            case.name = f"{name} ({number})"
        self.cases.append(case)

    def _take_run(self, run: Run) -> None:
        last = run.last
        self.name = label_of(run.name, run.script_path)
        self.file = run.script_key if os.path.isabs(run.script_key) else ""
        self.path = run.script_path if self.file else ""
        self.started = iso(run.last.started)
        self.seconds = last.metrics.get(EXECUTION_TIME.name)
        self.host = one_line(str(run.host.get("hostname") or ""))
        self.properties = _properties(run)
        self.cases = [_script_case(run)]

    def _take_metrics(self, metrics: Mapping[str, Any]) -> None:
        path = str(metrics.get("script_path") or "")
        self.name = label_of(str(metrics.get("name") or ""), path) or "script"
        self.path, self.file, self.host = path, "", ""
        self.started = str(metrics.get("start_time") or "")
        seconds = metrics.get(EXECUTION_TIME.name)
        self.seconds = float(seconds) if is_figure(seconds) else None
        self.properties = {
            one_line(str(key)): one_line(str(value))
            for key, value in metrics.items()
            if isinstance(value, str | int | float) and value != ""
        }
        good = bool(metrics.get("success", metrics.get("exit_code", 0) == 0))
        message = str(metrics.get("error_message") or f"exit code {metrics.get('exit_code')}")
        kind = str(metrics.get("error_type") or "failed")
        self.cases = [Case("", PASS) if good else Case("", FAILURE, kind, one_line(message))]


def _properties(run: Run) -> dict[str, str]:
    facts: dict[str, object] = {
        "run_id": run.id,
        "script": run.script_key,
        "arguments": " ".join(run.args),
        "reason": run.last.reason,
        "exit_code": run.last.exit_code,
        "signal": run.last.signal,
        "attempts": len(run.attempts),
        "host": run.host.get("hostname"),
        "kernel": run.host.get("kernel"),
        "cores": run.host.get("cores"),
        "python_version": run.python_version,
        "git_commit": run.git_commit,
        "git_dirty": None if run.git_dirty is None else str(run.git_dirty).lower(),
        "user": run.user,
        "runner_version": run.runner_version,
        **{f"tag.{name}": value for name, value in run.tags.items()},
        **run.last.metrics,
        **run.extra,
    }
    return {one_line(name): one_line(str(value), 2000) for name, value in facts.items() if value not in (None, "")}


def _script_case(run: Run) -> Case:
    last = run.last
    if last.reason == SKIPPED:
        return Case("", SKIP, SKIPPED, one_line(last.error_message or "skipped"))
    if last.success:
        return Case("", PASS)
    state = ERROR if last.reason in _ERRORS else FAILURE
    # What went wrong is told on standard error; scripts of other languages often tell it on standard output.
    told = streams(last)[-1:]
    note = failure_note(run)
    details = {"where": note} if note else {}
    details.update({name: output_text(kept, _FAILURE_BYTES, _FAILURE_LINES) for name, kept in told})
    kind = one_line(last.error_type or last.reason, 200)
    return Case("", state, kind, one_line(last.error_message or last.reason, 2000), details)


def gate_case(result: GateResult) -> Case:
    """Return the test case of a gate."""
    name = one_line(result.gate or result.metric, 200)
    text = one_line(result.text or result.note or name, 2000)
    note = one_line(result.note)
    said = f"{text} ({note})" if note and note not in text else text
    if result.skipped:
        return Case(name, SKIP, "gate", note or text)
    details = {"metric": one_line(result.metric)}
    for label, value in (("found", result.value), ("allowed", result.limit)):
        if value is not None:
            details[label] = _exact(result.metric, value)
    return Case(name, PASS if result.passed else FAILURE, "gate", said, details)


def _regression_case(metric: str, change: Change | None) -> Case:
    details = {"metric": metric}
    message = f"{metric} got worse"
    if change is not None:
        details["found"], details["baseline"] = value_text(metric, change.value), value_text(metric, change.baseline)
        share = "" if change.relative is None else f" ({format_change(change.relative)})"
        message += f": {details['found']}, {details['baseline']} in the baseline{share}"
    return Case(f"{metric} against the baseline", FAILURE, "regression", message, details)


def _exact(metric: str, value: float) -> str:
    """Return a value to the digit that may have decided, with the unit of the catalog."""
    known = BY_NAME.get(metric)
    return f"{value:.7g}" if known is None else f"{value:.7g} {known.unit}"
