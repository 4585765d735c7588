"""The query about one run: ``runner show RUN``."""

from __future__ import annotations

from runner.cli.remembered import take_in
from runner.engine.find_run import find_run
from runner.engine.history import HistoryManager
from runner.engine.one_run import place_in_code, recurrence_of
from runner.engine.usual import compare_with_usual
from runner.model.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from runner.analysis.recurrence import Recurrence
    from runner.engine.one_run import Place
    from runner.engine.one_run_options import OneRunOptions
    from runner.engine.query_options import QueryOptions
    from runner.engine.run_options import RecordOptions
    from runner.model.run import Attempt, Run

_COLUMNS = ("attempt", "metric", "value", "unit", "kind")


def show_run(options: OneRunOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Show one run whole.

    Raises:
        UsageError: No run is meant, or an option has nothing to act on in an answer of that format.
    """
    if options.raw and query.format != "table":
        raise UsageError(f"--raw shows bytes as they are; --format {query.format} can't hold them")
    if options.samples and query.format != "json":
        raise UsageError("--samples needs --format json: nothing else holds them")
    if options.plot:
        from runner.exporters.charts import check_chart_path

        check_chart_path(options.plot, "--plot")
    with HistoryManager(record.history_db) as history:
        take_in(history)
        drawn = bool(options.plot) or query.format == "table"
        run = find_run(history, options.run, samples=drawn or options.samples)
        chosen = _chosen(run, options.attempt)
        if options.plot:
            _draw(run, chosen[-1], options.plot)
        if query.format == "csv":
            _write_csv(run, chosen, out)
            return 0
        if options.plot and query.format == "table":
            from runner.cli.output import printable

            out.write(f"drawn in {printable(options.plot)}\n")
            return 0
        place = place_in_code(run, chosen[-1])
        before = recurrence_of(history, run)
        run.usual = compare_with_usual(history, run)
    if query.format == "json":
        _write_json(run, chosen, place, before, options.samples, out)
    else:
        _write_text(run, chosen, place, before, options, out)
    return 0


def _chosen(run: Run, number: int | None) -> list[Attempt]:
    chosen = [attempt for attempt in run.attempts if number in (None, attempt.number)]
    if not chosen:
        count = len(run.attempts)
        raise UsageError(f"--attempt {number}: run {run.id} had {count} attempt{'s' * (count != 1)}")
    return chosen


def _draw(run: Run, attempt: Attempt, path: str) -> None:
    from runner.engine.curves import run_chart
    from runner.exporters.charts import write_chart

    write_chart(run_chart(run, attempt), path)


def _write_csv(run: Run, chosen: list[Attempt], out: TextIO) -> None:
    from runner.cli.tables import write_rows
    from runner.model.metrics import BY_NAME

    rows = [
        {"attempt": attempt.number, "metric": name, "value": value, "unit": BY_NAME[name].unit,
         "kind": attempt.kinds.get(name)}
        for attempt in chosen for name, value in attempt.metrics.items() if value is not None
    ]  # fmt: skip
    rows += [{"attempt": run.last.number, "metric": name, "value": value} for name, value in run.extra.items()]
    write_rows(out, "csv", _COLUMNS, rows)


def _write_json(
    run: Run, chosen: list[Attempt], place: Place | None, before: Recurrence | None, samples: bool, out: TextIO
) -> None:
    from runner.cli.tables import write_json

    answer: dict[str, Any] = {
        "status": "ok",
        **run.to_dict(),
        "line": run.line,
        "called_in": run.called_in,
        "packages": run.packages,
        "variables": run.variables,
        "error_place": None if place is None else place.to_dict(),
        "error_before": None if before is None else before.to_dict(),
    }
    if samples:
        answer["samples"] = [_samples(attempt) for attempt in chosen]
    write_json(out, answer)


def _samples(attempt: Attempt) -> dict[str, Any]:
    from runner.agent.events import SAMPLE_FIELDS

    curve = attempt.curve
    buckets = [] if curve is None else curve.buckets
    fields = {
        name: {
            "min": [bucket.low[index] for bucket in buckets],
            "mean": [bucket.mean(index) for bucket in buckets],
            "max": [bucket.high[index] for bucket in buckets],
        }
        for index, name in enumerate(SAMPLE_FIELDS)
    }
    return {
        "attempt": attempt.number,
        "count": 0 if curve is None else curve.samples,
        "memory": None if curve is None else curve.memory,
        "t": [bucket.t for bucket in buckets],
        "span": [bucket.span for bucket in buckets],
        **fields,
    }


def _write_text(
    run: Run, chosen: list[Attempt], place: Place | None, before: Recurrence | None, options: OneRunOptions, out: TextIO
) -> None:
    from runner.cli import one_run
    from runner.cli.output import Screen, headline

    screen = Screen(1)
    last = chosen[-1]
    parts = [
        [headline(screen, run), ""],
        one_run.failure(screen, run, place, before),
        [*one_run.facts(screen, run), ""],
        one_run.attempts(screen, run),
        one_run.figures(screen, run, chosen),
        one_run.curves(screen, run, last),
        [] if options.raw else one_run.output(screen, last, options.lines),
    ]
    lines = [line for part in parts for line in part]
    while lines and not lines[-1]:
        lines.pop()
    out.write("\n".join(lines) + "\n")
    if options.raw:
        _write_raw(last, options.lines, out)


def _write_raw(attempt: Attempt, most: int, out: TextIO) -> None:
    """Write the end of the output byte for byte, below everything else."""
    out.flush()
    binary = getattr(out, "buffer", None)
    for stream in ("stdout", "stderr"):
        kept = attempt.output.get(stream)
        if kept is not None and kept.size and most and binary is not None:
            out.write(f"\n{'output' if attempt.merged else stream}:\n")
            out.flush()
            binary.write(b"".join((kept.tail or kept.head).splitlines(keepends=True)[-most:]))
            binary.flush()
