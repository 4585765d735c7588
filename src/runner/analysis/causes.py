"""Why a run may not be like the earlier ones: the facts in which it differs, those that explain it first."""

from __future__ import annotations

from runner.analysis.robust import median
from runner.analysis.usual import place
from runner.model import metrics as m
from runner.model.path_lists import list_change
from runner.model.units import format_bytes, format_count, format_seconds
from runner.model.usual import HIGHER, LOWER, Cause

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.model.metric import Metric, Value
    from runner.model.run import Run
    from runner.model.usual import Place

#: A host counts as busy from so many processes a core that want to run ...
BUSY = 0.7
#: ... if they are so many more a core than usual.
BUSIER = 0.4
#: What differs in more than this part of the runs anyway explains nothing.
RESTLESS = 1 / 3
#: Changed packages, variables and words that are named one by one.
NAMED = 3


class Question:
    """What is to be explained: a run, the earlier runs it was compared with, and the figures that stand out.

    Args:
        run: The run, with packages and variables.
        earlier: Comparable runs, the newest first; at least one.
        read: Returns a run by its id with packages and variables, None where it is not known.
        places: Places of the run's figures, by metric; which of them stand out is what causes are judged by.
    """

    def __init__(
        self, run: Run, earlier: Sequence[Run], read: Callable[[str], Run | None], places: Mapping[str, Place]
    ) -> None:
        self.run = run
        self.earlier = earlier
        self.read = read
        self.places = places

    def is_(self, verdict: str, *metrics: Metric) -> bool:
        """Whether one of some figures has a verdict."""
        return any(metric.name in self.places and self.places[metric.name].verdict == verdict for metric in metrics)

    def place(self, metric: Metric) -> Place:
        """Return the place of any figure of the run among those of the earlier runs."""
        values = [run.last.metrics.get(metric.name) for run in self.earlier]
        return place(self.run.last.metrics.get(metric.name), values, metric.unit)


def causes(question: Question) -> list[Cause]:
    """Return in which facts a run differs from earlier ones, those that explain what stands out first.

    A fact counts where no earlier run shares it, or where those that share it stand out alike; a quantity counts where
    it is unusual itself, and explains what lies in its direction.
    """
    found = [cause for ask in _ASKED for cause in ask(question)]
    return [cause for cause in found if cause.likely] + [cause for cause in found if not cause.likely]


def _input(question: Question) -> list[Cause]:
    now = question.run.input_bytes
    sizes = sorted(run.input_bytes for run in question.earlier if run.input_bytes is not None)
    if now is None or not sizes:
        return []
    usual = median(sizes)
    larger = now > max(sizes[-1], 1.1 * usual)
    if not larger and now >= min(sizes[0], 0.9 * usual):
        return []
    explains = question.is_(HIGHER if larger else LOWER, m.EXECUTION_TIME, m.CPU_TIME, m.MEMORY_MAX)
    text = f"its input has {format_bytes(now)}, usually {format_bytes(usual)}"
    return [Cause("input", text, explains, format_bytes(usual), format_bytes(now))]


def _arguments(question: Question) -> list[Cause]:
    found = _differs(question, lambda run: tuple(run.args))
    if found is None:
        return []
    before, now = found.before.args, question.run.args
    changed = [f"{old} -> {new}" for old, new in zip(before, now, strict=False) if old != new]
    told = _few(changed) if len(before) == len(now) else " ".join(now)[:200]
    text = f"other arguments{found.share}: {told}"
    return [Cause("arguments", text, True, " ".join(before)[:200], " ".join(now)[:200])]


def _script(question: Question) -> list[Cause]:
    found = _differs(question, lambda run: run.script_hash, restless=1)
    if found is None:
        return []
    before, now = _short(found.before.script_hash), _short(question.run.script_hash)
    return [Cause("script", f"the script changed{found.share}", True, before, now)]


def _packages(question: Question) -> list[Cause]:
    found = _differs(question, lambda run: run.packages_hash)
    if found is None:
        return []
    before = question.read(found.before.id)
    changed = differing(before.packages, question.run.packages) if before else []
    text = f"other packages{found.share}" + (f": {_few(changed)}" if changed else "")
    return [Cause("packages", text, True, found.before.packages_hash, question.run.packages_hash)]


