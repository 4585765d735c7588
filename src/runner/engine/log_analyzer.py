"""What scripts printed and how they failed, over many runs: groups of errors, and patterns in their output."""

from __future__ import annotations

from time import time_ns

from runner.analysis.errors import MEANINGS, classify
from runner.analysis.fault import kind_of
from runner.analysis.log_scan import scan
from runner.analysis.recurrence import fingerprint
from runner.analysis.templates import Miner
from runner.engine.failure_note import errors_of, kind_and_place
from runner.engine.history_options import days_before
from runner.model.run import iso, label_of
from runner.stores.base import FAILED, RunFilter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runner.engine.history import HistoryManager
    from runner.model.run import Run

#: Failed runs looked at, the newest ones; and runs whose output is looked through.
FAILURES, OUTPUTS = 10_000, 500
#: Lines from the end of a text that may tell what kind of error it was, where no error in it does.
_LINES = 50


class LogAnalyzer:
    """Reads what scripts left behind.

    Args:
        history: The record; None for the one that the command line would use here.
    """

    def __init__(self, history: HistoryManager | None = None) -> None:
        if history is None:
            from runner.engine.history import HistoryManager

            history = HistoryManager()
        self.history = history

    @staticmethod
    def analyze(text: str) -> dict[str, Any]:
        """Look through a text that a script printed.

        Returns:
            ``faults`` (exceptions, each with ``language``, ``type``, ``message``, ``place``, ``class``, ``chained``),
            ``levels`` (how many lines of each), ``warnings`` (category and message), ``class`` (of the last fault, of
            a group of its most telling member, else of the last line that tells) and ``meaning``.
        """
        found = scan(text)
        kind = kind_of(found.faults) if found.faults else classify(None, None, output=text.split("\n")[-_LINES:])
        return {
            "faults": [fault.to_dict() for fault in found.faults],
            "levels": found.levels,
            "warnings": [{"category": category, "message": message} for category, message in found.warnings],
            "class": kind,
            "meaning": MEANINGS[kind],
        }

    def errors(self, script: str = "", days: float | None = 30) -> list[dict[str, Any]]:
        """Return the errors that ended runs, in groups: of one script and type, with messages that differ in figures.

        Args:
            script: As people name it; "" for all.
            days: How far to look back; None for all.

        Returns:
            The group that came last first: ``script``, ``error_type``, ``message`` (of its newest run), ``class``,
            ``meaning``, ``place``, ``count``, ``runs`` (ids, the newest first, at most ten), ``first`` and ``last``.

        Raises:
            StoreError: The record can't be read.
        """
        since = None if days is None else days_before(days, time_ns())
        groups: dict[tuple[str, str, str], list[Run]] = {}
        for run in self.history.runs(RunFilter(script, FAILED, since, limit=FAILURES)):
            last = run.last
            key = (run.script_key, last.error_type or last.reason, fingerprint(last.error_message or ""))
            groups.setdefault(key, []).append(run)
        return [self._group(runs) for runs in groups.values()]

    def _group(self, runs: list[Run]) -> dict[str, Any]:
        newest = runs[0]
        whole = self.history.get(newest.id) or newest
        last = newest.last
        kind, place = kind_and_place(whole.last, errors_of(whole.last))
        return {
            "script": label_of(newest.name, newest.script_path),
            "error_type": last.error_type or last.reason,
            "message": last.error_message or "",
            "class": kind,
            "meaning": MEANINGS[kind],
            "place": place,
            "count": len(runs),
            "runs": [run.id for run in runs[:10]],
            "first": iso(runs[-1].started),
            "last": iso(newest.started),
        }

    def patterns(self, script: str, days: float | None = 30) -> list[dict[str, Any]]:
        """Return what lines of a script's output have in common, from run to run: templates, mined by Drain.

        The beginning and the end of the output that were kept are looked at, of the newest `OUTPUTS` runs.

        Args:
            script: As people name it.
            days: How far to look back; None for all.

        Returns:
            The template that was first seen last first, since news are what one looks for: ``template``, ``count``
            (lines), ``runs`` (in how many), ``of`` (how many were looked at), ``first_run``, ``first`` (its start),
            ``first_number`` (which of the runs looked at it was, from 1 on) and ``level``.

        Raises:
            StoreError: The record can't be read.
        """
        since = None if days is None else days_before(days, time_ns())
        newest = self.history.runs(RunFilter(script, since=since, limit=OUTPUTS), output=True)
        runs = sorted(newest, key=lambda run: run.started)
        miner = Miner()
        place = {run.id: number for number, run in enumerate(runs, 1)}
        for run in runs:
            for attempt in run.attempts:
                for tail in attempt.output.values():
                    miner.feed(tail.text().splitlines(), run.id)
        rows = []
        for template in miner.templates:
            first = next(iter(template.sources))
            rows.append({
                "template": template.text,
                "count": template.count,
                "runs": len(template.sources),
                "of": len(runs),
                "first_run": first,
                "first": iso(runs[place[first] - 1].started),
                "first_number": place[first],
                "level": next(iter(scan(template.text).levels), ""),
            })  # fmt: skip
        return sorted(rows, key=lambda row: (-int(str(row["first_number"])), -int(str(row["count"]))))
