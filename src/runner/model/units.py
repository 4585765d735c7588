"""Quantities as people read and write them."""

from __future__ import annotations

_SECONDS = {
    "ms": 0.001,
    **dict.fromkeys(("s", "sec", "secs"), 1.0),
    **dict.fromkeys(("m", "min", "mins"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
    **dict.fromkeys(("w", "week", "weeks"), 7 * 86_400.0),
    **dict.fromkeys(("y", "year", "years"), 365 * 86_400.0),
}
_BYTES = ("B", "KB", "MB", "GB", "TB", "PB")


def parse_seconds(text: str) -> float:
    """Return the seconds in ``90``, ``1.5``, ``250ms``, ``5m``, ``1h30m``, ``7d``, ``2weeks`` or ``1y`` (365 days).

    Raises:
        ValueError: The text is no duration.
    """
    stripped = text.strip().lower()
    try:
        value = float(stripped)
    except ValueError:
        value = _sum_of_parts(stripped, text)
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"{text!r} is not a finite duration")
    return value


def _sum_of_parts(stripped: str, text: str) -> float:
    total = 0.0
    rest = stripped.replace(" ", "") or "nothing"
    while rest:
        digits = len(rest) - len(rest.lstrip("0123456789."))
        letters = digits
        while letters < len(rest) and rest[letters].isalpha():
            letters += 1
        unit = _SECONDS.get(rest[digits:letters])
        if not digits or unit is None:
            raise ValueError(f"{text!r} is not a duration (such as 90, 1.5, 5m or 1h30m)")
        try:
            total += float(rest[:digits]) * unit
        except ValueError:
            raise ValueError(f"{text!r} is not a duration (such as 90, 1.5, 5m or 1h30m)") from None
        rest = rest[letters:]
    return total


def parse_bytes(text: str) -> int:
    """Return the bytes in ``2GB``, ``1.5 g``, ``512MiB`` or ``4096`` (MB is 2**20 bytes, as everywhere in the runner).

    Raises:
        ValueError: The text is no size.
    """
    stripped = text.strip().upper()
    number = stripped.rstrip("KMGTPIB")
    unit = stripped[len(number) :].replace("IB", "B")
    powers = {"": 0, **{name: power for power, full in enumerate(_BYTES) for name in (full, full[0])}}
    try:
        size = float(number) * 1024 ** powers[unit]
        return int(size)  # neither of infinity nor of no number
    except (KeyError, ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a size (such as 500MB, 2GB or 1.5GB)") from None


def parse_value(text: str, unit: str) -> float:
    """Return a figure as people write it, in the unit the metric catalog gives it.

    Args:
        text: A plain number is in that unit; ``5m``, ``2GB`` and ``90%`` are understood where the unit has such.
        unit: A unit of the catalog.

    Raises:
        ValueError: It is no such figure.
    """
    word = text.strip()
    try:
        value = float(word)
    except ValueError:
        if unit == "seconds":
            return parse_seconds(word)
        if unit in ("MB", "bytes"):
            return parse_bytes(word) / (1 if unit == "bytes" else 1 << 20)
        if unit == "percent" and word.endswith("%"):
            return parse_value(word[:-1], "")
        raise ValueError(f"{text!r} is not a number" + (" of percent (90%)" if unit == "percent" else "")) from None
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"{text!r} is not a finite number")
    return value


def format_seconds(seconds: float) -> str:
    """Return a duration to three digits or so: ``812 ms``, ``5.31 s``, ``4 min 05 s``, ``2 h 03 min``."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g} ms" if seconds >= 0.001 else f"{seconds * 1e6:.0f} us"
    if seconds < 59.995:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def format_bytes(count: float) -> str:
    """Return a size to three digits: ``512 B``, ``1.21 MB`` (MB is 2**20 bytes, as everywhere in the runner)."""
    size = float(count)
    for unit in _BYTES:
        if size < 999.5 or unit == _BYTES[-1]:
            return f"{size:.0f} B" if unit == "B" else f"{size:.3g} {unit}"
        size /= 1024
    raise AssertionError


def format_count(count: float) -> str:
    """Return a whole number with its thousands apart: ``12,345``."""
    return f"{count:,.0f}"


def format_value(value: float, unit: str) -> str:
    """Return a figure as people read it, by the unit the metric catalog gives it."""
    if unit == "seconds":
        return format_seconds(value)
    if unit == "percent":
        return f"{value:.0f} %" if value >= 9.95 else f"{value:.1f} %"
    if unit == "MB":
        return format_bytes(value * (1 << 20))
    if unit == "bytes":
        return format_bytes(value)
    if unit == "bytes/s":
        return f"{format_bytes(value)}/s"
    return format_count(value)


def format_change(part: float | None) -> str:
    """Return a relative change as people read it: ``+12 %``, ``-0.4 %``; ``-`` for one that is not known."""
    if part is None:
        return "-"
    if abs(part) < 0.0005:
        return "0 %"
    return f"{100 * part:+,.{1 if abs(part) < 0.0095 else 0}f} %"
