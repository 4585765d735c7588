"""What the reports for people say of a run, in rows: how it ended, its gates, and how it compares."""

from __future__ import annotations

from runner.agent.events import FAILED_TO_START, SKIPPED
from runner.exporters.plain import one_line
from runner.model import metrics as m
from runner.model.run import iso
from runner.model.units import format_bytes, format_change, format_count
from runner.model.usual import HIGHER, LOWER
from runner.model.verdict import figure, value_text, verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.model.judgement import Change, GateResult, Judgement
    from runner.model.run import Run

PASSED, FAILED, SKIPPED_GATE = "passed", "failed", "skipped"

_NONE = "-"


def good(run: Run, judgement: Judgement | None) -> bool:
    """Whether the run passes: the script succeeded or was skipped, and nothing that was judged failed."""
    return (run.last.success or run.last.reason == SKIPPED) and (judgement is None or judgement.passed)


def headline(run: Run, judgement: Judgement | None) -> str:
    """Return how the run ended; where the script succeeded and the run fails all the same, what failed it."""
    ending = "was skipped" if run.last.reason == SKIPPED else verdict(run.last)
    if judgement is None or judgement.passed or not run.last.success:
        return ending
    count, failed, worse = len(judgement.gates), sum(not gate.passed for gate in judgement.gates), judgement.regressed
    parts = []
    if failed:
        parts.append("its gate failed" if count == 1 else f"{failed} of {count} gates failed")
    if worse:
        parts.append(f"{one_line(worse[0])} got worse" if len(worse) == 1 else f"{len(worse)} figures got worse")
    return f"{ending}, but {' and '.join(parts)}"


def failure_note(run: Run) -> str:
    """Return where in the code a run failed and what such an error usually means, "" where neither is known."""
    found = run.failure
    return "" if found is None else one_line(" · ".join(part for part in (found.place, found.meaning) if part))


def cost(run: Run) -> list[str]:
    """Return what the run cost, in a few words each."""
    last = run.last
    if last.reason in (FAILED_TO_START, SKIPPED):
        return []
    parts = [f"CPU {figure(last, m.CPU_TIME)}", f"peak memory {figure(last, m.MEMORY_MAX)}"]
    if len(run.attempts) > 1:
        parts.append(f"{len(run.attempts)} attempts")
    return parts


def gate_rows(gates: Sequence[GateResult]) -> list[tuple[str, str, str]]:
    """Return for each gate its state, the gate, and what was found and allowed; those that failed first."""
    return [
        (SKIPPED_GATE if gate.skipped else PASSED if gate.passed else FAILED, one_line(gate.gate, 200), _result(gate))
        for gate in sorted(gates, key=lambda gate: (gate.passed, gate.skipped))
    ]


def _result(gate: GateResult) -> str:
    """Return what a gate says without the name of the metric, which the gate itself begins with."""
    text = gate.text.removeprefix(gate.metric).strip(" :")
    return one_line(text if gate.note in text else f"{text}: {gate.note}")


def change_rows(changes: Sequence[Change]) -> list[tuple[str, str, str, str, str, str]]:
    """Return for each figure its name, its baseline, the figure, the change, the interval of it, and the verdict."""
    return [
        (one_line(change.metric), value_text(change.metric, change.baseline), value_text(change.metric, change.value),
         format_change(change.relative), interval(change), change.verdict)
        for change in changes
    ]  # fmt: skip


def interval(change: Change) -> str:
    """Return the interval of a change in words."""
    if change.lower is None or change.upper is None:
        return _NONE
    return f"{format_change(change.lower)} to {format_change(change.upper)}"


def usual_rows(run: Run) -> list[tuple[str, str, str, str]]:
    """Return for each figure that was compared with earlier runs: its name, what is usual, the figure, its place."""
    if run.usual is None or not run.usual.enough:
        return []
    rows = []
    for name, place in run.usual.places.items():
        if place.value is None or not place.usual.enough:
            continue
        low, high = value_text(name, place.usual.low), value_text(name, place.usual.high)
        usual = low if low == high else f"{low} to {high}"
        standing = {HIGHER: "unusually high", LOWER: "unusually low"}.get(place.verdict, "usual")
        rows.append((name, usual, value_text(name, place.value), standing))
    return rows


def facts(run: Run) -> list[tuple[str, str]]:
    """Return what the run was and where it took place, each fact with its name."""
    host = run.host
    machine = [
        str(host.get("hostname") or ""),
        f"{host['cores']} core{'s' * (host['cores'] != 1)}" if host.get("cores") else "",
        format_bytes(host["memory_bytes"]) if host.get("memory_bytes") else "",
        str(host.get("kernel") or ""),
    ]
    dirty = " with changes" if run.git_dirty else ""
    started = iso(run.started)
    rows = [
        ("Run", run.id),
        ("Script", run.script_key),
        ("Arguments", " ".join(run.args)),
        ("Directory", run.cwd),
        ("Started", f"{started[:19].replace('T', ' ')} {started[26:]}"),
        ("Host", " · ".join(part for part in machine if part)),
        ("User", run.user),
        ("Python", run.python_version or ""),
        ("Commit", f"{run.git_commit}{dirty}" if run.git_commit else ""),
        ("Load", "" if run.load is None else f"{run.load:.2f} at the start"),
        ("Input", "" if run.input_bytes is None else format_bytes(run.input_bytes)),
        ("Packages", format_count(len(run.packages)) if run.packages else ""),
        ("Tags", ", ".join(f"{name}={value}" for name, value in run.tags.items())),
        ("Runner", run.runner_version),
    ]
    return [(label, one_line(text, 2000)) for label, text in rows if text]
