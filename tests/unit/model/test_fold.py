"""Events become the record of an attempt."""

from __future__ import annotations

import pytest

from runner.agent.events import SAMPLE_FIELDS, Ended, Output, Sample, Started
from runner.model.fold import KEPT, Fold
from runner.model.metric import BOUND, EXACT, MB


def values(**given):
    return [given.get(field, 0.0) for field in SAMPLE_FIELDS]


def begun():
    fold = Fold(1)
    fold.tell(Started(0.0, 5_000_000_000, 1, 1, "", {}, {"stdout": "pipe", "stderr": "pipe", "merged": False}))
    return fold


def test_figures_come_from_samples_and_from_the_kernels_totals():
    fold = begun()
    fold.tell(Sample(0.1, 0.1, values(cpu_percent=50.0, memory_bytes=10 * MB, memory_peak_bytes=30 * MB, threads=2)))
    fold.tell(Sample(0.4, 0.3, values(cpu_percent=90.0, memory_bytes=20 * MB, memory_peak_bytes=20 * MB, threads=5)))
    usage = {"user_seconds": 0.3, "system_seconds": 0.1, "max_process_bytes": 25 * MB}
    fold.tell(Ended(0.5, "exited", 3, usage=usage, output={"stdout": [7, 1], "stderr": None, "merged": False}))
    figures = fold.attempt.metrics
    assert figures["execution_time_seconds"] == 0.5
    assert (figures["cpu_max"], figures["cpu_min"]) == (90.0, 50.0)
    assert figures["cpu_avg"] == pytest.approx(80.0)
    assert figures["cpu_time_seconds"] == pytest.approx(0.4)
    assert figures["memory_max_mb"] == 30.0
    assert figures["memory_avg_mb"] == pytest.approx((10 * 0.1 + 20 * 0.3) / 0.4)
    assert figures["memory_max_process_mb"] == 25.0
    assert figures["num_threads"] == 5
    assert figures["stdout_size_bytes"] == 7
    assert figures["stderr_lines"] is None
    assert fold.attempt.ended == 5_500_000_000


def test_a_script_too_short_to_be_sampled_has_cpu_over_wall_and_the_kernels_peak():
    fold = begun()
    usage = {"user_seconds": 0.015, "system_seconds": 0.005, "max_process_bytes": 9 * MB}
    fold.tell(Ended(0.04, "exited", 0, usage=usage))
    figures = fold.attempt.metrics
    assert figures["cpu_max"] == figures["cpu_avg"] == figures["cpu_min"] == pytest.approx(50.0)
    assert figures["memory_max_mb"] == figures["memory_min_mb"] == 9.0


def test_no_extreme_lies_inside_the_exact_average():
    fold = begun()
    fold.tell(Sample(0.1, 0.1, values(cpu_percent=10.0)))
    fold.tell(Ended(0.2, "exited", 0, usage={"user_seconds": 0.1, "system_seconds": 0.0}))
    figures = fold.attempt.metrics
    assert figures["cpu_min"] <= figures["cpu_avg"] <= figures["cpu_max"]


def test_kinds_name_what_is_sampled_and_what_a_reservation_weakens():
    fold = begun()
    fold.tell(Ended(1.0, "exited", 0, usage={"user_seconds": 1.0, "system_seconds": 0.0},
                    weaker={"user_seconds": ["bound", "children were not waited for"]}))  # fmt: skip
    kinds = fold.attempt.kinds
    assert kinds["user_time_seconds"] == BOUND
    assert kinds["system_time_seconds"] == EXACT
    assert kinds["cpu_avg"] == BOUND
    assert "memory_max_mb" not in kinds  # not measured, so not known in any way


def test_output_is_kept_from_both_ends():
    fold = begun()
    whole = bytes(range(256)) * 1024  # 256 KiB
    for offset in range(0, len(whole), 50_000):
        block = whole[offset : offset + 50_000]
        fold.tell(Output(0.1, "stdout", offset, block, offset + len(block), 0))
    kept = fold.attempt.output["stdout"]
    assert kept.head == whole[:KEPT]
    assert kept.tail == whole[-KEPT:]
    assert kept.size == len(whole)
    assert "bytes not kept" in kept.text()


def test_a_gap_between_two_events_starts_the_tail_anew():
    fold = begun()
    fold.tell(Output(0.1, "stdout", 0, b"a" * KEPT, KEPT, 0))
    fold.tell(Output(0.2, "stdout", KEPT, b"old", KEPT + 3, 0))
    fold.tell(Output(0.3, "stdout", 10 * KEPT, b"new", 10 * KEPT + 3, 0))
    assert fold.attempt.output["stdout"].tail == b"new"


def test_short_output_is_whole_and_has_no_tail():
    fold = begun()
    fold.tell(Output(0.1, "stderr", 0, b"one\n", 4, 1))
    fold.tell(Output(0.2, "stderr", 4, b"two\n", 8, 2))
    kept = fold.attempt.output["stderr"]
    assert (kept.head, kept.tail, kept.lines, kept.text()) == (b"one\ntwo\n", b"", 2, "one\ntwo\n")


def test_a_lost_attempt_keeps_what_was_measured_as_lower_bounds():
    fold = begun()
    fold.tell(Sample(2.0, 2.0, values(cpu_seconds=1.5, cpu_percent=75.0, memory_bytes=MB, memory_peak_bytes=MB)))
    fold.tell(Output(2.0, "stdout", 0, b"x\n", 2, 1))
    lost = fold.lose()
    assert (lost.reason, lost.exit_code) == ("lost", None)
    assert lost.metrics["execution_time_seconds"] == 2.0
    assert lost.metrics["cpu_time_seconds"] == 1.5
    assert lost.metrics["stdout_lines"] == 1
    assert set(lost.kinds.values()) == {BOUND}
