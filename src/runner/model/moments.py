"""When the bytes of a stream were written: offsets and times, bounded however long the stream becomes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Entries kept of each part of a stream, its beginning and its end; those between are thinned out.
MOST = 1024


class Moments:
    """Entries (offset, seconds since the start of the attempt): what stands from that offset on was written by then.

    Output is told once a tick, so a time is that of the tick that told of it; where entries had to be thinned out, that
    of the last one kept.
    """

    __slots__ = ("offsets", "times")

    def __init__(self) -> None:
        self.offsets: list[int] = []
        self.times: list[float] = []

    def __len__(self) -> int:
        return len(self.offsets)

    def __iter__(self) -> Iterator[tuple[int, float]]:
        return zip(self.offsets, self.times, strict=True)

    def add(self, offset: int, t: float) -> None:
        """Add what was told last."""
        if self.offsets and offset <= self.offsets[-1]:
            return
        self.offsets.append(offset)
        self.times.append(t)

    def at(self, offset: int) -> float | None:
        """Return when the byte at `offset` was written, None where it is not known."""
        from bisect import bisect_right

        place = bisect_right(self.offsets, offset)
        return self.times[place - 1] if place else None

    def prune(self, size: int, head: int, tail: int) -> None:
        """Once there are many, forget what speaks of bytes between the first `head` and the last `tail` of `size`."""
        if len(self) <= MOST:
            return
        from bisect import bisect_right

        first = bisect_right(self.offsets, head - 1)
        last = max(first, bisect_right(self.offsets, size - tail) - 1)
        begin, end = self.offsets[:first], self.offsets[last:]
        begin_times, end_times = self.times[:first], self.times[last:]
        while len(begin) > MOST:
            begin, begin_times = begin[::2], begin_times[::2]
        while len(end) > MOST:
            end, end_times = end[::2], end_times[::2]
        self.offsets, self.times = begin + end, begin_times + end_times

    def to_list(self) -> list[int]:
        """Return plain numbers: for each entry how many bytes and milliseconds it is after the one before."""
        numbers = []
        offset = stamp = 0
        for place, t in self:
            now = round(t * 1000)
            numbers += [place - offset, now - stamp]
            offset, stamp = place, now
        return numbers

    @classmethod
    def from_list(cls, numbers: list[int]) -> Moments:
        """Build what `to_list` returned."""
        moments = cls()
        offset = stamp = 0
        for bytes_more, later in zip(numbers[::2], numbers[1::2], strict=True):
            offset += bytes_more
            stamp += later
            moments.offsets.append(offset)
            moments.times.append(stamp / 1000)
        return moments
