"""The newest output of a script as the panel shows it: colours and carriage returns are followed, nothing else is."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder

from runner.cli.columns import columns

#: Lines kept: more than any screen has.
_LINES = 300
#: Bytes of output looked at between two drawings; of more only the newest count.
_LATEST = 1 << 15
_WIDEST = 2000  # characters kept of a line
_TAB = 8

_TOKEN = re.compile(
    r"\x1b\[(?P<parameters>[0-?]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1b[ -/]*[0-Z\\`-~]"
    r"|(?P<text>[^\x00-\x1f\x7f\x9b]+)"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f\x9b])"
)
#: A sequence of which only the beginning has come.
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)?\Z")

Cell = tuple[str, str]  #: a character and the colours it is written in


class Text:
    """Takes output and remembers its newest lines."""

    def __init__(self) -> None:
        self._lines: list[list[Cell]] = [[]]
        self._row = 0
        self._column = 0
        self._style = ""
        self._pending: list[bytes] = []
        self._size = 0
        self._unfinished = ""
        self._decode = getincrementaldecoder("utf-8")("replace").decode

    def feed(self, data: bytes) -> None:
        """Take the next bytes of output."""
        self._pending.append(data)
        self._size += len(data)
        while self._size - len(self._pending[0]) > _LATEST:
            self._size -= len(self._pending.pop(0))

    def rows(self, width: int, count: int) -> list[str]:
        """Return the newest rows of a screen, at most `count` of `width` columns, with their colours."""
        self._take()
        rows: list[str] = []
        for line in reversed(self._lines):
            rows[:0] = _wrapped(line, width)
            if len(rows) >= count:
                break
        return rows[-count:] if count > 0 else []

    def cursor(self, width: int) -> int:
        """Return the column in which the next character will stand."""
        line = self._lines[self._row]
        taken = sum(columns(character) for character, _ in line[: self._column]) + max(0, self._column - len(line))
        return taken % width if width else 0

    def _take(self) -> None:
        data = b"".join(self._pending)[-_LATEST:]
        self._pending.clear()
        self._size = 0
        text = self._unfinished + self._decode(data)
        self._unfinished = ""
        rest = _UNFINISHED.search(text, max(0, len(text) - 256))
        if rest is not None:
            text, self._unfinished = text[: rest.start()], rest.group()
        for match in _TOKEN.finditer(text):
            kind = match.lastgroup
            if kind == "text":
                self._put(match["text"])
            elif kind == "control":
                self._control(match["control"])
            elif kind == "final":
                self._sequence(match["parameters"], match["final"])

    def _put(self, text: str) -> None:
        line, at, style = self._lines[self._row], self._column, self._style
        text = "".join(filter(str.isprintable, text))[: max(0, _WIDEST - at)]
        if at > len(line):
            line.extend([(" ", "")] * (at - len(line)))
        line[at : at + len(text)] = [(character, style) for character in text]
        self._column = at + len(text)

    def _control(self, character: str) -> None:
        if character in "\n\v\f":
            self._down()
            self._column = 0
        elif character == "\r":
            self._column = 0
        elif character == "\b":
            self._column = max(0, self._column - 1)
        elif character == "\t":
            self._column += _TAB - self._column % _TAB

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self._lines):
            self._lines.append([])
            if len(self._lines) > _LINES:
                del self._lines[0]
                self._row -= 1

    def _sequence(self, parameters: str, final: str) -> None:
        number = int(parameters) if parameters.isdigit() else 0
        if final == "m":
            reset = parameters.strip("0;") == ""
            self._style = "" if reset else f"{self._style}\x1b[{parameters}m"[-64:]
        elif final == "K":
            line = self._lines[self._row]
            if number == 0:
                del line[self._column :]
            elif number == 2:
                line.clear()
        elif final in "AF":  # several progress bars, one below the other
            self._row = max(0, self._row - max(1, number))
        elif final in "BE":
            for _ in range(min(max(1, number), _LINES)):
                self._down()
        elif final == "C":
            self._column = min(_WIDEST, self._column + max(1, number))
        elif final == "D":
            self._column = max(0, self._column - max(1, number))
        elif final == "G":
            self._column = min(_WIDEST, max(1, number)) - 1
        elif final == "J" and number in (2, 3):
            self._lines = [[]]
            self._row = self._column = 0
        if final in "EF":
            self._column = 0


def _wrapped(line: list[Cell], width: int) -> list[str]:
    """Return a line as rows of a screen; at least one."""
    rows: list[str] = []
    row: list[str] = []
    taken = 0
    style = ""
    for character, wanted in line:
        size = 1 if character.isascii() else columns(character)
        if taken + size > width:
            rows.append("".join(row))
            row, taken, style = [], 0, ""
        if wanted != style:
            row.append(f"\x1b[m{wanted}")
            style = wanted
        row.append(character)
        taken += size
    return [*rows, "".join(row)]
