"""Which messages are of one kind."""

from __future__ import annotations

import pytest

from runner.analysis.recurrence import fingerprint, recurrence


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no such file: /data/2026-01-31.csv", "no such file: /data/2026-02-01.csv"),
        ("KeyError: 17", "KeyError: 4711"),
        ("<Thing at 0x7f3a00b2>", "<Thing at 0x7fffb1c0>"),
        ("request 0c9f2ab1 failed", "request 9b0177fe failed"),
        ("job12b failed", "job7b failed"),
    ],
)
def test_numbers_and_addresses_do_not_tell_messages_apart(one: str, other: str) -> None:
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("KeyError: 'a'", "KeyError: 'b'"), ("face not found", "decade not found"), ("x.csv", "y.csv"), ("", "0"),
     ("file 1", "file"), ("defaced", "effaced")],
)  # fmt: skip
def test_words_do(one: str, other: str) -> None:
    assert fingerprint(one) != fingerprint(other)


def test_messages_of_one_kind_are_counted_together() -> None:
    found = [("row 7", 3, 100, 400), ("row 8", 1, 50, 50), ("column 7", 9, 1, 900), (None, 1, 2, 3)]
    same = recurrence("row 9", found, runs=20)
    assert (same.count, same.first, same.last, same.runs) == (4, 50, 400, 20)
    never = recurrence("cell 9", found, runs=20)
    assert (never.count, never.first, never.last) == (0, None, None)
    assert never.to_dict() == {"count": 0, "runs": 20, "first": None, "last": None}
    assert recurrence("", found, 1).count == 1
