"""Shows below the summary of a run what was judged of it: gates, and figures beside those of the baseline."""

from __future__ import annotations

from runner.cli.columns import columns, pad, wrap
from runner.cli.output import DIM, GREEN, RED, YELLOW
from runner.cli.usual_row import CALLED
from runner.model.judgement import BETTER, SAME, UNSURE, WORSE
from runner.model.metrics import BY_NAME
from runner.model.units import format_change, format_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.cli.output import Screen
    from runner.engine.run_options import ShowOptions
    from runner.model.judgement import Change, GateResult, Judgement

_STYLES = {WORSE: RED, BETTER: GREEN, UNSURE: YELLOW, SAME: DIM}

#: Columns taken by the label of a row, and by the verdict on a gate.
_LABEL, _VERDICT = 11, 8
#: Room for a text below which it is not broken into lines.
_LEAST = 24
#: Columns of the table, and those that a narrow terminal can do without, in that order.
_COLUMNS = ("", "now", "baseline", "change", "interval", "verdict")
_DISPENSABLE = ("interval", "baseline", "now")


def show_judgement(screen: Screen, judgement: Judgement, show: ShowOptions) -> None:
    """Say what was judged of a run; where little is to be said, only what fails it."""
    if show.quiet or show.log_level in ("WARNING", "ERROR"):
        lines = [f"{screen.paint('runner:', RED)} {screen.plain(text)}" for text in _failures(judgement)]
    else:
        lines = judgement_lines(screen, judgement)
    screen.write("".join(line + "\n" for line in lines))


def _failures(judgement: Judgement) -> list[str]:
    failed = [f"gate FAILED: {result.text}" for result in judgement.gates if not result.passed]
    changes = {change.metric: change for change in judgement.changes}
    worse = [
        f"regression FAILED: {name} got worse than the baseline by more than chance"
        + (f" ({format_change(changes[name].relative)})" if name in changes else "")
        for name in judgement.regressed
    ]
    return failed + worse


def judgement_lines(screen: Screen, judgement: Judgement) -> list[str]:
    """Return the lines that show a judgement, without newlines."""
    lines = [line for at, result in enumerate(judgement.gates) for line in _gate(screen, result, not at)]
    lines += _table(screen, judgement.changes)
    for text in [f"{name} got worse by more than chance, which fails the run" for name in judgement.regressed]:
        lines += _texts(screen, "Failed", text, RED)
    for notice in judgement.notices:
        lines += _texts(screen, "Note", notice, DIM)
    return lines


def _gate(screen: Screen, result: GateResult, first: bool) -> list[str]:
    word, style = ("passed", GREEN) if result.passed else ("FAILED", RED)
    begin = _label(screen, "Gates" if first else "", DIM) + screen.paint(word, style)
    return _wrapped(screen, begin, " " * (_VERDICT - len(word)), result.text, _LABEL + _VERDICT)


def _texts(screen: Screen, label: str, text: str, style: str) -> list[str]:
    return _wrapped(screen, _label(screen, label, style), "", text, _LABEL)


def _label(screen: Screen, label: str, style: str) -> str:
    return f"  {screen.paint(pad(label, _LABEL - 3), style)} "


def _wrapped(screen: Screen, begin: str, gap: str, text: str, taken: int) -> list[str]:
    """Return a text behind what it begins with, its lines one below the other; below that where there is no room."""
    room = screen.width - taken if screen.width else 0
    if room >= _LEAST or not screen.width:
        parts = wrap(screen.plain(text), room) if room else [screen.plain(text)]
        return [begin + gap + parts[0], *(" " * taken + part for part in parts[1:])]
    indent = 4
    parts = wrap(screen.plain(text), max(2, screen.width - indent))
    return [begin, *(" " * indent + part for part in parts)]


def _table(screen: Screen, changes: Sequence[Change]) -> list[str]:
    if not changes:
        return []
    rows = [dict(zip(_COLUMNS, _cells(change), strict=True)) for change in changes]
    rows.insert(0, {name: name for name in _COLUMNS})
    names = list(_COLUMNS)
    widths = {name: max(columns(row[name]) for row in rows) for name in names}
    for name in _DISPENSABLE:
        if not screen.width or _LABEL + sum(widths[each] + 2 for each in names) - 2 <= screen.width:
            break
        names.remove(name)
    others = sum(widths[name] + 2 for name in names[1:])
    roomy = not screen.width or _LABEL + widths[""] + others <= screen.width
    indent = _LABEL if roomy else 2
    if not roomy:  # below the label instead of beside it
        widths[""] = max(1, min(widths[""], screen.width - indent - others))
    lines = [] if roomy else [_label(screen, "Compared", DIM).rstrip()]
    for at, row in enumerate(rows):
        _, *middle, last = (screen.plain(row[name]) for name in names)
        cells = [pad(screen.fit(row[""], screen.width - widths[""]) if screen.width else row[""], widths[""])]
        cells += [" " * (widths[name] - columns(cell)) + cell for name, cell in zip(names[1:], middle, strict=False)]
        style = _STYLES[changes[at - 1].verdict] if at else DIM
        begin = " " * indent if at or not roomy else _label(screen, "Compared", DIM)
        text = "  ".join(cells) + "  "
        lines.append(begin + (text + screen.paint(last, style) if at else screen.paint(text + last, style)))
    return lines


def _cells(change: Change) -> tuple[str, ...]:
    unit = BY_NAME[change.metric].unit
    interval = "" if change.lower is None else f"{format_change(change.lower)} to {format_change(change.upper)}"
    return (
        CALLED.get(change.metric, change.metric),
        format_value(change.value, unit),
        format_value(change.baseline, unit),
        format_change(change.relative),
        interval,
        change.verdict,
    )
