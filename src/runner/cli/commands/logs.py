"""``runner logs``: the kept output of a run, also while it is being written."""

from __future__ import annotations

import os
from itertools import islice

from runner.cli.log_lines import Filter, Printer
from runner.cli.output import Screen, warn
from runner.cli.remembered import take_in
from runner.engine import logs
from runner.engine.history import HistoryManager
from runner.engine.live import LiveRun
from runner.engine.logs import STREAMS, LiveOutput
from runner.model.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from runner.engine.live_options import LogsOptions
    from runner.engine.logs import Line
    from runner.engine.query_options import QueryOptions
    from runner.engine.run_options import RecordOptions
    from runner.model.run import Run

    Found = tuple[Line, str]


def show_output(options: LogsOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Show what a run has written, as far as it is kept.

    Returns:
        0, or 1 if no line matches what is looked for.
    """
    if options.head is not None and options.tail is not None:
        raise UsageError("--head and --tail exclude each other")
    if options.raw and query.format != "table":
        raise UsageError(f"--raw shows bytes as they are; --format {query.format} can't hold them")
    wanted = Filter(options)
    with HistoryManager(record.history_db) as history:
        run = logs.find_output(history, options.run, lambda: take_in(history))
        printer = Printer(out, options, query.format, run, wanted)
        if isinstance(run, LiveRun):
            _show_live(run, history, options, wanted, printer)
        else:
            _show_kept(run, options, wanted, printer)
        printer.finish()
    return 1 if options.grep and not wanted.matched else 0


def _streams(options: LogsOptions) -> tuple[str, ...]:
    chosen = tuple(name for name in STREAMS if getattr(options, name))
    return chosen or STREAMS


def _show_kept(run: Run, options: LogsOptions, wanted: Filter, printer: Printer) -> None:
    last = run.last.number
    if options.attempt is not None and options.attempt > last:
        raise UsageError(f"run {run.id} has {'one attempt' if last == 1 else f'{last} attempts'}, no number "
                         f"{options.attempt}")  # fmt: skip
    shown = [each for each in run.attempts if options.attempt in (None, each.number)]
    if not any(each.output for each in shown):
        warn(Screen(), f"no output of run {run.id} is kept: it wrote none, or none was captured")
    elif options.stderr and not options.stdout and all(each.merged for each in shown):
        warn(Screen(), f"run {run.id} wrote both to one place: its errors are in standard output")
    tails = [tail for each in shown for tail in each.output.values()]
    if options.timestamps and any(tail.size and not len(tail.moments) for tail in tails):
        warn(Screen(), f"when run {run.id} wrote its output was not kept")
    printer.lines(_cut(wanted.of(logs.kept(run, _streams(options), options.attempt)), options))


def _show_live(run: LiveRun, history: HistoryManager, options: LogsOptions, wanted: Filter, printer: Printer) -> None:
    output = LiveOutput(run.path, _streams(options), options.attempt)
    if not options.follow:
        if options.attempt is not None and options.attempt > run.attempt:
            raise UsageError(f"run {run.id} has come to attempt {run.attempt}, not to {options.attempt}")
        printer.lines(_cut(wanted.of(_all_of(output, run, history)), options))
        return
    begin: Iterator[Found] = wanted.of(output.read())
    if options.tail is not None:
        begin = _cut(begin, options)
    left = options.head
    if left == 0:
        return
    for lines in (begin, wanted.of(output.follow(lambda: printer.partial(output.open_lines())))):
        for found in lines:
            printer.line(*found)
            left = None if left is None else left - 1
            if left == 0:
                return
        printer.flush()
    printer.lines(islice(wanted.of(output.finish(logs.left_behind(run, history))), left))


def _all_of(output: LiveOutput, run: LiveRun, history: HistoryManager) -> Iterator[Line]:
    yield from output.read()
    if os.path.isdir(run.path):
        yield from output.open_lines()
    else:  # it has just ended, and its journal may have gone while it was read
        yield from output.finish(logs.left_behind(run, history))


def _cut(found: Iterator[Found], options: LogsOptions) -> Iterator[Found]:
    if options.head is not None:
        return islice(found, options.head)
    if options.tail is not None:
        from collections import deque

        return iter(deque(found, maxlen=options.tail))
    return found
