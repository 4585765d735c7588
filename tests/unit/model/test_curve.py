"""Samples are folded into a bounded number of buckets without losing an extreme."""

from __future__ import annotations

import pytest

from runner.agent.events import SAMPLE_FIELDS, Sample
from runner.model.curve import LIMIT, Curve


def sample(t, value, span=1.0):
    return Sample(t, span, [value] * len(SAMPLE_FIELDS))


def test_short_runs_keep_every_sample():
    curve = Curve()
    for t in range(10):
        curve.add(sample(t, t))
    assert [bucket.t for bucket in curve.buckets] == list(range(10))


def test_long_runs_stay_bounded_and_keep_extremes_mean_and_span():
    curve = Curve()
    count = 4 * LIMIT + 123
    for t in range(count):
        curve.add(sample(float(t + 1), 1000.0 if t == 777 else t % 7))
    assert len(curve.buckets) <= LIMIT
    assert curve.samples == count
    assert max(bucket.high[0] for bucket in curve.buckets) == 1000.0 == curve.maximum("cpu_percent")
    assert curve.minimum("cpu_percent") == 0
    assert sum(bucket.span for bucket in curve.buckets) == count
    assert curve.buckets[-1].t == count
    times = [bucket.t for bucket in curve.buckets]
    assert times == sorted(times)


def test_the_mean_is_weighted_by_time():
    curve = Curve()
    curve.add(sample(1.0, 10.0, span=1.0))
    curve.add(sample(4.0, 20.0, span=3.0))
    assert curve.mean("memory_bytes") == pytest.approx(17.5)


def test_what_the_system_does_not_tell_stays_unknown_until_it_does():
    curve = Curve()
    curve.add(sample(1.0, None))
    assert curve.maximum("fds") is None and curve.mean("fds") is None
    curve.add(sample(2.0, 5.0))
    assert curve.maximum("fds") == 5.0


def test_without_samples_nothing_is_known():
    assert Curve().maximum("threads") is None
