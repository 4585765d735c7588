"""Deletes from the SQLite store in small steps, and accounts for each."""

from __future__ import annotations

from time import monotonic

from runner.agent.events import dumps, loads
from runner.model.metrics import BY_NAME
from runner.model.parts import COARSER, METRICS, OUTPUT, RUNS, SAMPLES
from runner.model.run import label_of
from runner.stores.codec import decode_curve, encode_curve
from runner.stores.database import explain
from runner.stores.ledger import Ledger
from runner.stores.leftovers import Leftovers
from runner.stores.purge import Pace, Tally
from runner.stores.steps import TimeIsUp

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from runner.model.run import Run
    from runner.stores.base import RunFilter
    from runner.stores.purge import Action, Pair, Position, Purge
else:
    try:
        import _sqlite3 as sqlite3
    except ImportError:
        import sqlite3

_PAGE = 2000  # runs that are looked at in one question
_PAGE_READ = 200  # runs that are read at once


class Keeper(Ledger, Leftovers):
    """Deletes what is old from one SQLite store (see `Steps`)."""

    # -- looking --------------------------------------------------------------------------------------------------

    def weigh(self, purge: Purge) -> Tally:
        """Return what a purge would delete: `Tally.runs` are the runs it touches, bytes those of samples and output."""
        where, values = self._where(purge)
        labels = self._labels()
        tally = Tally()
        if purge.part in (RUNS, METRICS):
            for script, count, first, last in self._ask("weigh_runs", values, where):
                tally.add(labels[script], first, last, runs=count)
        for name, part, field in (("weigh_samples", SAMPLES, "samples"), ("weigh_output", OUTPUT, "outputs")):
            if purge.part in (RUNS, part) or (purge.part == COARSER and part == SAMPLES):
                for script, count, size, runs, first, last in self._ask(name, values, where):
                    alone = 0 if purge.part == RUNS else runs
                    tally.add(labels[script], first, last, runs=alone, bytes=int(size), **{field: count})
        if purge.part == COARSER and tally.bytes:
            share = self._saved(where, values, purge.seconds)
            for each in (tally, *tally.scripts.values()):
                each.bytes = int(each.bytes * share)
        return tally

    def _saved(self, where: str, values: list[Any], seconds: float) -> float:
        """Return the share of their bytes that curves lose when they are folded, judged by some of them."""
        blobs = [row[0] for row in self._ask("some_curves", values, where)]
        after = sum(len(encode_curve(decode_curve(blob).coarsened(seconds))) for blob in blobs)
        return max(0.0, 1 - after / sum(map(len, blobs)))

    def count_kept(self, purge: Purge, deadline: float | None = None) -> dict[str, int | None]:
        """Return for each name in `Purge.kept` how many runs it withholds, None where a moment came before the answer.

        Args:
            purge: What would be deleted.
            deadline: Moment as `time.monotonic` has it.
        """
        found: dict[str, int | None] = {}
        for name, kept in purge.kept.items():
            one, other = self._store._where(purge.wanted), self._store._where(kept)
            try:
                with self._until(deadline):
                    query = self._queries["count_runs"].replace("{where}", f"{one[0]} AND {other[0]}")
                    found[name] = self._connection.execute(query, [*one[1], *other[1]]).fetchone()[0]
            except TimeIsUp:
                found[name] = None
        return found

    def bytes_a_run(self) -> float:
        """Return what a run takes in the file on average, without samples and output."""
        stats = self._store.stats()
        pages, size, free = (self._pragma(name) for name in ("page_count", "page_size", "freelist_count"))
        fixed = self._ask("count_trees")[0][0]  # every table and index takes a page even if it is empty
        rest = (pages - free - fixed) * size - stats["samples_bytes"] - stats["output_bytes"]
        return max(0.0, rest / stats["runs"]) if stats["runs"] else 0.0

    def find(self, purge: Purge, position: Position | None = None) -> Iterator[tuple[list[Pair], Position]]:
        """Go through the runs meant in pages, of equal effort, and tell after each how far that was.

        Args:
            purge: What is to be deleted.
            position: Where to go on.
        """
        where, values = self._where(purge)
        start, key = position or (-1, -1)
        yield [], (start, key)  # where to go on if time is up before the first page is done
        if purge.part in (RUNS, METRICS):
            for script in self._scripts(purge.wanted):
                name, more = ("page_by_start", []) if script is None else ("page_by_script", [script])
                while rows := self._ask(name, [*values, *more, purge.before, start, key, _PAGE], where):
                    start, key = rows[-1][2], rows[-1][0]
                    yield [row[:2] for row in rows if row[3]], (start, key)
                start = key = -1
            return
        name = "page_of_output" if purge.part == OUTPUT else "page_of_samples"
        while rows := self._ask(name, [*values, key, _PAGE], where):
            key = max(row[0] for row in rows)
            yield [row[:2] for row in rows if row[2]], (0, key)

    def read(self, pairs: Sequence[Pair]) -> Iterator[Run]:
        """Read runs whole, with samples and output, the oldest first; those that are no longer there are left out."""
        for at in range(0, len(pairs), _PAGE_READ):
            some = dict(pairs[at : at + _PAGE_READ])
            where = f"r.seq IN ({self._queries['doomed']}) ORDER BY r.started, r.seq"
            for row in self._store._ask(self._store._query("list_runs", where), [dumps(list(some))]):
                if row[1] == some[row[0]]:  # a key that has become free is given to the next run
                    yield self._store._complete(row, output=True, samples=True)

    def _scripts(self, wanted: RunFilter) -> list[int | None]:
        if not wanted.script:
            return [None]
        known = self._store._scripts()
        meant = wanted.scripts(known.values())
        return [key for key, script in known.items() if script in meant]

    def _labels(self) -> dict[int, str]:
        """Return what each script is called, namesakes by their paths."""
        known = self._store._scripts()
        labels = {key: label_of(name, path) for key, (_, path, name) in known.items()}
        places: dict[str, set[str]] = {}
        for key, label in labels.items():
            places.setdefault(label, set()).add(known[key][0])
        return {key: label if len(places[label]) == 1 else known[key][0] for key, label in labels.items()}

    def _where(self, purge: Purge) -> tuple[str, list[Any]]:
        """Return the condition of runs that a purge is about, and the values in it."""
        text, values = self._store._where(purge.wanted)
        for kept in purge.kept.values():
            other, more = self._store._where(kept)
            text += f" AND NOT ({other})"
            values += more
        if purge.part == COARSER:
            text += f" AND {self._queries['is_coarse']}"
            values.append(purge.seconds)
        if purge.part == METRICS:
            columns = [f"r.{name} IS NOT NULL" for name in purge.metrics if name in BY_NAME]
            others = [name for name in purge.metrics if name not in BY_NAME]
            text += f" AND ({' OR '.join([*columns, *[self._queries['has_figure']] * len(others)])})"
            values += others
        return text, values

    # -- deleting -------------------------------------------------------------------------------------------------

    def delete(
        self,
        purge: Purge,
        action: Action,
        pages: Iterator[tuple[list[Pair], Position]],
        deadline: float | None = None,
        told: Callable[[Tally], None] | None = None,
    ) -> tuple[Tally, Position | None]:
        """Delete runs, or a part of them, in steps; each is accounted for in its own transaction.

        Args:
            purge: What is deleted of them.
            action: Why.
            pages: Which runs, and how far the search came with them.
            deadline: Moment (`time.monotonic`) from which on the rest is left.
            told: Called after each step with what was deleted so far.

        Returns:
            What was deleted, and where to go on where something is left.
        """
        tally = Tally()
        reached: Position = (-1, -1)
        pace = self._paces.setdefault(purge.part, Pace(20 if purge.part == COARSER else 200))
        for pairs, position in pages:
            at = 0
            while at < len(pairs):
                if deadline is not None and monotonic() > deadline:
                    return tally, reached
                if tally:
                    self._let_others_in()
                batch = pairs[at : at + pace.size]
                at += len(batch)
                tally.merge(self._step(purge, batch, action, pace))
                if told:
                    told(tally)
            reached = position
            if deadline is not None and monotonic() > deadline:
                return tally, reached
        return tally, None

    def _step(self, purge: Purge, pairs: Sequence[Pair], action: Action, pace: Pace) -> Tally:
        wanted = dict(pairs)
        keys = dumps(list(wanted))
        labels = self._labels()
        folded = self._fold(purge, keys) if purge.part == COARSER else []
        tally = Tally()

        def work() -> None:
            # A key that has become free is given to the next run, which is not the one that was found.
            found = [row for row in self._about("owners", keys) if row[1] == wanted[row[0]]]
            owners = {}
            for seq, _, script, started in found:
                owners[seq] = label = labels.get(script) or self._labels()[script]  # new since then
                tally.add_run(label, started)
            self._delete(purge, dumps(list(owners)), tally, owners, folded)
            if tally:
                self.account(action, purge.part, purge.before, tally)

        start = monotonic()
        self._transact(work)
        pace.took(monotonic() - start)
        return tally

    def _delete(
        self, purge: Purge, doomed: str, tally: Tally, owners: dict[int, str],
        folded: list[tuple[int, int, bytes, bytes]],
    ) -> None:  # fmt: skip
        """Delete a part of the runs of a batch, whose scripts are known by the runs' keys."""
        if purge.part == METRICS:
            self._forget_figures(purge.metrics, doomed)
        elif purge.part == COARSER:
            self._replace(folded, purge.seconds, tally, owners)
        else:
            for part in (SAMPLES, OUTPUT) if purge.part == RUNS else (purge.part,):
                self._delete_part(part, doomed, tally, owners)
        if purge.part == RUNS:
            self._about("delete_attempts", doomed)
            self._about("delete_runs", doomed)

    def _delete_part(self, part: str, doomed: str, tally: Tally, owners: dict[int, str]) -> None:
        if part == SAMPLES:
            self._about("delete_coarse", doomed)
        for run, size in self._about(f"delete_{part}", doomed):
            tally.add(owners[run], bytes=size, **{"samples" if part == SAMPLES else "outputs": 1})

    def _forget_figures(self, names: Sequence[str], doomed: str) -> None:
        columns = [f"{name} = NULL" for name in names if name in BY_NAME]
        others = [name for name in names if name not in BY_NAME]
        more = ["extra = without(extra, ?2)"] if others else []
        self._connection.create_function("without", 2, _without, deterministic=True)
        query = self._queries["forget_figures"].replace("{doomed}", self._queries["doomed"])
        for table, key, changes, values in (
            ("attempts", "run", columns, []), ("runs", "seq", [*columns, *more], [dumps(others)] if others else []),
        ):  # fmt: skip
            if changes:
                text = query.replace("{table}", table).replace("{key}", key).replace("{figures}", ", ".join(changes))
                self._connection.execute(text, [doomed, *values])

    def _fold(self, purge: Purge, doomed: str) -> list[tuple[int, int, bytes, bytes]]:
        """Return run, attempt, and samples before and after; what takes time is done while nobody waits."""
        query = self._queries["list_fine_curves"].replace("{doomed}", self._queries["doomed"])
        try:
            found = self._connection.execute(query, [doomed, purge.seconds]).fetchall()
        except sqlite3.Error as error:
            raise explain(error, self._store.path) from None
        return [(run, attempt, data, encode_curve(decode_curve(data).coarsened(purge.seconds)))
                for run, attempt, data in found]  # fmt: skip

    def _replace(
        self, folded: list[tuple[int, int, bytes, bytes]], seconds: float, tally: Tally, owners: dict[int, str]
    ) -> None:
        for run, attempt, before, after in folded:
            if run in owners and self._execute("replace_curve", [after, run, attempt, before]).rowcount:
                self._execute("mark_coarse", [run, attempt, seconds])
                tally.add(owners[run], samples=1, bytes=len(before) - len(after))


def _without(extra: str | None, names: str) -> str | None:
    """Return figures without some; SQLite's own function can't name one with a quotation mark in it."""
    left = {name: value for name, value in loads(extra or "{}").items() if name not in loads(names)}
    return dumps(left) if left else None
