"""Exports the record: picks the runs and their columns, and streams them into a file."""

from __future__ import annotations

import os
from itertools import compress

from runner.engine.export_options import FORMATS
from runner.engine.history_options import moment_of
from runner.engine.queries import check_metric, presence
from runner.exporters import files, records
from runner.model import metrics
from runner.model.errors import UsageError
from runner.model.portable import COLUMNS, INDEX, batch_of
from runner.stores.base import RunFilter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from runner.engine.history import HistoryManager
    from runner.exporters.records import Written
    from runner.model.portable import Batch, Column
    from runner.model.run import Run
    from runner.stores.base import Script

    Tell = Callable[[int], None]

OPENMETRICS = FORMATS[-1]
_FLAG = "--export-output"
#: Runs taken in at a time where each brings its samples and its output with it.
_FEW = 20
_COMPRESSED = ".gz"
#: Endings of names that are called otherwise than the format.
_ENDINGS = {"ndjson": records.JSONL, "prom": OPENMETRICS, "om": OPENMETRICS, "pq": records.PARQUET}


class Export:
    """What is exported.

    Args:
        path: File to write; ``-`` is standard output.
        format: One of `FORMATS`; what the name of the file says where empty.
        wanted: Which runs; its order and its limit do not count.
        metrics: The only figures to export, of the runs that have one of them; none for all.
        samples: Whether what was sampled goes with it: inside JSON, beside CSV and Parquet.
        full: Whether everything does, so that an import restores it exactly.

    Raises:
        UsageError: That can't be.
    """

    def __init__(
        self,
        path: str,
        format: str = "",
        wanted: RunFilter | None = None,
        metrics: Sequence[str] = (),
        samples: bool = False,
        full: bool = False,
    ) -> None:
        files.check(path, _FLAG)
        self.path = path
        self.format = format or format_of(path)
        self.wanted = wanted or RunFilter()
        self.metrics = tuple(dict.fromkeys(metrics))
        self.full = full
        self.samples = samples and not full
        self._check()

    def _check(self) -> None:
        if self.format not in FORMATS:
            from runner.model.words import did_you_mean

            raise UsageError(f"runs can't be exported as {self.format!r}{did_you_mean(self.format, FORMATS)}")
        if self.full and self.metrics:
            raise UsageError("an export of everything can't be narrowed to some metrics")
        if self.format == OPENMETRICS and (self.full or self.samples):
            raise UsageError("openmetrics has the newest figures alone, neither samples nor output")
        if self.full and self.format == records.CSV:
            raise UsageError("csv can't hold samples and output; use jsonl, json or parquet for everything")
        if self.beside and files.stream_of(self.path):
            raise UsageError(f"the samples of {self.format} go into a file beside it: name it with {_FLAG}")
        if self.beside:
            files.check(self.beside, _FLAG)
        since, until = self.wanted.since, self.wanted.until
        if since is not None and until is not None and since >= until:
            raise UsageError("the export ends before it starts; exchange start and end")

    @property
    def beside(self) -> str:
        """The file that samples go to, "" where they don't go to a file of their own."""
        if not self.samples or self.format not in records.FLAT:
            return ""
        compressed = _COMPRESSED if self.path.endswith(_COMPRESSED) else ""
        stem, ending = os.path.splitext(self.path.removesuffix(compressed))
        return f"{stem}.samples{ending}{compressed}"

    def write(self, history: HistoryManager, tell: Tell | None = None) -> Written:
        """Write the export; no file, or the one that was there, is left where it fails.

        Args:
            history: The record.
            tell: Called now and then with the number of runs looked at so far.

        Raises:
            UsageError: There is no such metric, or the file is where the record would be.
            ReportError: It could not be written.
            StoreError: The database can't be read.
        """
        if os.path.realpath(self.path) == os.path.realpath(history.db_path):
            raise UsageError(f"{_FLAG}: {self.path} is the record itself; name another file")
        self._check_metrics(history)
        if self.format == OPENMETRICS:
            return self._write_openmetrics(history)
        places = records.select(self.full, self.metrics, self.samples and not self.beside)
        columns = [COLUMNS[place] for place in places]
        looked = [0]

        def narrowed(batches: Iterator[Batch]) -> Iterator[Batch]:
            for batch in batches:
                looked[0] += len(batch[0])
                kept = self._narrow(batch) if self.metrics else batch
                yield [kept[place] for place in places]

        def told(_: int) -> None:
            if tell is not None:
                tell(looked[0])

        if self.beside:
            return self._write_both(history, columns, narrowed, told)
        return records.write_batches(self.path, self.format, columns, narrowed(self._batches(history)), told)

    def _batches(self, history: HistoryManager) -> Iterator[Batch]:
        if not self.full and not self.samples:
            return history.scan_columns(self.wanted)
        return map(batch_of, history.scan(self.wanted, output=self.full, samples=True, size=_FEW))

    def _write_both(
        self,
        history: HistoryManager,
        columns: Sequence[Column],
        narrowed: Callable[[Iterator[Batch]], Iterator[Batch]],
        tell: Tell,
    ) -> Written:
        """Write the runs, and what was sampled of them into a file beside."""
        from runner.exporters import sample_columns

        with records.open_sink(self.beside, self.format) as sink:
            writer = records.WRITERS.load(self.format)(sink, sample_columns.COLUMNS)

            def batches() -> Iterator[Batch]:
                for runs in history.scan(self.wanted, samples=True, size=_FEW):
                    batch = sample_columns.samples_batch(self._with_metrics(runs))
                    if batch[0]:
                        writer.add(batch)
                    yield batch_of(runs)

            written = records.write_batches(self.path, self.format, columns, narrowed(batches()), tell)
            writer.finish()
            sink.commit()
        return written

    def _with_metrics(self, runs: list[Run]) -> list[Run]:
        """Return those of the runs that have one of the metrics asked for."""
        if not self.metrics:
            return runs
        return [run for run in runs if any({**run.extra, **run.last.metrics}.get(name) is not None
                                           for name in self.metrics)]  # fmt: skip

    def _narrow(self, batch: Batch) -> Batch:
        """Return a batch without the runs that have none of the metrics, and without other metrics of its own names."""
        from json import dumps, loads

        others = [name for name in self.metrics if name not in metrics.BY_NAME]
        if others:
            kept = [{name: value for name, value in loads(text).items() if name in others} if text else {}
                    for text in batch[INDEX["extra"]]]  # fmt: skip
            batch = list(batch)
            batch[INDEX["extra"]] = [dumps(values) if values else None for values in kept]
        of_interest = [INDEX[name] for name in self.metrics if name in metrics.BY_NAME]
        columns = [batch[place] for place in [*of_interest, *([INDEX["extra"]] if others else [])]]
        has = [any(value is not None for value in values) for values in zip(*columns, strict=True)]
        return [list(compress(column, has)) for column in batch]

    def _check_metrics(self, history: HistoryManager) -> None:
        for name in self.metrics:
            check_metric(name, lambda: presence(history))

    def _write_openmetrics(self, history: HistoryManager) -> Written:
        from runner.exporters.openmetrics import render

        catalog = [metric for metric in metrics.METRICS if not self.metrics or metric.name in self.metrics]
        runs = _newest_of_each(history, self.wanted)
        text = render(self._with_metrics(runs), catalog, self.metrics or None)
        with records.open_sink(self.path, self.format) as sink:
            sink.write(text.encode("utf-8"))
            digest = sink.commit()
            return records.Written(self.path, len(runs), sink.size, digest)


