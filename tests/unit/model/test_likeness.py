from __future__ import annotations

import pytest

from runner.model.likeness import arguments_shape, host_class

GIB = 1 << 30


@pytest.mark.parametrize(
    ("args", "shape"),
    [
        ("", ""),
        ("sync --since 2026-01-31 --fast data/in.csv", "sync --since * --fast *"),
        ("--rows=1000 --mode=quick", "--rows=* --mode=quick"),
        ("-5 -1.5 -v", "* * -v"),
        ("train-model other_word x.y", "train-model other_word *"),
    ],
)
def test_values_are_left_out_of_a_shape_and_words_are_not(args: str, shape: str) -> None:
    assert arguments_shape(args.split()) == shape


def test_a_shape_is_bounded() -> None:
    assert len(arguments_shape(["word"] * 100_000)) == 500


def test_a_class_names_what_decides_how_fast_a_host_is() -> None:
    facts = {"hostname": "a", "kernel": "Linux 6.1", "machine": "x86_64", "cores": 2, "memory_bytes": 23.5 * GIB}
    assert host_class({**facts, "cpu": "Xeon"}) == "Linux x86_64, 2 cores, 24 GB, Xeon"
    assert host_class({**facts, "hostname": "b", "kernel": "Linux 6.2"}) == "Linux x86_64, 2 cores, 24 GB"
    assert host_class({**facts, "cores": 1}) == "Linux x86_64, 1 core, 24 GB"
    assert host_class({}) == ""


@pytest.mark.parametrize(
    ("size", "sold"), [(0.48, 0.5), (0.97, 1), (3.8, 4), (5.8, 6), (7.75, 8), (15.5, 16), (31.2, 32), (47, 48)]
)
def test_memory_is_as_it_is_sold(size: float, sold: float) -> None:
    assert host_class({"memory_bytes": size * GIB}) == f"{sold:g} GB"
