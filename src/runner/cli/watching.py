"""Shows an answer again and again: redrawn in place on a terminal, block after block elsewhere."""

from __future__ import annotations

import os
from time import sleep

from runner.cli.columns import columns
from runner.cli.output import DIM, Screen, is_dumb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO


def show(out: TextIO, seconds: float | None, draw: Callable[[], list[str] | None]) -> None:
    """Write what `draw` returns: once, or every so many seconds until Ctrl-C.

    Args:
        out: Where to.
        seconds: None for once.
        draw: Returns lines without newlines; on a terminal none may be wider than that. None where there is nothing
            more to be seen.
    """
    block = _Block(out) if seconds is not None and out.isatty() else None
    first = True
    while True:
        lines = draw()
        if lines is None:
            return
        if block is not None:
            block.draw(lines)
        else:
            out.write("".join(line + "\n" for line in ([] if first else [""]) + lines))
        out.flush()
        if seconds is None:
            return
        first = False
        try:
            sleep(seconds)
        except KeyboardInterrupt:
            if block is not None:
                out.write("\r\033[K")  # the ^C that the terminal has echoed
                out.flush()
            raise


class _Block:
    """Lines on a terminal that replace those drawn before, as long as nothing else writes there."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._plain = is_dumb(os.environ)
        self._drawn: list[int] = []  # columns of each line

    def draw(self, lines: list[str]) -> None:
        """Draw the lines in place of the last ones, as many as the terminal has room for."""
        size = os.get_terminal_size(self._out.fileno())
        room = max(1, size.lines - 1)
        if len(lines) > room:
            lines = [*lines[: room - 1], f"... and {len(lines) - room + 1} more lines"[: size.columns]]
        if self._plain:
            self._out.write("".join(line + "\n" for line in lines))
            return
        # A terminal that has become narrower has broken the lines anew.
        rows = sum(max(1, -(-width // max(1, size.columns))) for width in self._drawn)
        up = f"\033[{min(rows, room)}F" if rows else ""
        self._out.write(up + "".join(f"{line}\033[K\n" for line in lines) + "\033[J")
        self._drawn = [columns(unpainted(line)) for line in lines]


def unpainted(text: str) -> str:
    """Return a text of our own without its colours."""
    parts = text.split("\033[")
    return parts[0] + "".join(part.partition("m")[2] for part in parts[1:])


def table(screen: Screen, names: list[str], rows: list[list[str]], right: frozenset[str] = frozenset()) -> list[str]:
    """Return rows as aligned lines below a heading, each no wider than the screen: the last column is cut.

    Args:
        screen: What they are shown on.
        names: Heading of each column.
        rows: Cells, of texts that may hold anything.
        right: Columns that are aligned to the right.
    """
    from runner.cli.columns import pad

    lines = [names, *[[screen.plain(cell) for cell in row] for row in rows]]
    widths = [max(columns(line[at]) for line in lines) for at in range(len(names))]
    shown = []
    for number, line in enumerate(lines):
        *first, last = line
        begin = ""
        for name, cell, width in zip(names, first, widths, strict=False):
            space = " " * (width - columns(cell))
            begin += (space + cell if name in right else pad(cell, width)) + "  "
        text = screen.fit((begin + last).rstrip())
        shown.append(screen.paint(text, DIM) if number == 0 else text)
    return shown
