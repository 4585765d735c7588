"""Packs what is large: the curve of an attempt column by column, output and texts by compression.

A curve is its columns one after the other, each a row of doubles (not-a-number stands for what was not read). Their
bytes are grouped by their place in the number: neighbours share sign, exponent and first digits, so the compressor
finds long runs. The header says how many columns there are and in which layout, so that fields can be added.
"""

from __future__ import annotations

from struct import pack as pack_numbers
from struct import unpack as unpack_numbers
from zlib import compress, decompress
from zlib import error as ZlibError

from runner.agent.events import SAMPLE_FIELDS, dumps
from runner.model.curve import Bucket, Curve
from runner.model.errors import StoreCorruptError

VERSION = 1

_ABSENT = float("nan")


def pack(data: bytes) -> bytes:
    """Compress bytes; quickly rather than well, since a person is waiting."""
    return compress(data, 3)


def unpack(data: bytes) -> bytes:
    """Return the bytes that `pack` compressed.

    Raises:
        StoreCorruptError: They are damaged.
    """
    try:
        return decompress(data)
    except ZlibError as error:
        raise StoreCorruptError(f"a compressed value is damaged ({error})") from None


def encode_curve(curve: Curve) -> bytes:
    """Return a curve as a blob: for each bucket its end and span, and of each field mean, lowest and highest."""
    buckets = curve.buckets
    columns = [[bucket.t for bucket in buckets], [bucket.span for bucket in buckets]]
    # While each bucket is one sample, its mean, minimum and maximum are the same number.
    single = curve.samples <= len(buckets)
    for index in range(len(SAMPLE_FIELDS)):
        if not single:
            columns.append([_known(bucket.mean(index)) for bucket in buckets])
            columns.append([_known(bucket.low[index]) for bucket in buckets])
        columns.append([_known(bucket.high[index]) for bucket in buckets])
    head = {
        "v": VERSION,
        "memory": curve.memory,
        "samples": curve.samples,
        "buckets": len(buckets),
        "fields": SAMPLE_FIELDS,
        "single": single,
    }
    return pack(dumps(head).encode("ascii") + b"\n" + b"".join(_shuffle(column) for column in columns))


def decode_curve(blob: bytes) -> Curve:
    """Build the curve that `encode_curve` packed.

    Raises:
        StoreCorruptError: The blob is damaged, or of a newer version.
    """
    from json import loads

    line, _, body = unpack(blob).partition(b"\n")
    try:
        head = loads(line)
        count, fields, single = head["buckets"], head["fields"], head["single"]
        if head["v"] != VERSION or len(body) != 8 * count * (2 + len(fields) * (1 if single else 3)):
            raise ValueError(f"curve of version {head['v']} with {len(body)} bytes")
    except (ValueError, KeyError, TypeError) as error:
        raise StoreCorruptError(f"the samples of an attempt are damaged ({error})") from None
    columns = [_unshuffle(body[start : start + 8 * count]) for start in range(0, len(body), 8 * count)] if count else []
    return Curve.restore(head["memory"], head["samples"], _buckets(columns, fields, count, single))


def _buckets(columns: list[tuple[float, ...]], fields: list[str], count: int, single: bool) -> list[Bucket]:
    # A field that this version does not know is passed over, one that the blob does not have was not read.
    width = 1 if single else 3
    places = [2 + width * fields.index(name) if name in fields else None for name in SAMPLE_FIELDS]
    buckets = []
    for row in range(count):
        means = [None if place is None else _value(columns[place][row]) for place in places]
        bucket = Bucket(columns[0][row], columns[1][row], means)
        if not single:
            bucket.low = [None if place is None else _value(columns[place + 1][row]) for place in places]
            bucket.high = [None if place is None else _value(columns[place + 2][row]) for place in places]
        buckets.append(bucket)
    return buckets


def _known(value: float | None) -> float:
    return _ABSENT if value is None else value


def _value(number: float) -> float | None:
    return None if number != number else number


def _shuffle(column: list[float]) -> bytes:
    data = pack_numbers(f"<{len(column)}d", *column)
    return b"".join(data[place::8] for place in range(8))


def _unshuffle(data: bytes) -> tuple[float, ...]:
    count = len(data) // 8
    plain = bytearray(len(data))
    for place in range(8):
        plain[place::8] = data[place * count : (place + 1) * count]
    return unpack_numbers(f"<{count}d", plain)
