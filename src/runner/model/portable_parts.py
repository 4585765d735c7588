"""The parts of a run's portable record that are more than one value: instants, attempts, samples and output."""

from __future__ import annotations

from runner.agent.events import SAMPLE_FIELDS
from runner.model import metrics
from runner.model.curve import Bucket, Curve
from runner.model.moments import Moments
from runner.model.run import Attempt, Tail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from runner.model.run import Run

_BILLION = 1_000_000_000
_DAY = 86_400
#: Beginning of a text that is the base64 of bytes which are no UTF-8.
_BASE64 = "_base64"

#: Seconds at the start of a day -> the day as text; runs are exported in the order of their starts.
_days: dict[int, str] = {}


#: What is known of an alert in a run, in the order of its columns in a store.
ALERT_FIELDS = ("time", "rule", "severity", "condition", "outcome", "during", "text")

#: What a record raises whose parts are missing or of the wrong kind; `told` says it to a person.
BAD_PARTS = (KeyError, IndexError, TypeError, AttributeError, OverflowError)


def told(error: Exception) -> str:
    """Return what is wrong with data that could not be taken apart, without the words of Python."""
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    if isinstance(error, IndexError):
        return "a list is too short"
    return "a number is out of range" if isinstance(error, OverflowError) else "a value is of the wrong kind"


def stamp(nanoseconds: int) -> str:
    """Return an instant (ns since the epoch, UTC) in ISO 8601, UTC, to the nanosecond."""
    seconds, rest = divmod(nanoseconds, _BILLION)
    day, second = divmod(seconds, _DAY)
    text = _days.get(day)
    if text is None:
        from time import gmtime, strftime

        if len(_days) > 4000:
            _days.clear()
        text = _days[day] = strftime("%Y-%m-%dT", gmtime(seconds))
    minute, second = divmod(second, 60)
    return f"{text}{minute // 60:02d}:{minute % 60:02d}:{second:02d}.{rest:09d}Z"


def instant(text: str) -> int:
    """Return the instant that an ISO 8601 text names (local where it has no offset), in ns since the epoch, UTC.

    Raises:
        ValueError: It names none.
    """
    from datetime import datetime

    whole, point, rest = text.strip().partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    offset = rest[digits:] if point else ""
    moment = datetime.fromisoformat(whole + offset)
    # Whole seconds are exact in a float; the fraction never becomes one.
    return int(moment.timestamp()) * _BILLION + int(rest[:digits][:9].ljust(9, "0"))


def weaker_kinds(attempt: Attempt) -> dict[str, str]:
    """Return how those figures are known that are known less well than usual."""
    usual = metrics.kinds(attempt.metrics, {})
    return {name: kind for name, kind in attempt.kinds.items() if kind != usual.get(name)}


