"""``runner compare``: two runs side by side, or one beside what is usual."""

from __future__ import annotations

from runner.cli.columns import columns, pad, wrap
from runner.cli.drawing import check_place, draw_file, show_chart
from runner.cli.output import BOLD, DIM, YELLOW, Screen
from runner.cli.remembered import take_in
from runner.cli.tables import write_json, write_rows
from runner.cli.usual_row import CALLED, span
from runner.engine.comparison import compare_runs, compare_with_typical
from runner.engine.find_run import find_run
from runner.engine.history import HistoryManager
from runner.engine.history_dicts import as_dict
from runner.engine.query_options import TERMINAL
from runner.engine.usual import left_out, name_left_out
from runner.model.errors import UsageError
from runner.model.metric import BOUND, CEILING
from runner.model.path_lists import list_change
from runner.model.run import iso
from runner.model.units import format_value
from runner.model.usual import HIGHER, LOWER, UNKNOWN
from runner.model.verdict import status_word
from runner.stores.base import SHORT_ID, script_label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO

    from runner.engine.compare_options import CompareOptions
    from runner.engine.comparison import Difference, Figure, RunComparison
    from runner.engine.query_options import QueryOptions
    from runner.engine.run_options import RecordOptions
    from runner.model.metric import Metric
    from runner.model.run import Run
    from runner.model.usual import Place

_INDENT = "  "
#: Columns below which a figure takes two lines.
_NARROW = 72
#: Columns that names of facts are given at most.
_LABEL = 24
#: Columns of CSV; those of the second line are empty where two runs are compared.
_CSV = ("metric", "unit", "base", "value", "difference", "relative", "usual_difference", "verdict",
        "low", "median", "high", "count", "percentile")  # fmt: skip


