"""A line drawn where the cursor is said to be free, and taken back, leaves no trace on an emulated terminal."""

from __future__ import annotations

import random

import pytest

from runner.cli.live import _BEGIN, _CLEAR_BELOW, _CLEAR_LINE, _END
from runner.cli.live_cursor import Cursor

pyte = pytest.importorskip("pyte")

#: What scripts write: text, lines, progress bars, colours, movements, screens.
PIECES = [
    b"text", b"a longer piece of text that wraps around the edge of a narrow screen", b"\n", b"\n", b"\n\n",
    b"\r", b"x\r", "日本語".encode(), "é".encode(), b"\t", b"\x08", b"\x1b[31m", b"\x1b[0m", b"\x1b[m",
    b"\x1b[1;32mgood\x1b[0m\n", b"\x1b[41m", b"\x1b[48;5;12m", b"\x1b[48;2;1;2;3m", b"\x1b[38;5;41m",
    b"\x1b[49m", b"\x1b[K", b"\x1b[2K", b"\r\x1b[K", b"\x1b[A", b"\x1b[3A", b"\x1b[B", b"\x1b[2C", b"\x1b[D",
    b"\x1b[5G", b"\x1b[G", b"\x1b[H", b"\x1b[3;4H", b"\x1b[2J", b"\x1b[J", b"\x1b[H\x1b[2J", b"\x1b[2J\x1b[H",
    b"\x1b[1J", b"\x1bM", b"\x1bD", b"\x1bE", b"\x1b7", b"\x1b8", b"\x1b[r", b"\x1b[2;5r", b"\x1b[?7l",
    b"\x1b[?7h", b"\x1b[L", b"\x1b[M", b"\x1b[P", b"\x1b[2@", b"\x1b[?25l", b"\x1b[?25h", b"\x1b]0;title\x07",
    b"\x1b]0;title\x1b\\", b"\x1b(B", b"\x1b(0", b"\x0e", b"\x0f", b"\x1b=", b"\x1b[?2004h", b"\x0b", b"\x0c",
    b"\x07", b"\x1b[d", b"\x1b[4h", b"\x1b[4l", b"50%\r100%\n",
]  # fmt: skip
COMMON = PIECES[:17]


def look(cell):
    # What is cleared takes the background colour and, on real terminals, no other attribute.
    return (" ", cell.bg) if cell.data == " " and not (cell.underscore and cell.reverse) else cell


def state(screen):
    lines = [[look(screen.buffer[row][column]) for column in range(screen.columns)] for row in range(screen.lines)]
    history = ["".join(line[column].data for column in range(screen.columns)) for line in screen.history.top]
    return lines, history, (screen.cursor.x, screen.cursor.y), screen.cursor.attrs


def terminal(columns, lines):
    screen = pyte.HistoryScreen(columns, lines, history=5000, ratio=0.5)
    screen.set_mode(pyte.modes.LNM)  # as a terminal with ONLCR
    return screen, pyte.ByteStream(screen)


def fill(screen):
    """Have every cell there: those never written to are forgotten where the emulator clears in a colour."""
    for row in range(screen.lines):
        line = screen.buffer[row]
        for column in range(screen.columns):
            line[column] = line[column]


def differ(pieces, columns=20, lines=6):
    """Feed pieces to two terminals, one of which has the line drawn between any two; return how often it was."""
    alone, alone_stream = terminal(columns, lines)
    shown, shown_stream = terminal(columns, lines)
    cursor = Cursor()
    drawn = 0
    for piece in pieces:
        fill(alone)
        fill(shown)
        alone_stream.feed(piece)
        shown_stream.feed(piece)
        cursor.feed(piece)
        if cursor.free:
            drawn += 1
            shown_stream.feed(_BEGIN + b" 0:12 CPU 100 % and far more than there is room for" + _END)
            shown_stream.feed(_CLEAR_BELOW if cursor.began else _CLEAR_LINE)
        assert state(shown) == state(alone), (pieces, piece, alone.display, shown.display)
    return drawn


@pytest.mark.parametrize("columns", [10, 20, 80])
def test_random_output_of_every_kind(columns):
    chance = random.Random(columns)
    drawn = 0
    for _ in range(150):
        count = chance.randrange(1, 25)
        drawn += differ([chance.choice(PIECES) for _ in range(count)], columns)
    assert drawn > 50


def test_random_output_of_the_common_kind_split_anywhere():
    chance = random.Random(1)
    drawn = 0
    for _ in range(100):
        data = b"".join(chance.choice(COMMON) for _ in range(20))
        pieces = []
        while data:
            size = chance.randrange(1, 12)
            pieces.append(data[:size])
            data = data[size:]
        drawn += differ(pieces)
    assert drawn > 50


@pytest.mark.parametrize(
    "data",
    [
        b"line\n", b"\x1b[31mred\x1b[0m\n", b"\x1b[31mred\n\x1b[0m", b"50%\r100%\r\n", b"\x1b[H\x1b[2J",
        b"\x1b[2J\x1b[H", b"up\x1b[A\x1b[B\n\n", b"\x1b]0;title\x07", b"a\n\x1b[?25h",
        b"\x1b[?1049hfull\x1b[5;5Hscreen\x1b[?1049l",
    ],
)  # fmt: skip
def test_a_free_line_is_known(data):
    cursor = Cursor()
    cursor.feed(data)
    assert cursor.free


@pytest.mark.parametrize(
    "data",
    [
        b"prompt: ", b"50%\r", b"a\nb\x1b[A\n", b"\x1b[41mred\n", b"\x1b[?1049h", b"a\n\x1b[3", b"a\n\x1b]0;ti",
        b"\x1b7a\n", b"\x1b[s\n", b"\x1b[2;5r\n\n\n", b"\x1b(0\n", b"\x0e\n", b"\x1b[?7l\n",
        b"\x1bPq#0\x1b\\\n",
    ],
)  # fmt: skip
def test_a_line_that_is_not_free_is_known(data):
    cursor = Cursor()
    cursor.feed(data)
    assert not cursor.free
