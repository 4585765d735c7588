"""What is told of a stream is its head whole, then the newest part at most, and its size and lines are exact."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.agent.keeper import Keeper

BLOCKS = st.lists(st.binary(min_size=1, max_size=40), max_size=30)


def test_all_of_a_short_stream_is_told() -> None:
    keeper = Keeper("stdout", 100, 10)
    keeper.feed(b"one\n")
    keeper.feed(b"two")
    (event,) = keeper.take(1.5)
    assert event.fields() == {"t": 1.5, "stream": "stdout", "offset": 0, "data": b"one\ntwo", "size": 7, "lines": 1}
    assert keeper.take(2.0) == []
    assert keeper.end == b"one\ntwo"


def test_after_the_head_only_the_newest_part_is_told() -> None:
    keeper = Keeper("stderr", 4, 5)
    for block in (b"abc", b"defg", b"hijk\n", b"lm"):
        keeper.feed(block)
    head, tail = keeper.take(0.0)
    assert (head.offset, head.data) == (0, b"abcd")
    assert (tail.offset, tail.data, tail.size, tail.lines) == (9, b"jk\nlm", 14, 1)


def test_what_was_passed_over_is_counted() -> None:
    keeper = Keeper("stdout", 10, 10)
    keeper.feed(b"ab\n")
    keeper.take(0.0)
    keeper.skip(1000)
    keeper.feed(b"end\n")
    (event,) = keeper.take(1.0)
    assert (event.offset, event.data, event.size, event.lines) == (1003, b"end\n", 1007, 2)


@given(BLOCKS, st.integers(0, 200), st.integers(0, 60), st.sets(st.integers(0, 30)))
def test_whatever_the_blocks(blocks: list[bytes], keep_head: int, keep_tail: int, ticks: set[int]) -> None:
    keeper = Keeper("stdout", keep_head, keep_tail)
    stream = b"".join(blocks)
    told = []
    for index, block in enumerate(blocks):
        keeper.feed(block)
        if index in ticks:
            told += keeper.take(float(index))
    told += keeper.take(99.0)
    assert (keeper.size, keeper.lines) == (len(stream), stream.count(b"\n"))
    at = 0
    head = b""
    for event in told:
        assert event.offset >= at
        assert event.data == stream[event.offset : event.offset + len(event.data)]
        at = event.offset + len(event.data)
        if event.offset == len(head):
            head += event.data
        assert event.offset < keep_head or len(event.data) <= keep_tail
    assert head[:keep_head] == stream[:keep_head]
    if keep_tail and stream:
        assert at == len(stream)


@given(st.lists(st.sampled_from([b"\n" * 200, b"x" * 300, b"line of a text\n" * 20, b"\n", b"x"]), max_size=40))
def test_lines_are_exact_however_they_are_counted(blocks: list[bytes]) -> None:
    keeper = Keeper("stdout", 0, 0)
    for block in blocks:
        keeper.feed(block)
    assert keeper.lines == b"".join(blocks).count(b"\n")
