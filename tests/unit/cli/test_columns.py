"""Texts in columns of a terminal."""

from __future__ import annotations

import io

import pytest

from runner.cli.columns import behind, columns, cut, pad, wrap
from runner.cli.tables import write_rows


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("", 0), ("数据", 4), ("🎉!", 3),
                                               ("e\u0301te\u0301", 3), ("é·…✓", 4)])  # fmt: skip
def test_columns(text: str, width: int) -> None:
    assert columns(text) == width
    assert columns(pad(text, 9)) == 9


def test_a_wide_character_is_not_cut_in_two() -> None:
    assert [cut("a数据", room) for room in (-1, 0, 1, 2, 3, 9)] == ["", "", "a", "a", "a数", "a数据"]


def test_what_stands_behind_a_column() -> None:
    assert [behind("abc", room) for room in (-1, 0, 1, 3, 9)] == ["abc", "abc", "bc", "", ""]
    assert [behind("数据b", room) for room in (1, 2, 3, 4, 5)] == [" 据b", "据b", " b", "b", ""]
    assert behind("e\u0301a", 1) == "a"


def test_lines_break_between_parts_rather_than_inside_of_them() -> None:
    assert wrap("1.1 % · 34 % · 5 MB", 12, " · ") == ["1.1 % · 34 %", "5 MB"]
    assert wrap("1 · one two three · 2", 7, " · ") == ["1", "one two", "three", "2"]
    assert wrap("", 7, " · ") == [""]


def test_lines_break_at_blanks_and_inside_of_long_words() -> None:
    assert wrap("one two three", 8) == ["one two", "three"]
    assert wrap("数据数据数据 x", 5) == ["数据", "数据", "数据", "x"]
    assert wrap("a" * 12, 5) == ["aaaaa", "aaaaa", "aa"]
    assert wrap("", 5) == [""]


def test_a_table_is_aligned_by_columns_and_does_nothing_to_a_terminal() -> None:
    out = io.StringIO()
    write_rows(out, "table", ("name", "value"), [{"name": "数据", "value": "1"}, {"name": "abc", "value": "\033[2J"}])
    assert out.getvalue() == "NAME  VALUE\n数据  1\nabc   ?[2J\n"