def _python(question: Question) -> list[Cause]:
    found = _differs(question, lambda run: run.python_version)
    if found is None:
        return []
    before, now = found.before.python_version, question.run.python_version
    return [Cause("python", f"Python {before} -> {now}{found.share}", True, before, now)]


def _variables(question: Question) -> list[Cause]:
    before = question.read(question.earlier[0].id)
    changed = differing(before.variables, question.run.variables) if before else []
    return [Cause("variables", f"other variables: {_few(changed)}", True)] if changed else []


def _commit(question: Question) -> list[Cause]:
    causes = []
    found = _differs(question, lambda run: run.git_commit)
    if found is not None:
        before, now = _short(found.before.git_commit), _short(question.run.git_commit)
        causes.append(Cause("commit", f"commit {before} -> {now}{found.share}", True, before, now))
    if question.run.git_dirty and not any(run.git_dirty for run in question.earlier):
        causes.append(Cause("uncommitted", "there are changes that are not committed", True, "no", "yes"))
    return causes


def _faults(question: Question) -> list[Cause]:
    found = question.place(m.PAGE_FAULTS_MAJOR)
    if found.verdict != HIGHER or found.value is None:
        return []
    before, now = format_count(found.usual.median), format_count(found.value)
    text = f"{now} pages of memory were read from storage, usually {before}: memory was short, or caches cold"
    return [Cause("faults", text, question.is_(HIGHER, m.EXECUTION_TIME), before, now)]


def _disk(question: Question) -> list[Cause]:
    found = []
    for verb, metric in (("read from", m.BLOCK_IO_READ), ("written to", m.BLOCK_IO_WRITE)):
        each = question.place(metric)
        if each.verdict == HIGHER and each.value is not None:
            before, now = format_bytes(each.usual.median), format_bytes(each.value)
            # What was waited for explains time, not CPU time.
            waited = question.is_(HIGHER, m.EXECUTION_TIME) and _waited(question) > 0
            found.append(Cause("disk", f"{now} {verb} storage, usually {before}", waited, before, now))
    return found


def _output(question: Question) -> list[Cause]:
    found = []
    for name, metric in (("stdout", m.STDOUT_SIZE), ("stderr", m.STDERR_SIZE)):
        each = question.place(metric)
        if each.stands_out and each.value is not None:
            before, now = format_bytes(each.usual.median), format_bytes(each.value)
            explains = question.is_(each.verdict, m.EXECUTION_TIME, m.CPU_TIME)
            found.append(Cause("output", f"{now} of {name}, usually {before}", explains, before, now))
    return found


def _load(question: Question) -> list[Cause]:
    run = question.run
    cores = run.host.get("cores") or 1
    loads = sorted(each.load for each in question.earlier if each.load is not None)
    if run.load is None or not loads:
        return []
    usual = median(loads)
    if run.load < BUSY * cores or run.load - max(usual, loads[int(0.9 * (len(loads) - 1))]) < BUSIER * cores:
        return []
    text = f"the host was busy: load {run.load:.1f} on {cores} core{'s' * (cores != 1)}, usually {usual:.1f}"
    explains = question.is_(HIGHER, m.EXECUTION_TIME, m.CPU_TIME)
    return [Cause("load", text, explains, f"{usual:.1f}", f"{run.load:.1f}")]


def _contention(question: Question) -> list[Cause]:
    found = question.place(m.INVOLUNTARY_CONTEXT_SWITCHES)
    if found.verdict != HIGHER or found.value is None or found.value < 3 * found.usual.high:
        return []
    before, now = format_count(found.usual.median), format_count(found.value)
    text = f"others took the CPU away {now} times, usually {before}"
    return [Cause("contention", text, question.is_(HIGHER, m.EXECUTION_TIME), before, now)]


