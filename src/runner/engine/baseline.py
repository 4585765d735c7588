"""A baseline: a file with the last runs of a script, that a new run is compared with."""

from __future__ import annotations

from runner.analysis.regression import RECENT, ceiling
from runner.analysis.robust import median
from runner.analysis.usual import LEAST
from runner.engine.baseline_key import DEFAULT, Key
from runner.model.likeness import arguments_shape, host_class
from runner.model.metric import is_figure
from runner.model.metrics import (
    BLOCK_IO_READ,
    BLOCK_IO_WRITE,
    BY_NAME,
    INVOLUNTARY_CONTEXT_SWITCHES,
    PAGE_FAULTS_MAJOR,
    PAGE_FAULTS_MINOR,
    VOLUNTARY_CONTEXT_SWITCHES,
)
from runner.model.reference import Reference
from runner.model.run import iso, label_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Self

    from runner.model.metric import Metric
    from runner.model.run import Run

#: Version of the format that this version writes, and the newest that it reads.
VERSION = 1
#: Runs that a series keeps, and runs of its beginning that it is held against for ever.
KEPT, START = 20, 5
#: Series that a file keeps: those last added to.
SERIES = 50
#: Bytes beyond which a file is no baseline.
LARGEST = 16 << 20
#: Runs on hosts of the same class that are enough to compare with these alone.
ENOUGH_ALIKE = 5

#: What the file says that it is.
FORMAT = "runner-baseline"
#: Units of figures that differ a little between any two runs: a smaller change is chance, whatever the runs say.
_GRAINY = ("seconds", "MB", "percent")
#: Counts that do too, since what the kernel has in its caches and who else runs decides on them as well.
_OF_THE_KERNEL = (
    PAGE_FAULTS_MINOR, PAGE_FAULTS_MAJOR, VOLUNTARY_CONTEXT_SWITCHES, INVOLUNTARY_CONTEXT_SWITCHES, BLOCK_IO_READ,
    BLOCK_IO_WRITE,
)  # fmt: skip
#: Runs that tell something of how much a figure differs from one to the next.
_TELLING = 3


def chance(values: Sequence[float], metric: Metric, start: Sequence[float] = ()) -> tuple[float, float]:
    """Return what a single run may show at least and at most by chance.

    Args:
        values: The figure in earlier runs, oldest first; at least one.
        metric: What it is a figure of.
        start: The figure in the runs with which everything began, to hold a run against those instead.
    """
    level, grain = median(start or values), _grain(metric, len(values))
    low = -ceiling([-value for value in values], [-value for value in start])
    return min(low, level - grain), max(ceiling(values, start), level + grain)


def _grain(metric: Metric, runs: int) -> float:
    """Return the change of a metric, in its unit, below which all is chance: a part of zero would be none."""
    differs = metric.unit in _GRAINY or metric in _OF_THE_KERNEL
    # What a script writes, of which no way is worse, is its own doing from the first run on.
    unknown = runs < _TELLING and metric.more_is_worse is not None
    return LEAST[metric.unit] if differs or unknown else 0.0


class Series:
    """Runs of one script under one key, the oldest first; each is a plain dict as the file has it.

    Attributes:
        script: What people call the script, "" where the file does not say.
        key: Branch and machine.
        start: The runs with which it began, or the level that was accepted since.
        runs: The last ones.
    """

    __slots__ = ("key", "runs", "script", "start")

    def __init__(
        self, script: str, key: str, start: Sequence[dict[str, Any]] = (), runs: Sequence[dict[str, Any]] = ()
    ) -> None:
        self.script = script
        self.key = key
        self.start = list(start)
        self.runs = list(runs)

    def add(self, entry: dict[str, Any]) -> None:
        """Add a run."""
        if len(self.start) < START:
            self.start.append(entry)
        self.runs = [*self.runs, entry][-KEPT:]

    def accept(self) -> None:
        """Let the newest runs be what later ones are held against."""
        self.start = self.runs[-START:]

    def to_dict(self) -> dict[str, Any]:
        """Return it as the file has it."""
        return {"script": self.script, "key": self.key, "start": self.start, "runs": self.runs}


