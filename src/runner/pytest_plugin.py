"""A door for pytest: what each test costs, in the same record as the runs of scripts, and gates by marker.

``pytest --runner`` measures the body of each test, in pytest's own process. CPU time is the kernel's, of this process
and of the children that ended meanwhile. Peak memory is the process's: exact where the test raises it, at most that
where it does not, since the kernel keeps one peak for the whole life of a process. For a test with a gate on memory
that peak is forgotten first, so that no earlier test decides; otherwise it is left, for others may read it too.
"""

from __future__ import annotations

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from typing import Any

    from runner.engine.history import HistoryManager
    from runner.model.run import Run
    from runner.policy.gates import Gate

#: Begins the names of figures that reports carry from the processes that run tests to the one that shows them. They
#: are properties of the tests in pytest's own JUnit report as well.
_PREFIX = "runner."
#: Tests shown at the end, and runs stored at a time.
_SHOWN, _BATCH = 10, 100
#: Earlier runs that say what is usual.
_EARLIER = 50
#: A gate as a mark names it.
_EXAMPLE = "execution_time_seconds:2s"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("runner", "cost of tests (Python Script Runner)")
    group.addoption("--runner", action="store_true", help="remember what each test costs, and judge it by its gates")
    text = "database of runs, instead of RUNNER_HISTORY_DB or the nearest"
    group.addoption("--runner-history-db", metavar="FILE", default="", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Begin to measure where that was asked for."""
    text = f"gate(*gates): with --runner, what the test has to keep to, such as gate({_EXAMPLE!r})"
    config.addinivalue_line("markers", text)
    if config.getoption("--runner"):
        config.pluginmanager.register(Measuring(config), "runner-measuring")


class Measuring:
    """Measures tests, judges them, and remembers them.

    Args:
        config: That of pytest.
    """

    def __init__(self, config: pytest.Config) -> None:
        import os

        from runner.engine.history import HistoryManager

        named = config.getoption("--runner-history-db") or os.environ.get("RUNNER_HISTORY_DB", "")
        self._root = str(config.rootpath)
        self._history: HistoryManager = HistoryManager(named)
        self._facts: dict[str, Any] | None = None
        self._waiting: list[Run] = []
        self._trouble = ""

    @pytest.hookimpl(trylast=True)  # others may add marks, and leave out tests
    def pytest_collection_modifyitems(self, config: pytest.Config, items: Sequence[pytest.Item]) -> None:
        """Refuse gates that make no sense before any test runs."""
        from runner.model.errors import UsageError

        if hasattr(config, "workerinput"):
            return  # why a worker of xdist ends is shown to nobody: there, the test itself fails
        for item in items:
            try:
                _gates_of(item)
            except UsageError as error:
                raise pytest.UsageError(f"{item.nodeid}: {error}") from None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Measure the body of a test, and fail it if it passed and its gates did not, or one of them makes no sense."""
        from runner.engine.own_cost import OwnCost
        from runner.model.errors import UsageError
        from runner.model.metrics import MEMORY_MAX

        try:
            gates = _gates_of(item)
        except UsageError as error:
            pytest.fail(str(error), pytrace=False)
        run = self._begin(item)
        cost = OwnCost(forget=any(gate.metric is MEMORY_MAX for gate in gates))
        try:
            result = yield
        except BaseException as error:
            cost.stop(run)
            if not isinstance(error, pytest.skip.Exception):
                run.last.exit_code = 1
                run.last.error_type = type(error).__name__
                run.last.error_message = _first_line(error)
                self._keep(item, run)
            raise
        cost.stop(run)
        failed = self._failed(gates, run)
        if failed:
            run.last.exit_code, run.last.error_type, run.last.error_message = 3, "gate", failed[0]
        self._keep(item, run)
        if failed:
            pytest.fail("\n".join(["the test passed, but not its gates:", *(f"  {text}" for text in failed)]), False)
        return result

    def _begin(self, item: pytest.Item) -> Run:
        import os
        import sys
        from time import time_ns

        from runner import __version__
        from runner.agent.events import EXITED
        from runner.agent.facts import host_facts
        from runner.engine.facts import find_repository, read_commit, user_name
        from runner.model.run import Attempt, Run

        if self._facts is None:
            tree = find_repository(os.path.join(self._root, "x"))
            self._facts = {
                "host": host_facts(),
                "user": user_name(),
                "git_commit": read_commit(tree) if tree else None,
            }
        run = Run(os.urandom(6).hex(), item.nodeid, time_ns())
        run.script_key, run.name, run.cwd = self._key(item.nodeid), item.nodeid, self._root
        run.python, run.python_version, run.runner_version = sys.executable, sys.version.split()[0], __version__
        run.tags = {"pytest": os.path.basename(self._root)}
        for name, value in self._facts.items():
            setattr(run, name, value)
        attempt = Attempt(1, run.started)
        attempt.reason, attempt.exit_code = EXITED, 0
        run.attempts = [attempt]
        return run

    def _failed(self, gates: Sequence[Gate], run: Run) -> list[str]:
        source = None
        if any(gate.relative for gate in gates):
            from runner.engine.judging import Remembered

            self._store()
            source = Remembered(self._history.db_path, run, [gate.metric.name for gate in gates])
        results = [gate.judge(run.last.metrics, run.last.kinds, source) for gate in gates]
        return [result.text for result in results if not result.passed]

    def _keep(self, item: pytest.Item, run: Run) -> None:
        from runner.model.metrics import CPU_TIME, EXECUTION_TIME, MEMORY_MAX

        for metric in (EXECUTION_TIME, CPU_TIME, MEMORY_MAX):
            item.user_properties.append((_PREFIX + metric.name, run.last.metrics.get(metric.name)))
        kind = run.last.kinds.get(MEMORY_MAX.name)
        if kind:
            item.user_properties.append((f"{_PREFIX}{MEMORY_MAX.name}.kind", kind))
        self._waiting.append(run)
        if len(self._waiting) >= _BATCH:
            self._store()

    def _store(self) -> None:
        from runner.model.errors import StoreError

        runs, self._waiting = self._waiting, []
        if not runs:
            return
        try:
            self._history.add(runs)
        except StoreError as error:
            self._trouble = str(error)

    def pytest_sessionfinish(self) -> None:
        """Store what is left."""
        self._store()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Show what cost most, beside what is usual of it."""
        from runner.model.metrics import EXECUTION_TIME

        rows = [
            (report.nodeid, found)
            for reports in terminalreporter.stats.values()
            for report in reports
            if getattr(report, "when", "") == "call"
            and _PREFIX + EXECUTION_TIME.name in (found := dict(report.user_properties))
        ]
        if rows:
            terminalreporter.section(f"cost of {len(rows)} test{'s' * (len(rows) != 1)}, the slowest first")
            for row in sorted(rows, key=lambda row: -(row[1][_PREFIX + EXECUTION_TIME.name] or 0))[:_SHOWN]:
                terminalreporter.line(self._line(*row))
        if self._trouble:
            terminalreporter.line(f"runner: warning: tests are not remembered: {self._trouble}", yellow=True)
        self._history.close()

    def _line(self, test: str, properties: Mapping[str, Any]) -> str:
        from runner.analysis.robust import median
        from runner.model.errors import StoreError
        from runner.model.metric import CEILING
        from runner.model.metrics import CPU_TIME, EXECUTION_TIME, MEMORY_MAX
        from runner.model.units import format_bytes, format_seconds
        from runner.stores.base import SUCCESS, RunFilter

        key = self._key(test)
        wall, cpu, memory = (properties.get(_PREFIX + metric.name) for metric in (EXECUTION_TIME, CPU_TIME, MEMORY_MAX))
        try:
            found = self._history.figures(RunFilter(status=SUCCESS, key=key, limit=_EARLIER), [EXECUTION_TIME.name])
        except StoreError:
            found = []
        # The newest of them is this very run, if it succeeded.
        before = [float(value) for (value,) in found[1:] if value is not None]
        usual = f", usually {format_seconds(median(before))}" if len(before) >= 3 else ""
        parts = [f"{format_seconds(wall or 0):>9}", f"CPU {format_seconds(cpu or 0):>8}"]
        if memory is not None:
            limit = "<=" if properties.get(f"{_PREFIX}{MEMORY_MAX.name}.kind") == CEILING else ""
            parts.append(f"peak {limit + format_bytes(memory * (1 << 20)):>10}")
        return f"{'  '.join(parts)}  {test}{usual}"

    def _key(self, test: str) -> str:
        """Return what all runs of a test have in common."""
        return f"pytest {self._root}::{test}"


def _gates_of(item: pytest.Item) -> list[Gate]:
    """Return the gates of a test, those of its module and class included.

    Raises:
        UsageError: One of them makes no sense, or a mark names none, or names something else.
    """
    from runner.model.errors import UsageError
    from runner.policy.gates import parse_gate

    gates = []
    for mark in item.iter_markers("gate"):
        if mark.kwargs or not mark.args:
            found = f"takes nothing by name ({', '.join(mark.kwargs)})" if mark.kwargs else "needs a gate"
            raise UsageError(f"@pytest.mark.gate {found}: write @pytest.mark.gate({_EXAMPLE!r})")
        gates += [parse_gate(str(text)) for text in mark.args]
    return gates


def _first_line(error: BaseException) -> str:
    from runner.model.redact import redact_text

    text = f"{type(error).__name__}: {error}".strip().split("\n")[0]
    return redact_text(text[:500])
