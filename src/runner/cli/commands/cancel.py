"""``runner cancel``: ends running runs from another terminal, each with its whole process tree."""

from __future__ import annotations

import sys

from runner.cli.output import Screen, fail, printable
from runner.cli.tables import write_json, write_rows
from runner.engine import live
from runner.engine.live_cancel import NotRunning, cancel
from runner.engine.location import absolute, locate
from runner.model.errors import RunnerError, UsageError
from runner.model.units import format_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from runner.engine.live import LiveRun
    from runner.engine.live_options import CancelOptions
    from runner.engine.query_options import QueryOptions
    from runner.engine.run_options import RecordOptions

CANCELLED = "cancelled"
ASKED = "asked"
ENDED = "ended"
REFUSED = "refused"


def end_runs(options: CancelOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """End running runs, and say what became of each.

    Returns:
        0 if all were ended, 1 if one had ended already or could not be asked.
    """
    from runner.engine.facts import user_name

    path = locate(record.history_db, absolute())[0]
    meant, ended = _meant(path, options)
    answers = [_answer(id, label, ENDED, f"run {id} of {label} had ended already") for id, label in ended]
    asked: list[LiveRun] = []
    for run in meant:
        try:
            cancel(run, user_name(), options.kill_after)
            asked.append(run)
        except NotRunning as error:
            answers.append(_answer(run.id, run.script, ENDED, str(error)))
        except RunnerError as error:
            answers.append(_answer(run.id, run.script, REFUSED, str(error)))
    for run in asked:
        if options.no_wait:
            answers.append(_answer(run.id, run.script, ASKED, f"asked run {run.id} of {run.script} to end"))
            continue
        if query.format == "table" and not live.wait_for_end(run.path, 1.0):
            print(f"runner: waiting for run {run.id} of {printable(run.script)} to end", file=sys.stderr)
        live.wait_for_end(run.path)
        answers.append(_came_to(path, run))
    if query.format == "json":
        write_json(out, {"status": "ok" if answers else "no_data", "runs": answers})
    elif query.format == "csv":
        write_rows(out, "csv", ("run_id", "script_name", "result", "message"), answers)
    else:
        _say(answers, options, path, out)
    return 0 if answers and all(answer["result"] in (CANCELLED, ASKED) for answer in answers) else 1


def _say(answers: list[dict[str, Any]], options: CancelOptions, path: str, out: TextIO) -> None:
    for answer in answers:
        if answer["result"] in (CANCELLED, ASKED):
            out.write(printable(answer["message"]) + "\n")
        else:
            out.flush()
            fail(Screen(), answer["message"])
    if not answers:
        fail(Screen(), f"no run of {options.script} is running (of {path})")


def _meant(path: str, options: CancelOptions) -> tuple[list[LiveRun], list[tuple[str, str]]]:
    """Return the running runs that are meant, and id and script of those meant that have ended.

    Raises:
        UsageError: None is named, or one that there is not; nothing has been asked of any.
    """
    if not options.runs and not options.script:
        raise UsageError("`runner cancel` needs a RUN, or --script SCRIPT for all runs of a script")
    problems: list[str] = []
    runs = live.running(path, problems)
    meant = [run for run in runs if options.script and live.is_of(run.run, options.script)]
    ended = []
    for text in options.runs:
        run = live.find(runs, text)
        if run is None:
            ended.append(_ended(path, text, runs, problems))
        elif run not in meant:
            meant.append(run)
    return meant, ended


def _ended(path: str, text: str, runs: list[LiveRun], problems: list[str]) -> tuple[str, str]:
    """Return id and script of the run that a text means and that is not running."""
    from runner.engine.find_run import find_run
    from runner.engine.history import HistoryManager
    from runner.stores.base import script_label

    try:
        with HistoryManager(path) as history:
            found = find_run(history, text)
    except RunnerError as error:
        listed = live.listed(runs) or "none"
        hint = f" ({'; '.join(problems)})" if problems else ""
        raise UsageError(f"{str(error).splitlines()[0].rstrip(':')}; running are: {listed}{hint}") from None
    return found.id, script_label(found)


def _came_to(path: str, run: LiveRun) -> dict[str, Any]:
    """Say what became of a run that was asked to end and has."""
    from runner.agent import events
    from runner.engine.history import HistoryManager

    named = f"run {run.id} of {run.script}"
    with HistoryManager(path) as history:
        try:
            found = history.get(run.id)
        except RunnerError:
            found = None
    if found is not None and found.last.reason != events.CANCELLED:
        verdict = "succeeded" if found.last.success else f"ended ({found.last.error_type or found.last.reason})"
        return _answer(run.id, run.script, ENDED, f"{named} {verdict} before it could be cancelled")
    return _answer(run.id, run.script, CANCELLED, f"cancelled {named} after {format_seconds(run.elapsed)}")


def _answer(run_id: str, label: str, result: str, message: str) -> dict[str, Any]:
    return {"run_id": run_id, "script_name": label, "result": result, "message": message}
