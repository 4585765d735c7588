"""The samples of one attempt, kept as at most `LIMIT` buckets of minimum, mean and maximum."""

from __future__ import annotations

from runner.agent.events import SAMPLE_FIELDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.agent.events import Sample

LIMIT = 5000

_INDEX = {name: index for index, name in enumerate(SAMPLE_FIELDS)}


class Bucket:
    """Neighbouring samples folded together: for each field its minimum, sum over time and maximum."""

    __slots__ = ("high", "low", "span", "t", "weighted")

    def __init__(self, t: float, span: float, values: list[float | None]) -> None:
        self.t = t  #: seconds since the start, at the end of the bucket
        self.span = span  #: seconds it covers
        self.low = list(values)
        self.high = list(values)
        self.weighted = [None if value is None else value * span for value in values]

    def absorb(self, later: Bucket) -> None:
        """Fold the bucket that follows into this one."""
        self.t = later.t
        self.span += later.span
        for index, weighted in enumerate(later.weighted):
            if weighted is None:
                continue
            mine = self.weighted[index]
            if mine is None:
                self.low[index] = later.low[index]
                self.high[index] = later.high[index]
                self.weighted[index] = weighted
                continue
            self.low[index] = min(self.low[index], later.low[index])  # type: ignore[type-var]
            self.high[index] = max(self.high[index], later.high[index])  # type: ignore[type-var]
            self.weighted[index] = mine + weighted

    def mean(self, index: int) -> float | None:
        """Return the time-weighted mean of one field, None where it was never read."""
        weighted = self.weighted[index]
        if weighted is None:
            return None
        return weighted / self.span if self.span > 0 else self.high[index]


class Curve:
    """All samples of an attempt, in bounded memory: when the buckets run out, neighbours are joined in pairs."""

    def __init__(self, memory: str = "rss") -> None:
        self.memory = memory  #: which memory was sampled, "rss" or "pss"
        self.buckets: list[Bucket] = []
        self.samples = 0
        self._per_bucket = 1
        self._open = 0
        self._whole: Bucket | None = None

    @classmethod
    def restore(cls, memory: str, samples: int, buckets: list[Bucket]) -> Curve:
        """Build a curve from the buckets of one that was kept; more samples can be added to it."""
        curve = cls(memory)
        curve.samples = samples
        curve.buckets = buckets
        while curve._per_bucket * len(buckets) < samples:
            curve._per_bucket *= 2
        curve._open = samples - curve._per_bucket * (len(buckets) - 1)
        for bucket in buckets:
            if curve._whole is None:
                curve._whole = Bucket(0.0, 0.0, [None] * len(SAMPLE_FIELDS))
            curve._whole.absorb(bucket)
        return curve

    def add(self, sample: Sample) -> None:
        """Take one more sample, later than all before."""
        bucket = Bucket(sample.t, sample.span, sample.values)
        self.samples += 1
        if self._whole is None:
            self._whole = Bucket(sample.t, sample.span, sample.values)
        else:
            self._whole.absorb(bucket)
        if self._open and self._open < self._per_bucket:
            self.buckets[-1].absorb(bucket)
            self._open += 1
            return
        if len(self.buckets) >= LIMIT:
            self._halve()
        self.buckets.append(bucket)
        self._open = 1

    def coarsened(self, span: float) -> Curve:
        """Return this curve with its buckets folded into slots of `span` seconds since the start."""
        from copy import copy

        buckets: list[Bucket] = []
        slot = -1.0
        for bucket in self.buckets:
            # A bucket is told by its end, which belongs to the slot that it closes.
            mine = -(-(bucket.t - 1e-9) // span)
            if buckets and mine == slot:
                buckets[-1].absorb(bucket)
                continue
            slot = mine
            buckets.append(copy(bucket))
            for name in ("low", "high", "weighted"):
                setattr(buckets[-1], name, list(getattr(bucket, name)))
        return Curve.restore(self.memory, self.samples, buckets)

    def _halve(self) -> None:
        joined = self.buckets[::2]
        for left, right in zip(joined, self.buckets[1::2], strict=False):
            left.absorb(right)
        self.buckets = joined
        self._per_bucket *= 2

    def maximum(self, field: str) -> float | None:
        """Return the highest value of a sample field, None without samples."""
        return self._whole.high[_INDEX[field]] if self._whole else None

    def minimum(self, field: str) -> float | None:
        """Return the lowest value of a sample field, None without samples."""
        return self._whole.low[_INDEX[field]] if self._whole else None

    def mean(self, field: str) -> float | None:
        """Return the time-weighted mean of a sample field, None without samples."""
        return self._whole.mean(_INDEX[field]) if self._whole else None
