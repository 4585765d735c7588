"""Writes rows as a table for people, as JSON, or as CSV."""

from __future__ import annotations

import os

from runner.model.errors import RunnerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO


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
    import json

    json.dump(answer, out, indent=2)
    out.write("\n")


def write_rows(out: TextIO, format: str, columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows to a stream.

    Args:
        out: The stream.
        format: ``table``, ``json`` or ``csv``.
        columns: Keys of a row, in order; a table is headed by them and shows no others.
        rows: The rows; JSON has all their keys.
    """
    if format == "json":
        write_json(out, list(rows))
    elif format == "csv":
        import csv

        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([["" if row.get(name) is None else row[name] for name in columns] for row in rows])
    else:
        _write_table(out, columns, rows)


def _write_table(out: TextIO, names: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    from runner.cli.columns import columns, pad, wrap
    from runner.cli.output import printable

    lines = [[name.upper().replace("_", " ") for name in names]]
    lines += [["" if row.get(name) is None else printable(str(row[name])) for name in names] for row in rows]
    widths = [max(columns(line[index]) for line in lines) for index in range(len(names))]
    taken = sum(widths[:-1]) + 2 * (len(names) - 1)
    room = max(20, _width(out) - taken) if _width(out) else 0
    for line in lines:
        *first, last = line
        begin = "".join(pad(cell, width) + "  " for cell, width in zip(first, widths, strict=False))
        parts = wrap(last, room) if room else [last]
        out.write(f"{begin}{parts[0]}".rstrip() + "\n")
        out.writelines(f"{' ' * taken}{part}\n" for part in parts[1:])


def _width(out: TextIO) -> int:
    """Return the columns of the terminal behind a stream, or 0 where there is none."""
    try:
        return os.get_terminal_size(out.fileno()).columns if out.isatty() else 0
    except (OSError, ValueError, AttributeError):
        return 0
