"""What a script wrote can do nothing to the terminal of who reads it later."""

from __future__ import annotations

import random

import pytest

from runner.cli.safe_text import visible


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


def test_no_bytes_whatever_do_anything() -> None:
    rng = random.Random(7)
    parts = [bytes([byte]) for byte in b"\x1b[]31;m\r\x9b\xc2\x85x\x07J"] + [b"\xe2\x80\xae"]
    for _ in range(20_000):
        shown = visible(b"".join(rng.choices(parts, k=12)))
        assert shown.isprintable(), shown
