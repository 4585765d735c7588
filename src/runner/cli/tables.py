"""Writes rows as a table for people, as JSON, or as CSV."""

from __future__ import annotations

import os

from runner.agent.events import dumps
from runner.model.errors import RunnerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TextIO

    Paint = Callable[[str, int, str], str]

#: Columns that the last column of a table is given at least; others are left out for it.
_NARROW = 10

#: Names in objects as JSON has them: the same ones come again and again.
_names: dict[str, str] = {}


def standard_output() -> TextIO:
    """Return standard output for an answer; what its encoding lacks, such as a name that is no UTF-8, is escaped.

    Raises:
        RunnerError: It is closed.
    """
    import sys
    from io import TextIOWrapper

    if sys.stdout is None:
        raise RunnerError("standard output is closed: there is nowhere to write the answer to")
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")
    return sys.stdout


def write_json(out: TextIO, answer: object) -> None:
    """Write an answer as JSON, in ASCII: it passes through whatever reads it."""
    parts: list[str] = []
    _indent(answer, "\n", parts)
    parts.append("\n")
    out.write("".join(parts))


def _indent(value: object, newline: str, parts: list[str]) -> None:
    """Add what ``json.dumps(value, indent=2)`` returns, without the import of json."""
    inner = newline + "  "
    between = inner
    if isinstance(value, dict) and value:
        parts.append("{")
        for key, each in value.items():
            name = key if isinstance(key, str) else dumps(key)
            text = _names.get(name)
            if text is None:
                text = _names[name] = f"{dumps(name)}: "
            parts.append(between + text)
            _indent(each, inner, parts)
            between = "," + inner
        parts.append(newline + "}")
    elif isinstance(value, (list, tuple)) and value:
        parts.append("[")
        for each in value:
            parts.append(between)
            _indent(each, inner, parts)
            between = "," + inner
        parts.append(newline + "]")
    else:
        parts.append(dumps(value))


def write_rows(
    out: TextIO,
    format: str,
    columns: Sequence[str],
    rows: Sequence[Mapping[str, object]],
    paint: Paint | None = None,
) -> None:
    """Write rows to a stream.

    Args:
        out: The stream.
        format: ``table``, ``json`` or ``csv``.
        columns: Keys of a row, in order; a table is headed by them and shows no others.
        rows: The rows; JSON has all their keys.
        paint: Given key, position of the row and text of each cell of a table, padded, returns it as it is to be shown.
    """
    if format == "json":
        write_json(out, list(rows))
    elif format == "csv":
        import csv

        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([["" if row.get(name) is None else row[name] for name in columns] for row in rows])
    else:
        _write_table(out, columns, rows, paint or (lambda name, row, text: text))


def _cells(names: Sequence[str], rows: Sequence[Mapping[str, object]]) -> tuple[list[list[str]], list[int]]:
    """Return the lines of a table, its head first, and the width of each column."""
    from runner.cli.columns import columns
    from runner.cli.output import printable

    lines = [[name.upper().replace("_", " ") for name in names]]
    lines += [["" if row.get(name) is None else printable(str(row[name])) for name in names] for row in rows]
    return lines, [max(columns(line[index]) for line in lines) for index in range(len(names))]


def fitting(
    names: Sequence[str],
    dispensable: Sequence[str],
    rows: Sequence[Mapping[str, object]],
    out: TextIO,
    least: int = _NARROW,
) -> list[str]:
    """Return the columns of a table that a terminal has room for, all of them where there is no terminal.

    Args:
        names: All columns; the last one takes what is left.
        dispensable: Those that may be left out, the first ones first.
        rows: The rows.
        out: Where the table is written.
        least: Columns that the last column is to have, if it needs them, as long as others can be left out.
    """
    width = terminal_width(out)
    chosen = list(names)
    if not width:
        return chosen
    _, widths = _cells(names, rows)
    taken = {name: column + 2 for name, column in zip(names, widths, strict=True)}
    least = min(least, widths[-1])
    for name in dispensable:
        if sum(taken[each] for each in chosen[:-1]) + least <= width:
            break
        if name in chosen:
            chosen.remove(name)
    return chosen


def _write_table(
    out: TextIO, names: Sequence[str], rows: Sequence[Mapping[str, object]], paint: Paint
) -> None:
    from runner.cli.columns import pad, wrap

    lines, widths = _cells(names, rows)
    taken = sum(widths[:-1]) + 2 * (len(names) - 1)
    room = max(_NARROW, terminal_width(out) - taken) if terminal_width(out) else 0
    for number, line in enumerate(lines):
        *first, last = line
        cells = [pad(cell, width) for cell, width in zip(first, widths, strict=False)]
        if number:
            cells = [paint(name, number - 1, cell) for name, cell in zip(names, cells, strict=False)]
        begin = "".join(cell + "  " for cell in cells)
        parts = wrap(last, room) if room else [last]
        out.write(f"{begin}{parts[0]}".rstrip() + "\n")
        out.writelines(f"{' ' * taken}{part}\n" for part in parts[1:])


def terminal_width(out: TextIO) -> int:
    """Return the columns of the terminal behind a stream, or 0 where there is none."""
    try:
        return os.get_terminal_size(out.fileno()).columns if out.isatty() else 0
    except (OSError, ValueError, AttributeError):
        return 0
