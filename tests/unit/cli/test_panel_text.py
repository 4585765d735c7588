"""The panel makes output readable: colours stay, progress bars show their newest state, all else is dropped."""

from __future__ import annotations

import pytest

from runner.cli.panel_text import Text


def rows(*pieces: bytes, width: int = 20, count: int = 10) -> list[str]:
    text = Text()
    for piece in pieces:
        text.feed(piece)
    return text.rows(width, count)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"one\ntwo", ["one", "two"]),
        (b"one\n", ["one", ""]),
        (b"10%\r20%\r30%", ["30%"]),
        (b"long line\rshort\x1b[K\n", ["short", ""]),
        (b"one\ntwo\x1b[A\rONE\n", ["ONE", "two"]),
        (b"ab\x08c", ["ac"]),
        (b"a\tb", ["a       b"]),
        (b"\x1b[31mred\x1b[0m plain", ["\x1b[m\x1b[31mred\x1b[m plain"]),
        (b"\x1b]0;title\x07text\x1b[?25l\x1b[5;5H\x07\x00", ["text"]),
        (b"x" * 25, ["x" * 20, "x" * 5]),
        ("日本語".encode() * 4, ["日本語日本語日本語日", "本語"]),
        (b"\xff\xfe", ["\ufffd\ufffd"]),
        (b"gone\x1b[2Jhere", ["here"]),
        ("in\u200bvisible\x1b[31m!".encode(), ["invisible\x1b[m\x1b[31m!"]),
    ],
)
def test_what_is_shown(data, expected):
    assert rows(data) == expected


def test_pieces_that_end_anywhere():
    data = "\x1b[1;32mgrün\x1b[0m 日本\r\nend".encode()
    whole = rows(data)
    for at in range(len(data)):
        assert rows(data[:at], data[at:]) == whole


def test_of_a_flood_the_newest():
    text = Text()
    for number in range(100_000):
        text.feed(b"line %d\n" % number)
    assert text.rows(20, 3) == ["line 99998", "line 99999", ""]


def test_no_control_character_is_left():
    shown = "".join(rows(bytes(range(256)) * 4, b"\x1b[\x1b]x\x1b\\", "\u202e\u2066\x85".encode(), width=500))
    assert all(character.isprintable() for character in shown)


def test_the_cursor_stands_behind_a_prompt():
    text = Text()
    text.feed(b"hello\nname: ")
    assert text.rows(20, 5) == ["hello", "name: "]
    assert text.cursor(20) == 6
