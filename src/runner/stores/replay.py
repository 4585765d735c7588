"""Rebuilds a run from its journal, whatever state the journal was left in."""

from __future__ import annotations

import os
from itertools import pairwise

from runner.agent.events import decode
from runner.model.errors import StoreCorruptError
from runner.model.fold import KEPT, Fold
from runner.model.run import Attempt, Run, Tail
from runner.stores.journal import EVENTS
from runner.stores.reading import read_facts
from runner.stores.times import read_times

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def load(path: str) -> Run:
    """Rebuild the run of the journal at `path`; an attempt whose end is not in it is ``lost``, with all it measured.

    Raises:
        StoreCorruptError: It has no readable facts of a run; there is nothing to rebuild.
    """
    try:
        run, _ = read_facts(path)
    except OSError as error:
        raise StoreCorruptError(f"the journal {path} can't be read ({error})") from None
    attempts = [_finish(path, fold, closed, run.started) for fold, closed in _read_events(path)]
    run.attempts = attempts or [_finish(path, Fold(1), None, run.started)]
    for before, attempt in pairwise(attempts):
        if not attempt.delay and before.ended is not None:
            attempt.delay = max(0, attempt.started - before.ended) / 1e9
    return run


def _read_events(path: str) -> list[tuple[Fold, dict[str, Any] | None]]:
    """Return each attempt's events, folded, and what the runner itself had made of them, if it came to that."""
    from json import loads

    folds: dict[int, Fold] = {}
    closed: dict[int, dict[str, Any]] = {}
    number = 1
    try:
        with open(os.path.join(path, EVENTS), encoding="ascii", errors="replace") as file:
            lines = file.read().split("\n")
    except OSError:
        lines = []
    for line in lines:
        try:
            if line.startswith('{"attempt":'):
                number = int(loads(line)["attempt"])
                folds[number] = Fold(number)
            elif line.startswith('{"closed":'):
                facts = loads(line)["closed"]
                closed[facts["number"]] = facts
                folds.setdefault(facts["number"], Fold(facts["number"]))
            elif line.startswith('{"curve":'):
                _restore_curve(folds.setdefault(number, Fold(number)), loads(line)["curve"])
            elif line:
                folds.setdefault(number, Fold(number)).tell(decode(line))
        except (ValueError, KeyError, TypeError, StoreCorruptError):
            continue  # cut short when the runner died or the disk was full, or of a newer version
    return [(folds[key], closed.get(key)) for key in sorted(folds)]


def _restore_curve(fold: Fold, packed: str) -> None:
    from binascii import a2b_base64

    from runner.stores.codec import decode_curve

    fold.curve = fold.attempt.curve = decode_curve(a2b_base64(packed))


def _finish(path: str, fold: Fold, closed: dict[str, Any] | None, started: int) -> Attempt:
    attempt = fold.attempt
    attempt.started = attempt.started or started
    attempt.output = _read_output(path, attempt.number)
    if closed is not None:
        for name, value in closed.items():
            if hasattr(attempt, name):
                try:
                    setattr(attempt, name, value)
                except AttributeError:
                    continue  # computed
    elif not attempt.reason:
        fold.lose()
    return attempt


def _read_output(path: str, number: int) -> dict[str, Tail]:
    """Return what is kept of the output of an attempt, from the files of its streams."""
    found: dict[str, list[int]] = {}
    for name in os.listdir(path):
        stream, _, place = name.partition(f".{number}.")
        if place.isdigit() and stream in ("stdout", "stderr"):
            found.setdefault(stream, []).append(int(place))
    return {stream: _read_stream(f"{path}/{stream}.{number}", sorted(found[stream])) for stream in sorted(found)}


def _read_stream(stem: str, offsets: list[int]) -> Tail:
    tail = Tail()
    for offset in offsets:
        with open(f"{stem}.{offset}", "rb") as file:
            data = file.read()
        if offset == 0:
            tail.head = data[:KEPT]
            rest = data[KEPT:]
        else:
            rest = data
        whole = offset == tail.size  # otherwise what lies between was not kept
        tail.tail = (tail.tail + rest if whole else rest)[-KEPT:]
        tail.size = offset + len(data)
        tail.lines += data.count(b"\n")
    tail.moments = read_times(stem)
    tail.moments.prune(tail.size, KEPT, KEPT)
    return tail