class Baseline:
    """The runs that a new one is compared with.

    Args:
        path: The file.
        series: What is in it.

    Attributes:
        missing: Whether there is no such file yet.
        chosen: The series that figures come from, None where there is none.
    """

    def __init__(self, path: str = "", series: Sequence[Series] = (), missing: bool = False) -> None:
        self.path = path
        self.series = list(series)
        self.missing = missing
        self.key = Key()
        self.chosen: Series | None = self.series[-1] if self.series else None
        self._host = ""

    @classmethod
    def load(cls, path: str, flag: str = "--baseline") -> Self:
        """Read a file: a baseline, a JSON report of a run, or an object of figures. None there is an empty baseline.

        Args:
            path: The file.
            flag: What messages call it.

        Raises:
            UsageError: It can't be read, or is none of these.
        """
        from runner.engine.baseline_file import read

        found = read(path, flag)
        return cls(path, found or (), found is None)

    def choose(self, key: Key, entry: Mapping[str, Any]) -> None:
        """Choose the series to compare a run with: that of its script, branch and machine, or what comes next to it.

        Args:
            key: Branch and machine.
            entry: The run as a baseline keeps it (`entry_of`).
        """
        self.key = key
        self._host = entry.get("host_class") or ""
        own = entry.get("script")
        same = [series for series in self.series if own and series.script == own]
        known = same or [series for series in self.series if not series.script]
        if not known:  # what another script costs says nothing of this one, unless a report of it was named for that
            known = [series for series in self.series if not own or not series.key]
        by_key = {series.key: series for series in known}
        self.chosen = next((by_key[name] for name in key.wanted() if name in by_key), None)
        if self.chosen is None and known and not (key.explicit and any(series.key for series in known)):
            branches = [name.partition("@")[0] for name in key.wanted()]
            near = [series for series in known if series.key.partition("@")[0] in branches]
            self.chosen = (near or known)[-1]

    def notices(self, entry: Mapping[str, Any]) -> list[str]:
        """Return lines to tell of what a run (as a baseline keeps it) is compared with."""
        from runner.engine.judging import CHANGED, differences

        if self.missing:
            return [f"no baseline yet: {self.path} does not exist; nothing was compared"]
        chosen, wanted, own = self.chosen, self.key.wanted(), entry.get("script")
        if chosen is None and self.series and not any(series.script in ("", own) for series in self.series):
            known = ", ".join(sorted({series.script for series in self.series}))
            return [f"{self.path} has no runs of {own} yet (it has {known}); nothing was compared"]
        if chosen is None:
            known = ", ".join(sorted({series.key for series in self.series})) or "nothing"
            return [f"{self.path} has no runs under {wanted[0]} (it has {known}); nothing was compared"]
        if not any(run["figures"] for run in chosen.runs):
            lacking = "figures in its runs" if chosen.runs else "runs"
            return [f"{self.path} has no {lacking} under {chosen.key or wanted[0]}; nothing was compared"]
        said = []
        if chosen.key and chosen.key not in wanted:
            said.append(f"{self.path} has no runs under {wanted[0]} yet: compared with those under {chosen.key}")
        alike = [run for run in chosen.runs if run.get("host_class") == entry.get("host_class")]
        told = differences((alike or chosen.runs)[-1], entry)
        if told == [CHANGED]:  # what a build is there for
            return [*said, "the script has changed since the baseline was measured"]
        return [*said, *([f"the baseline was measured otherwise: {'; '.join(told)}"] if told else [])]

    def reference(self, metric: str) -> Reference | None:
        """Return the level of a metric in the runs kept, None where none of them has it."""
        if self.chosen is None:
            return None
        values = self._values(self.chosen.runs, metric)
        if not values:
            return None
        low, high = chance(values, BY_NAME[metric])
        label = f"median of {len(values)} runs" if len(values) > 1 else "the only run of the baseline"
        return Reference(median(values), low, high, len(values), label)

    def beginning(self, metric: str) -> Reference | None:
        """Return the level with which the series began, None where it has not moved since.

        It has moved where the last runs are half the way to what chance leaves a single run, or further: the beginning
        may have been a little faster or slower by chance, which no later run is to be blamed for.
        """
        if self.chosen is None or len(self.chosen.runs) <= len(self.chosen.start):
            return None
        values, start = (self._values(entries, metric) for entries in (self.chosen.runs, self.chosen.start))
        if not values or not start:
            return None
        low, high = chance(values, BY_NAME[metric], start)
        level, now = median(start), median(values[-RECENT:])
        if (level + low) / 2 < now < (level + high) / 2:
            return None
        since = str(self.chosen.start[0].get("started") or "")[:10]
        return Reference(level, low, high, len(start), f"where the baseline began{since and ' on ' + since}")

    def references(self, metric: str) -> list[Reference]:
        """Return all that a metric is held against: the level of the runs kept, and that of the beginning."""
        return [found for found in (self.reference(metric), self.beginning(metric)) if found is not None]

    def _values(self, entries: Sequence[Mapping[str, Any]], metric: str) -> list[float]:
        having = [entry for entry in entries if metric in entry["figures"]]
        alike = [entry for entry in having if self._host and entry.get("host_class") == self._host]
        chosen = alike if len(alike) >= min(ENOUGH_ALIKE, len(having)) else having
        return [float(entry["figures"][metric]) for entry in chosen]

    def add(self, entry: dict[str, Any]) -> None:
        """Add a run to the series of its script and key; a new series goes on from the one it was compared with."""
        script, own = entry["script"], self.key.own
        for at, series in enumerate(self.series):
            if (series.script, series.key) == (script, own):
                self.series.append(self.series.pop(at))  # the one last added to is the last
                break
        else:
            before = self.chosen
            taken = before is not None and before.script in ("", script)
            runs = (before.start, before.runs) if before is not None and taken else ((), ())
            self.series.append(Series(script, own, *runs))
        self.series[-1].add(entry)
        self.series = self.series[-SERIES:]

    def save(self, path: str = "") -> None:
        """Write the file, whole or not at all.

        Args:
            path: Where to; "" for where it was read from.

        Raises:
            ReportError: It could not be written.
        """
        from runner.engine.baseline_file import write

        write(path or self.path, self)

    def to_dict(self) -> dict[str, Any]:
        """Return it as the file has it."""
        return {"format": FORMAT, "version": VERSION, "series": [series.to_dict() for series in self.series]}


def entry_of(run: Run, key: Key) -> dict[str, Any]:
    """Return what a baseline keeps of a run: its figures, and what they depend on."""
    return {
        "run_id": run.id,
        "started": iso(run.started),
        "script": label_of(run.name, run.script_path),
        "arguments": arguments_shape(run.args),
        "script_hash": run.script_hash,
        "python_version": run.python_version,
        "host": run.host.get("hostname"),
        "host_class": host_class(run.host),
        "git_commit": run.git_commit,
        "branch": "" if key.branch == DEFAULT or key.explicit else key.branch,
        "testbed": key.testbed,
        "figures": figures_of(run.last.metrics),
    }


def figures_of(values: Mapping[str, object]) -> dict[str, float]:
    """Return those values that are finite figures of the catalog."""
    return {name: value for name, value in values.items() if name in BY_NAME and is_figure(value)}
