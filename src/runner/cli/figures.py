"""Shows every figure of one or several attempts, in groups, each with how it is known."""

from __future__ import annotations

from runner.cli.output import BOLD, DIM
from runner.model import metrics as m
from runner.model.groups import groups
from runner.model.metric import BOUND, CEILING, SAMPLED
from runner.model.units import format_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.cli.output import Screen
    from runner.model.metric import Metric
    from runner.model.run import Attempt

#: How figures that are not exact are marked, with and without characters beyond ASCII, and what the mark means.
_MARKS = {SAMPLED: ("~", "~", "sampled"), BOUND: ("≥", ">=", "at least"), CEILING: ("≤", "<=", "at most")}
_GAP = 4  # columns between two columns of groups


def figure_lines(
    screen: Screen, attempts: Sequence[Attempt], extra: Mapping[str, float], width: int
) -> list[str]:
    """Return the figures of attempts as lines: beside one another, as far as there is room, else below.

    Args:
        screen: What can be shown.
        attempts: The attempts.
        extra: Metrics of other names.
        width: Columns there are.
    """
    cells = {(attempt.number, metric.name): _cell(screen, attempt, metric) for attempt in attempts
             for metric in m.METRICS}  # fmt: skip
    cell = max(map(len, cells.values()))
    numbered = len(attempts) > 1 or attempts[0].number > 1
    if numbered:
        cell = max(cell, len(f"attempt {attempts[-1].number}"))
    beside = max(1, min(len(attempts), (width - _NAME) // (cell + 1)))
    lines: list[str] = []
    for start in range(0, len(attempts), beside):
        part = attempts[start : start + beside]
        over = "".join(f" {f'attempt {attempt.number}':>{cell}}" for attempt in part) if numbered else ""
        blocks = [_group(screen, title, over, group, part, cells, cell) for title, group in groups()]
        if start + beside >= len(attempts) and extra:
            title = "Other metrics"
            blocks.append([(screen.paint(title, BOLD), len(title)), *(_extra(*each, cell) for each in extra.items())])
        lines += _laid_out(screen, [block for block in blocks if block], width)
    kinds = {kind for attempt in attempts for kind in attempt.kinds.values()}
    marks = [f"{_mark(kind, screen)} {_MARKS[kind][2]}" for kind in _MARKS if kind in kinds]
    return [*lines, screen.paint("  " + "   ".join(marks), DIM)] if marks else lines


def _mark(kind: str, screen: Screen) -> str:
    return _MARKS[kind][0 if screen.unicode else 1]


def _cell(screen: Screen, attempt: Attempt, metric: Metric) -> str:
    value = attempt.metrics.get(metric.name)
    if value is None:
        return "-"
    kind = attempt.kinds.get(metric.name, "")
    text = format_value(value, metric.unit)
    return f"{_mark(kind, screen)} {text}" if kind in _MARKS else text


_NAME = max(len(metric.name) for metric in m.METRICS)


def _group(
    screen: Screen,
    title: str,
    over: str,
    group: Sequence[Metric],
    attempts: Sequence[Attempt],
    cells: Mapping[tuple[int, str], str],
    cell: int,
) -> list[tuple[str, int]]:
    """Return the lines of a group, each with the columns it takes; none where nothing of it was measured."""
    known = [metric for metric in group if any(cells[each.number, metric.name] != "-" for each in attempts)]
    if not known:
        return []
    head = f"{title:<{_NAME}}{over}".rstrip()
    lines = [(screen.paint(head, BOLD), len(head))]
    for metric in known:
        row = "".join(f" {cells[attempt.number, metric.name]:>{cell}}" for attempt in attempts)
        lines.append((screen.paint(f"{metric.name:<{_NAME}}", DIM) + row, _NAME + len(row)))
    return lines


def _extra(name: str, value: float, cell: int) -> tuple[str, int]:
    from runner.cli.columns import columns, cut, pad
    from runner.cli.output import printable

    text = f"{pad(cut(printable(name), _NAME), _NAME)} {value:>{cell},.6g}"
    return text, columns(text)


def _laid_out(screen: Screen, blocks: Sequence[list[tuple[str, int]]], width: int) -> list[str]:
    """Return blocks below one another, or in two columns of about the same height where there is room."""
    wide = max((columns for block in blocks for _, columns in block), default=0)
    if 2 + 2 * wide + _GAP > width:
        indent = "  " if wide + 2 <= width else ""
        return [line for block in blocks for line in [*(indent + text for text, _ in block), ""]]
    sides: list[list[tuple[str, int]]] = [[], []]
    half = sum(len(block) + 1 for block in blocks) / 2
    for block in blocks:
        side = sides[0] if len(sides[0]) + len(block) / 2 < half and not sides[1] else sides[1]
        side += [*block, ("", 0)]
    lines = []
    for at in range(max(map(len, sides))):
        left, columns = sides[0][at] if at < len(sides[0]) else ("", 0)
        right, _ = sides[1][at] if at < len(sides[1]) else ("", 0)
        lines.append(f"  {left}{' ' * (wide - columns + _GAP)}{right}" if right else f"  {left}".rstrip())
    return lines