def compare(options: CompareOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Compare a run with another, or with what is usual."""
    check_place(options.plot)
    with HistoryManager(record.history_db) as history:
        take_in(history)
        first = find_run(history, options.run)
        if options.other:
            second = find_run(history, options.other)
            if second.id == first.id:
                raise UsageError(f"{options.run} and {options.other} are the same run, {first.id}")
            found: RunComparison | None = compare_runs(history, first, second)
        else:
            found = compare_with_typical(history, first)
            if found is None:
                return _nothing(first, left_out(history, first), query, out)
    assert found is not None
    told = draw_file(found.chart, options.plot) if options.plot not in ("", TERMINAL) else ""
    if query.format == "json":
        write_json(out, _as_json(found, bool(options.other)))
    elif query.format == "csv":
        write_rows(out, "csv", _CSV, [figure.to_dict() for figure in found.figures])
    else:
        screen = Screen(1)
        lines = [*_headline(found, screen), "", *_figures(found, screen), *_facts(found, screen)]
        out.writelines(line.rstrip() + "\n" for line in lines)
        out.write(told)  # beside JSON or CSV nothing else is printed
        if not told and found.chart.panels:
            out.write("\n")
            show_chart(found.chart, out)
    return 0


def _nothing(run: Run, others: Mapping[str, int], query: QueryOptions, out: TextIO) -> int:
    told = f"no earlier run of {script_label(run)} can be compared with run {run.id}"
    if query.format == "json":
        write_json(out, {"status": "no_data", "run": as_dict(run), "left_out": dict(others)})
    elif query.format == "csv":
        write_rows(out, "csv", _CSV, [])
    else:
        screen = Screen(1)
        text = screen.plain("; ".join(filter(None, [told, name_left_out(others)])))
        out.writelines(f"{line}\n" for line in (wrap(text, screen.width) if screen.width else [text]))
    return 0


def _as_json(found: RunComparison, two: bool) -> dict[str, object]:
    return {
        "status": "ok",
        "run": as_dict(found.run),
        "base": as_dict(found.base),
        "against": "run" if two else "usual",
        "runs": found.count,
        "figures": [figure.to_dict() for figure in found.figures],
        "differences": [difference.to_dict() for difference in found.differences],
        "causes": [cause.to_dict() for cause in found.causes],
        "notes": found.notes,
    }


def _headline(found: RunComparison, screen: Screen) -> list[str]:
    if _is_usual(found):
        count = f"the last {found.count} runs" if found.count > 1 else "the only run"
        return [*_named(found.run, "", screen), screen.fit(f"compared with {count} like it")]
    return [*_named(found.run, "", screen), *_named(found.base, "compared with ", screen)]


def _is_usual(found: RunComparison) -> bool:
    return any(figure.place is not None for figure in found.figures)


def _named(run: Run, before: str, screen: Screen) -> list[str]:
    last = run.last
    ended = "succeeded" if last.success else status_word(last)
    facts = f"run {run.id}, {iso(run.started)[:19].replace('T', ' ')}, {ended}"
    name = screen.plain(before + " ".join([script_label(run), *run.args])[:200])
    if not screen.width or columns(name) + 2 + columns(facts) <= screen.width:
        return [f"{screen.paint(name, BOLD)}  {screen.plain(facts)}"]
    return [screen.paint(screen.fit(name), BOLD), screen.fit(_INDENT + facts)]


def _figures(found: RunComparison, screen: Screen) -> list[str]:
    """Return the table of figures: a line each, or two where the lines are too short."""
    usual = _is_usual(found)
    head = [
        "",
        "USUAL" if usual else found.base.id[:SHORT_ID],
        "THIS RUN" if usual else found.run.id[:SHORT_ID],
        "DIFFERENCE",
        "" if usual else "USUALLY",
    ]
    rows = [_cells(figure, found, screen) for figure in found.figures]
    widths = [max(map(columns, column)) for column in zip(head, *rows, strict=True)]
    if screen.width and sum(widths) + 2 * (len(widths) - 1) > screen.width:
        if screen.width < _NARROW:
            return _stacked(found, rows, screen)
        head[4] = ""
        for figure, cells in zip(found.figures, rows, strict=True):
            cells[4] = "unusual" if _stands_out(figure) else ""
        widths[4] = len("unusual")
    lines = [screen.paint(_joined(head, widths), DIM)]
    for figure, cells in zip(found.figures, rows, strict=True):
        lines.append(screen.paint(_joined(cells, widths), YELLOW) if _stands_out(figure) else _joined(cells, widths))
    return lines


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [" " * (width - columns(cell)) + cell for cell, width in zip(cells[1:3], widths[1:3], strict=True)]
    rest = [pad(cell, width) for cell, width in zip(cells[3:], widths[3:], strict=True)]
    return "  ".join([pad(cells[0], widths[0]), *padded, *rest]).rstrip()


def _stacked(found: RunComparison, rows: Sequence[Sequence[str]], screen: Screen) -> list[str]:
    lines = []
    for figure, (name, base, value, difference, verdict) in zip(found.figures, rows, strict=True):
        head = screen.fit(name)
        lines.append(screen.paint(head, YELLOW) if _stands_out(figure) else head)
        told = "; ".join(
            filter(None, [f"{value}, {'usually ' if figure.place else 'was '}{base}", difference, verdict])
        )
        lines += [_INDENT + part for part in wrap(told, max(10, screen.width - len(_INDENT)))]
    return lines


def _stands_out(figure: Figure) -> bool:
    return figure.verdict in (HIGHER, LOWER)


def _cells(figure: Figure, found: RunComparison, screen: Screen) -> list[str]:
    metric = figure.metric
    if figure.place is None:
        base = _value(figure.base, figure, found.base)
    else:
        base = span(metric, figure.place.usual, screen.unicode) if figure.base is not None else "not measured then"
    return [
        _label(figure),
        base,
        _value(figure.value, figure, found.run),
        _difference(figure),
        _verdict(figure, screen),
    ]


def _label(figure: Figure) -> str:
    name = figure.metric.name.removeprefix("num_")
    for ending in ("_seconds", "_mb", "_bytes"):
        name = name.removesuffix(ending)
    for part, word in (("_", " "), ("context ", ""), ("cpu", "CPU"), ("io ", "I/O ")):
        name = name.replace(part, word)
    return CALLED.get(figure.metric.name, name)


def _value(value: float | None, figure: Figure, run: Run) -> str:
    if value is None:
        return "not measured"
    sign = {BOUND: ">= ", CEILING: "<= "}.get(run.last.kinds.get(figure.metric.name, ""), "")
    return sign + format_value(value, figure.metric.unit)


def _difference(figure: Figure) -> str:
    metric = figure.metric
    if figure.base is None or figure.value is None:
        return ""
    base = round(figure.base) if metric.type is int else figure.base  # a median may lie between two counts
    change = figure.value - base
    if not change:
        return "the same"
    sign = "+" if change > 0 else "-"
    text = sign + _amount(abs(change), metric)
    if metric.unit == "percent" or base <= 0 or abs(change) < 0.005 * base:
        return text
    return (
        f"{text}, x {figure.value / base:.3g}" if figure.value >= 2 * base else f"{text}, {100 * change / base:+.0f} %"
    )


def _amount(difference: float, metric: Metric) -> str:
    """Return the size of a difference; what is a percentage itself differs by points."""
    text = format_value(difference, metric.unit)
    return text.replace("%", "points") if metric.unit == "percent" else text


def _verdict(figure: Figure, screen: Screen) -> str:
    if figure.place is not None:
        return _standing(figure.place)
    if figure.usually is None or figure.difference is None:
        return ""
    usually = ("\N{PLUS-MINUS SIGN}" if screen.unicode else "+-") + _amount(figure.usually, figure.metric)
    return f"unusual, {usually}" if _stands_out(figure) else usually


def _standing(place: Place) -> str:
    usual = place.usual
    if place.value is None or place.verdict == UNKNOWN:
        return ""
    if usual.low <= place.value <= usual.high:
        return "usual"
    side, others = ("above", place.below) if place.value > usual.high else ("below", place.above)
    text = f"{side} all" if others == usual.count else f"{side} {others} of {usual.count}"
    return f"unusual, {text}" if place.stands_out else text


def _facts(found: RunComparison, screen: Screen) -> list[str]:
    lines = []
    if found.causes:
        explained = any(_stands_out(figure) for figure in found.figures)
        lines += ["", screen.paint("What may explain it" if explained else "What is not as usual", DIM)]
        lines += _hanging("", [("likely: " if cause.likely else "") + cause.text for cause in found.causes], screen)
    if found.differences and not _is_usual(found):
        lines += ["", screen.paint("What differs", DIM)]
        width = min(_LABEL, max(columns(difference.what) for difference in found.differences))
        for difference in found.differences:
            lines += _hanging(pad(screen.plain(difference.what), width), [_change(difference)], screen)
    if found.notes:
        lines += ["", screen.paint("Note", DIM), *_hanging("", found.notes, screen)]
    return lines


def _change(difference: Difference) -> str:
    if difference.what.startswith("variable ") and difference.base and difference.value:
        change = list_change(difference.base, difference.value)
        if change:
            return change
    unknown = "none" if " " in difference.what and difference.what.split()[0] in ("package", "variable", "tag") else ""
    before, after = (
        value or (unknown or ("not recorded" if value is None else "none"))
        for value in (difference.base, difference.value)
    )
    return f"{before} -> {after}"


def _hanging(label: str, texts: Sequence[str], screen: Screen) -> list[str]:
    begin = f"{label}  " if label else ""
    room = screen.width - len(_INDENT) - 2 if screen.width else 0
    lines = []
    for text in texts:
        whole = begin + screen.plain(text[:2000])
        parts = wrap(whole, max(10, room)) if room and columns(whole) > room else [whole]
        lines += [_INDENT + parts[0], *(_INDENT * 2 + part for part in parts[1:])]
    return lines
