"""A grid of characters that lines, bars and marks are drawn on: four by two dots to a character, or plain ASCII."""

from __future__ import annotations

#: Bits of a braille character, by column and by row from the top.
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_UPPER, _LOWER = 0x01 | 0x02 | 0x08 | 0x10, 0x04 | 0x40 | 0x20 | 0x80
_BLOCKS = " ▁▂▃▄▅▆▇█"
#: ASCII characters of the second line and those after it; the first shows where in the row it runs.
SIGNS = "+ox%@&="
_LETTERS: tuple[str, ...] = ("", *SIGNS)


class Canvas:
    """Characters, each with the number of who drew it last.

    Args:
        width: Columns.
        height: Rows.
        unicode: Whether dots and blocks can be shown.
    """

    def __init__(self, width: int, height: int, unicode: bool) -> None:
        self.width = width
        self.height = height
        self._unicode = unicode
        self._dots = [[0] * width for _ in range(height)]
        self._level = [[0] * width for _ in range(height)]
        self._owner: list[list[int | None]] = [[None] * width for _ in range(height)]
        self._over: list[list[str]] = [[""] * width for _ in range(height)]

    def dot(self, x: int, y: int, owner: int) -> None:
        """Set a dot: `x` from the left, of `2 * width`; `y` from the bottom, of `4 * height`."""
        if not (0 <= x < 2 * self.width and 0 <= y < 4 * self.height):
            return
        row = self.height - 1 - y // 4
        self._dots[row][x // 2] |= _DOTS[x % 2][3 - y % 4]
        self._owner[row][x // 2] = owner

    def line(self, start: tuple[int, int], end: tuple[int, int], owner: int, on: int = 1, off: int = 0) -> None:
        """Draw a line between two dots, `on` columns of it drawn and `off` left out, by turns."""
        (x0, y0), (x1, y1) = start, end
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for step in range(steps + 1):
            x = x0 + round((x1 - x0) * step / steps)
            if not off or x % (on + off) < on:
                self.dot(x, y0 + round((y1 - y0) * step / steps), owner)

    def bar(self, column: int, low: float, high: float, owner: int) -> None:
        """Fill a column from one share of the height to another (0.0 at the bottom, 1.0 at the top)."""
        if not 0 <= column < self.width:
            return
        for row in range(self.height):
            bottom = (self.height - 1 - row) / self.height
            filled = (min(high, bottom + 1 / self.height) - max(low, bottom)) * self.height
            if filled > 1 / 16:
                self._level[row][column] = max(1, round(filled * 8))
                self._owner[row][column] = owner

    def put(self, column: int, row: int, character: str, owner: int | None) -> None:
        """Put a character over whatever is there; rows count from the top."""
        if 0 <= column < self.width and 0 <= row < self.height:
            self._over[row][column] = character
            self._owner[row][column] = owner

    def empty(self, column: int, row: int) -> bool:
        """Whether nothing is drawn there yet."""
        return not (self._dots[row][column] or self._level[row][column] or self._over[row][column])

    def row(self, number: int) -> list[tuple[str, int | None]]:
        """Return a row from the top as stretches of text, each with the number of who drew it."""
        stretches: list[tuple[str, int | None]] = []
        for column in range(self.width):
            character = self._character(column, number)
            owner = None if character == " " else self._owner[number][column]
            if stretches and stretches[-1][1] == owner:
                stretches[-1] = (stretches[-1][0] + character, owner)
            else:
                stretches.append((character, owner))
        return stretches

    def _character(self, column: int, row: int) -> str:
        if self._over[row][column]:
            return self._over[row][column]
        dots, level = self._dots[row][column], self._level[row][column]
        if self._unicode:
            return chr(0x2800 + dots) if dots else _BLOCKS[level]
        if not dots:
            return "#" if level >= 4 else "." if level else " "
        letter = _LETTERS[(self._owner[row][column] or 0) % len(_LETTERS)]
        if letter:
            return letter
        if dots & _UPPER and dots & _LOWER:
            return "|" if dots & 0x09 and dots & 0xC0 else "-"
        return "'" if dots & _UPPER else "."