def attempt_record(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as plain data, without samples and output; what is None or empty is left out."""
    record = {
        "number": attempt.number,
        "delay_seconds": attempt.delay,
        "start_time": stamp(attempt.started),
        "end_time": None if attempt.ended is None else stamp(attempt.ended),
        "reason": attempt.reason,
        "exit_code": attempt.exit_code,
        "signal": attempt.signal,
        "error_type": attempt.error_type,
        "error_message": attempt.error_message,
        "merged": attempt.merged,
        "kinds": weaker_kinds(attempt),
        "metrics": {name: value for name, value in attempt.metrics.items() if value is not None},
    }
    return {key: value for key, value in record.items() if value is not None and value != {}}


def attempt_of(record: Mapping[str, Any]) -> Attempt:
    """Build an attempt from `attempt_record`.

    Raises:
        KeyError, TypeError, ValueError: Something is missing or of the wrong kind.
    """
    attempt = Attempt(int(record["number"]), instant(record["start_time"]))
    if not 0 < attempt.number < 1 << 31:
        raise OverflowError
    attempt.delay = float(record.get("delay_seconds", 0.0))
    attempt.ended = instant(record["end_time"]) if record.get("end_time") else None
    attempt.reason = str(record["reason"])
    attempt.exit_code, attempt.signal = record.get("exit_code"), record.get("signal")
    attempt.error_type, attempt.error_message = record.get("error_type"), record.get("error_message")
    attempt.merged = bool(record.get("merged"))
    set_figures(attempt, record.get("metrics") or {}, record.get("kinds") or {})
    return attempt


def set_figures(attempt: Attempt, figures: Mapping[str, Any], weaker: Mapping[str, str]) -> None:
    """Give an attempt its metrics; those of the catalog that are not among `figures` are not known."""
    attempt.metrics = {name: figures.get(name) for name in metrics.BY_NAME}
    attempt.kinds = {**metrics.kinds(attempt.metrics, {}), **weaker}


def samples_record(run: Run) -> list[dict[str, Any]]:
    """Return what was sampled, a list of columns for each attempt.

    ``t`` is the end of a stretch in seconds since the start of the attempt and ``span`` its length; each field is the
    mean over the stretch, beside ``<field>_low`` and ``<field>_high`` where several samples were folded into one.
    """
    return [curve_record(attempt.number, attempt.curve) for attempt in run.attempts
            if attempt.curve is not None and attempt.curve.samples]  # fmt: skip


def curve_record(number: int, curve: Curve) -> dict[str, Any]:
    """Return the curve of the attempt of that number (see `samples_record`)."""
    buckets = curve.buckets
    record: dict[str, Any] = {
        "attempt": number,
        "memory": curve.memory,
        "samples": curve.samples,
        "t": [bucket.t for bucket in buckets],
        "span": [bucket.span for bucket in buckets],
    }
    single = curve.samples <= len(buckets)
    for index, field in enumerate(SAMPLE_FIELDS):
        if single:
            record[field] = [bucket.high[index] for bucket in buckets]
            continue
        record[field] = [bucket.mean(index) for bucket in buckets]
        record[field + "_low"] = [bucket.low[index] for bucket in buckets]
        record[field + "_high"] = [bucket.high[index] for bucket in buckets]
    return record


def curve_of(record: Mapping[str, Sequence[Any]]) -> Curve:
    """Build a curve from `curve_record`.

    Raises:
        KeyError, TypeError, ValueError: Something is missing or of the wrong kind.
    """
    times, spans = record["t"], record["span"]
    absent: list[None] = [None] * len(times)
    means = [record.get(field, absent) for field in SAMPLE_FIELDS]
    lows = [record.get(field + "_low", means[index]) for index, field in enumerate(SAMPLE_FIELDS)]
    highs = [record.get(field + "_high", means[index]) for index, field in enumerate(SAMPLE_FIELDS)]
    if any(len(column) != len(times) for column in [spans, *means, *lows, *highs]):
        raise ValueError("columns of samples differ in length")
    buckets = []
    for row, t in enumerate(times):
        bucket = Bucket(float(t), float(spans[row]), _floats(means, row))
        bucket.low, bucket.high = _floats(lows, row), _floats(highs, row)
        buckets.append(bucket)
    return Curve.restore(str(record["memory"]), int(record["samples"]), buckets)  # type: ignore[call-overload]


def _floats(columns: Sequence[Sequence[Any]], row: int) -> list[float | None]:
    return [None if column[row] is None else float(column[row]) for column in columns]


def output_record(run: Run) -> list[dict[str, Any]]:
    """Return what was kept of the output of each attempt; bytes that are no UTF-8 are in ``..._base64``.

    ``times``, where known, says when it was written: for each entry how many bytes and milliseconds it is after the one
    before, the first after the start of the attempt.
    """
    found = []
    for attempt in run.attempts:
        for stream, tail in attempt.output.items():
            if tail.size:
                times = {"times": tail.moments.to_list()} if len(tail.moments) else {}
                found.append({"attempt": attempt.number, "stream": stream, "size": tail.size, "lines": tail.lines,
                              **_readable("head", tail.head), **_readable("tail", tail.tail), **times})  # fmt: skip
    return found


def alert_record(alert: Mapping[str, Any]) -> dict[str, Any]:
    """Return what became of an alert in a run (an item of `Run.alerts`) as plain data that JSON can carry.

    It has `ALERT_FIELDS`: ``time``, when it was judged, ``during``, whether the run still lasted, and texts.
    """
    return {**alert, "time": stamp(alert["time"])}


def alert_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Build an item of `Run.alerts` from `alert_record`.

    Raises:
        KeyError, TypeError, ValueError: Something is missing or of the wrong kind.
    """
    alert = {name: record[name] for name in ALERT_FIELDS}
    for name, value in alert.items():
        known = bool if name == "during" else str
        # What was found may quote names of files, which need be no Unicode.
        if type(value) is not known or (name != "text" and not is_unicode(str(value))):
            raise ValueError(f"{name} of an alert can't be {str(value)[:40]!r}")
    alert["time"] = instant(alert["time"])
    if not 0 <= alert["time"] < 1 << 63:
        raise OverflowError
    return alert


def is_unicode(value: str) -> bool:
    """Whether a text can be written as UTF-8; names of files need not be."""
    return value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value)


def stream_of(record: Mapping[str, Any]) -> str:
    """Return which stream an item of `output_record` is of.

    Raises:
        KeyError, ValueError: It is missing, or no text.
    """
    stream = record["stream"]
    if not isinstance(stream, str) or not stream.isprintable():
        raise ValueError(f"a stream can't be {str(stream)[:40]!r}")
    return stream


def tail_of(record: Mapping[str, Any]) -> Tail:
    """Build what was kept of a stream from an item of `output_record`."""
    size, lines = int(record["size"]), int(record["lines"])
    if not (0 <= size < 1 << 63 and 0 <= lines < 1 << 63):
        raise ValueError("the size of an output is out of range")
    tail = Tail(_bytes(record, "head"), _bytes(record, "tail"), size, lines)
    times = list(map(int, record.get("times") or ()))
    if not all(0 <= number < 1 << 63 for number in times):
        raise ValueError("the times of an output are out of range")
    tail.moments = Moments.from_list(times)
    return tail


def _readable(name: str, data: bytes) -> dict[str, str]:
    try:
        return {name: data.decode("utf-8")}
    except UnicodeDecodeError:
        from binascii import b2a_base64

        return {name + _BASE64: b2a_base64(data, newline=False).decode("ascii")}


def _bytes(record: Mapping[str, Any], name: str) -> bytes:
    if name + _BASE64 in record:
        from binascii import a2b_base64

        return a2b_base64(record[name + _BASE64])
    return str(record.get(name, "")).encode("utf-8")