def _waiting(question: Question) -> list[Cause]:
    waited = _waited(question)
    if not waited or not question.is_(HIGHER, m.EXECUTION_TIME):
        return []
    longer = format_seconds(waited)
    text = f"{longer} more went into waiting (for a CPU, storage, network, locks)"
    return [Cause("waiting", text, True, None, longer)]


def _waited(question: Question) -> float:
    """Return the seconds that the run idled longer than usual; 0 if most of its excess is CPU time."""
    wall, cpu = question.places.get(m.EXECUTION_TIME.name), question.places.get(m.CPU_TIME.name)
    if wall is None or cpu is None or wall.value is None or cpu.value is None:
        return 0.0
    excess = wall.value - wall.usual.median
    idle = excess - max(0.0, cpu.value - cpu.usual.median)
    return idle if idle > excess / 2 else 0.0


def _host(question: Question) -> list[Cause]:
    facts: tuple[tuple[str, str, Callable[[Run], str | None]], ...] = (
        ("host", "on another host, {}", lambda run: run.host.get("hostname")),
        ("user", "as another user, {}", lambda run: run.user),
        ("directory", "in another directory, {}", lambda run: run.cwd),
    )
    causes = []
    for kind, text, fact in facts:
        found = _differs(question, fact)
        if found is not None:
            now = fact(question.run)
            causes.append(Cause(kind, text.format(now) + found.share, False, fact(found.before), now))
    return causes


#: In the order in which equally likely causes are told.
_ASKED: tuple[Callable[[Question], list[Cause]], ...] = (
    _input, _arguments, _script, _packages, _python, _variables, _commit, _faults, _disk, _load, _contention, _waiting,
    _output, _host,
)  # fmt: skip


class Difference:
    """A fact that is not what it was.

    Attributes:
        before: The newest run that differs in it.
        share: In words, how many earlier runs do not; "" for none.
    """

    __slots__ = ("before", "share")

    def __init__(self, before: Run, share: str) -> None:
        self.before = before
        self.share = share


def _differs(question: Question, fact: Callable[[Run], object], restless: float = RESTLESS) -> Difference | None:
    """Return how a fact differs from that of earlier runs, None where it does not, or explains nothing."""
    now = fact(question.run)
    known = [(run, value) for run in question.earlier if (value := fact(run)) is not None]
    alike = [run for run, value in known if value == now]
    others = [run for run, value in known if value != now]
    if now is None or not others:
        return None
    if not alike:
        distinct = len({value for _, value in known})
        return Difference(others[0], "") if distinct <= max(1, restless * len(known)) else None
    if len(others) <= len(alike) or not _stand_out_alike(question, alike, others):
        return None
    return Difference(others[0], f" (as in {len(alike)} of the last {len(known)} runs)")


def _stand_out_alike(question: Question, alike: Sequence[Run], others: Sequence[Run]) -> bool:
    for name, found in question.places.items():
        if found.stands_out:
            ours, theirs = _values(alike, name), _values(others, name)
            if ours and theirs:
                higher = median(ours) > max(theirs)
                if higher if found.verdict == HIGHER else median(ours) < min(theirs):
                    return True
    return False


def _values(runs: Sequence[Run], name: str) -> list[float]:
    values: list[Value] = [run.last.metrics.get(name) for run in runs]
    return [value for value in values if value is not None]


def differing(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return what differs between two mappings: ``pandas 2.1.4 -> 2.2.0``, ``+ numpy 2.0``, ``- six 1.16``."""
    told = []
    for name in sorted({*before, *now}):
        old, new = before.get(name), now.get(name)
        if old is None:
            told.append(f"+ {name} {new}")
        elif new is None:
            told.append(f"- {name} {old}")
        elif old != new:
            told.append(f"{name} {list_change(old, new) or f'{old} -> {new}'}")
    return told


def _few(changes: Sequence[str]) -> str:
    more = len(changes) - NAMED
    told = ", ".join(change if len(change) <= 80 else change[:77] + "..." for change in changes[:NAMED])
    return f"{told} and {more} more" if more > 0 else told


def _short(digits: str | None) -> str | None:
    return None if digits is None else digits[:8]
