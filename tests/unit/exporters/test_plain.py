"""Text of scripts in reports: all of it that can be shown, nothing of it that could act."""

from __future__ import annotations

import pytest

from runner.exporters.plain import clean, one_line, output_text, without_sequences
from runner.model.run import Tail


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, tab\t and\nline", "plain, tab\t and\nline"),
        ("a\x00b\x1b\x7f\x85", "a\\x00b\\x1b\\x7f\\x85"),
        ("a\udcffb", "a\\xffb"),
        ("a\ud800b", "a\\ud800b"),
        ("\u202edrawkcab", "\\u202edrawkcab"),
        ("Grüße 日本 👩‍👩‍👧 \u00a0", "Grüße 日本 👩‍👩‍👧 \u00a0"),
        ("\ufffe\uffff\ufeff", "\\ufffe\\uffff\\ufeff"),
    ],
)
def test_clean_spells_out_what_acts_and_keeps_the_rest(text: str, shown: str) -> None:
    assert clean(text) == shown
    clean(text).encode("utf-8")


def test_one_line_is_one_line_and_no_longer_than_said() -> None:
    assert one_line(" a\n\tb  c ") == "a b c"
    assert one_line("word " * 100, 20) == "word word word word…"


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("\x1b[31mred\x1b[0m \x1b[1;38;5;3mx\x1b[K", "red x"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b[?25lhidden\x1b[2J", "hidden"),
        ("broken \x1b[12", "broken \x1b[12"),
        ("other \x1b(B \x1b", "other \x1b(B \x1b"),
        ("\x1b]unended", "\x1b]unended"),
    ],
)
def test_control_sequences_go_and_broken_ones_stay(text: str, rest: str) -> None:
    assert without_sequences(text) == rest


def tail(data: bytes, head: bytes = b"", missing: int = 0) -> Tail:
    return Tail(head, data, len(head) + len(data) + missing, (head + data).count(b"\n"))


def test_output_is_shown_as_it_looked_last() -> None:
    assert output_text(tail(b"10 %\r50 %\rdone\r\n\x1b[32mok\x1b[0m\r\n"), 1000) == "done\nok"
    assert output_text(tail(b"no end"), 1000) == "no end"
    assert output_text(tail(b""), 1000) == ""
    assert output_text(tail(b"a\xff\x00\n"), 1000) == "a\\xff\\x00"


def test_output_that_is_cut_begins_with_a_whole_line_and_says_so() -> None:
    cut = "[earlier output is not shown]"
    assert output_text(tail(b"first\nsecond\nthird\n"), 13) == f"{cut}\nthird"
    assert output_text(tail(b"first\nsecond\nthird\n"), 1000, 2) == f"{cut}\nsecond\nthird"
    assert output_text(tail("€€€".encode()), 4) == f"{cut}\n\\xac€"  # one line only: its end is better than nothing
    assert output_text(tail(b"cut off\nrest\n", b"lost\n", missing=9), 1000) == f"{cut}\nrest"


def test_head_and_tail_are_joined_where_nothing_lies_between() -> None:
    assert output_text(tail(b"tail\n", b"head\n"), 1000) == "head\ntail"
    assert "head" not in output_text(tail(b"x\ntail\n", b"head\n", missing=1), 1000)