def _newest_of_each(history: HistoryManager, wanted: RunFilter) -> list[Run]:
    """Return the newest run of each script, of those that are meant."""
    scripts: list[Script] = history.ask(lambda store: store.scripts(), [])
    found: dict[str, Run] = {}
    for key, _, name in wanted.scripts(scripts):
        one = RunFilter(key, wanted.status, wanted.since, wanted.until, wanted.tags, name, limit=1)
        found.update((run.id, run) for run in history.runs(one))
    return list(found.values())


def format_of(path: str) -> str:
    """Return the format that the name of a file says.

    Raises:
        UsageError: It says none.
    """
    ending = path.removesuffix(_COMPRESSED).rpartition(".")[2].lower() if "." in path else ""
    found = _ENDINGS.get(ending, ending)
    if found not in FORMATS:
        named = "" if path == "-" else f"; the name {path} does not say it"
        raise UsageError(f"--export-format is needed: {', '.join(FORMATS[:-1])} or {FORMATS[-1]}{named}")
    return found


def wanted_of(
    script: str = "",
    start: date | str | None = None,
    end: date | str | None = None,
    status: str = "",
    tags: Mapping[str, str] | None = None,
) -> RunFilter:
    """Return the filter that a person or a program means (see `moment_of` for start and end).

    Raises:
        UsageError: A time or the status makes no sense.
    """
    since = None if start is None else moment_of(start)
    until = None if end is None else moment_of(end, end=True)
    return RunFilter(script, status, since, until, tags)
