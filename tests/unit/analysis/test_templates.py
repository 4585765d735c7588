from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from runner.analysis.templates import ANY, MOST, Miner


def test_lines_that_differ_in_values_share_a_template() -> None:
    miner = Miner()
    for number in range(50):
        miner.add(f"2026-01-31 12:00:{number:02d} INFO connected to host{number}.example.com in {number} ms", "a")
        miner.add(f"2026-01-31 12:00:{number:02d} ERROR user alice{'x' * (number % 3)} not found", "b")
    assert [template.count for template in miner.templates] == [50, 50]
    first, second = miner.templates
    assert first.text == "<*> <*> INFO connected to host<*>.example.com in <*> ms"
    assert second.text == f"{ANY} {ANY} ERROR user {ANY} not found"
    assert (first.sources, second.sources) == ({"a": 50}, {"b": 50})


def test_lines_that_have_little_in_common_do_not() -> None:
    miner = Miner()
    for line in ("disk is almost full now", "the quick brown fox jumps", "one two three four five"):
        miner.add(line)
    assert len(miner.templates) == 3


def test_where_a_template_was_first_seen_is_kept() -> None:
    miner = Miner()
    miner.feed(["started job 1", "done"], "run1")
    miner.feed(["started job 2", "WARN slow", "done"], "run2")
    found = {template.text: list(template.sources) for template in miner.templates}
    assert found == {"started job <*>": ["run1", "run2"], "done": ["run1", "run2"], "WARN slow": ["run2"]}


def test_memory_is_bounded_whatever_comes() -> None:
    rng = random.Random(1)
    miner = Miner()
    for _ in range(5000):
        words = [rng.choice("abcdefghijklmnopqrstuvwxyz") * rng.randrange(1, 9) for _ in range(rng.randrange(1, 12))]
        miner.add(" ".join(words))
    assert len(miner.templates) <= MOST
    assert miner.add("x" * 10_000_000) is None or len(miner.templates[-1].text) <= 1000


@given(st.lists(st.text(max_size=40), max_size=30))
def test_every_line_that_is_no_blank_is_counted_once(lines: list[str]) -> None:
    miner = Miner()
    miner.feed(lines)
    told = [line for line in lines if line.split()]
    assert sum(template.count for template in miner.templates) == len(told)
