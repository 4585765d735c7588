"""What a script wrote can do nothing to the terminal of who reads it later."""

from __future__ import annotations

import random
from time import process_time

import pytest

from runner.cli.safe_text import ever_drawn, visible


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"plain text", "plain text"),
        ("größer 日本 🎉".encode(), "größer 日本 🎉"),
        (b"tab\there", "tab\there"),
        (b"windows line\r", "windows line"),
        (b"\x1b[1;31mred\x1b[0m", "red"),
        (b"\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        (b"\x1b[2J\x1b[H", "\\x1b[2J\\x1b[H"),
        (b"\x1b[31;", "\\x1b[31;"),
        (b"bell\x07 back\x08 nul\x00 del\x7f", "bell\\x07 back\\x08 nul\\x00 del\\x7f"),
        ("c1 \x9b31m".encode(), "c1 \\x9b31m"),
        (b"\x9b not utf-8", "\ufffd not utf-8"),
        ("\u202eevil\u2066\U000e0041".encode(), "\\u202eevil\\u2066\\U000e0041"),
        (b"10%\r20%\r30%", "[redrawn 2 times] 30%"),
        (b"10%\r\x1b[K20%", "[redrawn] 20%"),
        (b"\r10%", "10%"),
        (b"downloading file 100%\rdone", "[redrawn] doneloading file 100%"),
        (b"downloading file 100%\rdone\x1b[K", "[redrawn] done"),
        (b"downloading file 100%\r\x1b[2Kdone", "[redrawn] done"),
        (b"downloading\rload\x1b[1K", "[redrawn]     loading"),
        (b"downloading\rdone\r\x1b[K", "[redrawn 2 times] "),
        (b"first and longest\rsecond\r3", "[redrawn 2 times] 3econdand longest"),
        (b"first\rsecond\x1b[K\r3rd", "[redrawn 2 times] 3rdond"),
        (b"\x1b[31mred\x1b[0m and more\r\x1b[1mgr", "[redrawn] grd and more"),
        (b"red and \x1b[?25lmore\rgr", "[redrawn] grd and \\x1b[?25lmore"),
        ("数据处理\rab".encode(), "[redrawn] ab据处理"),
        ("数据处理\rabc".encode(), "[redrawn] abc 处理"),
        ("abcd\r数".encode(), "[redrawn] 数cd"),
        ("e\u0301a\rx".encode(), "[redrawn] xa"),
        (b"name\tvalue\rN", "[redrawn] Name    value"),
        (b"\r\r\r", ""),
        (b"", ""),
    ],
)
def test_a_line_is_shown(data: bytes, shown: str) -> None:
    assert visible(data) == shown


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m\x1b[0m"),
        (b"\x1b[38;5;208mo\x1b[48;2;1;2;3mx", "\x1b[38;5;208mo\x1b[48;2;1;2;3mx\x1b[0m"),
        (b"\x1b[31mred one\r\x1b[32mgr", "[redrawn] \x1b[32mgr\x1b[0m\x1b[31md one\x1b[0m\x1b[0m"),
        (b"plain\r\x1b[32mgr", "[redrawn] \x1b[32mgr\x1b[0main\x1b[0m"),
        (b"\x1b[mreset", "\x1b[mreset\x1b[0m"),
        (b"\x1b[8mhidden", "hidden"),
        (b"\x1b[31;8mhidden", "hidden"),
        (b"\x1b[38;5mcut", "cut"),
        (b"\x1b[38;5;999mtoo much", "too much"),
        (b"\x1b[5mblinking", "blinking"),
        (b"\x1b[31" + b";1" * 60 + b"m", "\\x1b[31" + ";1" * 60 + "m"),
    ],
)
def test_colours_are_kept_only_if_they_are_nothing_else(data: bytes, shown: str) -> None:
    assert visible(data, color=True) == shown


def test_all_that_a_line_ever_showed_is_known() -> None:
    assert ever_drawn(b"downloading file\rdone") == ["downloading file", "doneloading file"]
    assert ever_drawn(b"working\r\x1b[K") == ["working", ""]
    assert ever_drawn(b"a line\r") == ["a line"]
    assert ever_drawn(b"") == [""]


@pytest.mark.parametrize(
    "data",
    [b"a\r" * 200_000, b"\x1b[2Ka" * 100_000 + b"\rb", b"x\x1b[1K" * 100_000 + b"\ry", b"\x1b[" * 200_000 + b"\ra",
     b"a" * 400_000 + b"\rb" * 1000, b"\t" * 200_000 + b"\ra", b"\x1b[" + b"1" * 400_000 + b"\ra"],
    ids=["short", "cleared", "cleared before", "unfinished", "long and short", "tabs", "digits"],
)  # fmt: skip
def test_long_lines_take_no_time_that_grows_faster_than_they_do(data: bytes) -> None:
    began = process_time()
    visible(data)
    assert process_time() - began < 5


def test_no_bytes_whatever_do_anything() -> None:
    rng = random.Random(7)
    parts = [bytes([byte]) for byte in b"\x1b[]31;m\r\x9b\xc2\x85x\x07J"] + [b"\xe2\x80\xae"]
    for _ in range(20_000):
        shown = visible(b"".join(rng.choices(parts, k=12)))
        assert shown.isprintable(), shown
