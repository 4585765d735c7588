"""Curves and texts survive packing; damage is noticed."""

from __future__ import annotations

from zlib import compress, decompress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.agent.events import SAMPLE_FIELDS, Sample
from runner.model.curve import LIMIT, Curve
from runner.model.errors import StoreCorruptError
from runner.stores.codec import decode_curve, encode_curve, pack, unpack
from tests.unit.stores.made import samples

numbers = st.none() | st.floats(min_value=0, max_value=1e18) | st.integers(min_value=0, max_value=2**53)


def curve_of(rows: list[list[float | None]]) -> Curve:
    curve = Curve("pss")
    for index, row in enumerate(rows):
        curve.add(Sample(index * 0.1, 0.1, row))
    return curve


def shape(curve: Curve) -> list[object]:
    return [(bucket.t, bucket.span, bucket.low, bucket.high) for bucket in curve.buckets]


@given(st.lists(st.lists(numbers, min_size=len(SAMPLE_FIELDS), max_size=len(SAMPLE_FIELDS)), max_size=8))
@settings(max_examples=60, deadline=None)
def test_any_curve_comes_back(rows: list[list[float | None]]) -> None:
    curve = curve_of(rows)
    again = decode_curve(encode_curve(curve))
    assert shape(again) == shape(curve)
    assert (again.memory, again.samples) == ("pss", len(rows))
    for field in SAMPLE_FIELDS:
        assert again.maximum(field) == curve.maximum(field)
        assert again.minimum(field) == curve.minimum(field)
        assert again.mean(field) == pytest.approx(curve.mean(field))


def test_a_long_curve_is_bounded_and_goes_on_as_if_it_had_never_been_packed() -> None:
    whole, again = Curve(), Curve()
    for index, sample in enumerate(samples(1, 3 * LIMIT)):
        if index == 2 * LIMIT + 7:
            again = decode_curve(encode_curve(again))
        whole.add(sample)
        again.add(sample)
    assert len(whole.buckets) <= LIMIT
    assert shape(again) == shape(whole)
    assert again.samples == 3 * LIMIT
    assert again.mean("cpu_percent") == pytest.approx(whole.mean("cpu_percent"))
    assert len(encode_curve(whole)) < 3 * LIMIT * 8 * 11


def test_a_curve_of_an_agent_with_other_fields_is_read() -> None:
    blob = decompress(encode_curve(curve_of([[float(index) for index in range(11)]])))
    renamed = compress(blob.replace(b'"cpu_percent"', b'"cpu_perfect"'))
    bucket = decode_curve(renamed).buckets[0]
    assert bucket.low[SAMPLE_FIELDS.index("cpu_percent")] is None
    assert bucket.low[SAMPLE_FIELDS.index("threads")] == SAMPLE_FIELDS.index("threads")


@pytest.mark.parametrize(
    "damage",
    [
        lambda blob: b"",
        lambda blob: blob[:-5],
        lambda blob: compress(decompress(blob)[:-8]),
        lambda blob: compress(b"no json\n"),
        lambda blob: compress(b"[1]\n"),
        lambda blob: compress(decompress(blob).replace(b'"v":1', b'"v":2')),
    ],
)
def test_damage_is_noticed(damage: object) -> None:
    blob = encode_curve(curve_of([[1.0] * 11]))
    with pytest.raises(StoreCorruptError):
        decode_curve(damage(blob))  # type: ignore[operator]


def test_bytes_come_back() -> None:
    data = bytes(range(256)) * 100
    assert unpack(pack(data)) == data
    assert len(pack(data)) < len(data)
