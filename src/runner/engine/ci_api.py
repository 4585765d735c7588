"""Gates and reports for programs: what continuous integration asks of a run, without a command line."""

from __future__ import annotations

import os

from runner.engine.baseline import Baseline
from runner.engine.baseline_file import entry_of_report
from runner.engine.baseline_key import Key, key_of
from runner.engine.ci import judge_figures
from runner.exporters import files
from runner.exporters.junit import STRICT, JunitOptions, junit_xml
from runner.exporters.tap import NEWEST, TapOptions, tap_text
from runner.model.judgement import Judgement
from runner.policy.gates import bounds, in_force, parse_gate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from runner.model.judgement import GateResult
    from runner.policy.gates import Gate


class CicdIntegration:
    """What a run has to pass, and reports of it.

    Args:
        name: What reports call the script.

    Attributes:
        gates: The gates, in the order in which they were added. Of several on one metric that point in one direction
            the last one counts.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.gates: list[Gate] = []
        self._baseline: Baseline | None = None
        self._key = Key()

    def add_performance_gate(
        self, metric_name: str, max_value: float | str | None = None, min_value: float | str | None = None
    ) -> None:
        """Add a gate.

        Args:
            metric_name: A metric of the catalog; or a whole gate as a line writes it, such as ``cpu_max:<=90`` or
                ``execution_time_seconds:+10%``.
            max_value: The most that lets a run pass, in the metric's unit or with one (``"1GB"``).
            min_value: The least, likewise.

        Raises:
            UsageError: There is no such metric, nothing is bounded, or a limit is no number.
        """
        if isinstance(metric_name, str) and ":" in metric_name and max_value is None and min_value is None:
            self.gates.append(parse_gate(metric_name))
            return
        self.gates += bounds(metric_name, max_value, min_value)

    def load_baseline(self, path: str | os.PathLike[str], key: str = "") -> None:
        """Compare with what a file holds: a baseline, a JSON report, or metrics as `json.dump` wrote them.

        Of a baseline the runs of the same script count, under the branch and machine that CI names in the environment.
        Where there is no file yet nothing is compared, which `judge` tells as a notice.

        Args:
            path: The file.
            key: Which runs of it are meant, instead of branch and machine.

        Raises:
            UsageError: It can't be read, or is none of these.
        """
        self._baseline = Baseline.load(os.fspath(path), "baseline")
        self._key = key_of(os.environ, key)

    def judge(self, metrics: Mapping[str, Any]) -> Judgement:
        """Judge a run by the gates, and compare it with the baseline if there is one.

        Args:
            metrics: Its figures: ``result["metrics"]`` of `ScriptRunner.run_script`, or ``result`` itself, which also
                says where and how it ran.

        Returns:
            What was judged; its `notices` say which runs it was compared with, or why with none, and which gates
            another one replaces.
        """
        gates, notices = in_force(self.gates)
        source = self._source(metrics, notices)
        judgement = judge_figures(gates, _figures(metrics), metrics.get("kinds") or {}, source)
        judgement.notices[:0] = notices
        return judgement

    def _source(self, metrics: Mapping[str, Any], notices: list[str]) -> Baseline | None:
        """Return what a run is compared with, and say what is to be said of it."""
        baseline = self._baseline
        if baseline is None:
            return None
        entry = self._entry(metrics)
        if not entry["script"] and len({series.script for series in baseline.series}) > 1:
            notices.append(f"{baseline.path} has several scripts, and this run names none; nothing was compared")
            return None
        baseline.choose(self._key, entry)
        notices += baseline.notices(entry)
        return baseline

    def _entry(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        """Return a run as a baseline keeps it; what figures alone do not say is taken to be as it is here."""
        from runner.agent.facts import host_facts
        from runner.model.likeness import host_class

        entry = entry_of_report({**metrics, **_figures(metrics)})
        return {
            **entry,
            "script": entry["script"] or self.name,
            "host_class": entry["host_class"] or host_class(host_facts()),
        }

    def check_gates(self, metrics: Mapping[str, Any]) -> tuple[bool, list[GateResult]]:
        """Judge a run by the gates.

        Args:
            metrics: As `judge` takes them.

        Returns:
            Whether it passes, and what each gate says, those that failed first; ``str()`` of one is a line for people,
            which ends with ``passed`` or ``failed``.
        """
        results = self.judge(metrics).gates
        return all(result.passed for result in results), sorted(results, key=lambda result: result.passed)

    def generate_junit_xml(
        self,
        metrics: Mapping[str, Any],
        gate_results: Sequence[GateResult],
        output_path: str | os.PathLike[str],
        dialect: str = STRICT,
    ) -> None:
        """Write a run and its gates as JUnit XML.

        Args:
            metrics: As `judge` takes them.
            gate_results: What `check_gates` returned.
            output_path: Where to.
            dialect: ``"strict"`` keeps to Jenkins' schema, ``"gitlab"`` adds the file of each test case.

        Raises:
            UsageError: The path can't work, or there is no such dialect.
            ReportError: It could not be written.
        """
        dialect = JunitOptions.declared["junit_dialect"].convert(dialect, "dialect")
        self._write(os.fspath(output_path), junit_xml(_figures(metrics), list(gate_results), self.name, dialect))

    def generate_tap_output(
        self,
        metrics: Mapping[str, Any],
        gate_results: Sequence[GateResult],
        output_path: str | os.PathLike[str],
        version: str = NEWEST,
    ) -> None:
        """Write a run and its gates as TAP.

        Args:
            metrics: As `judge` takes them.
            gate_results: What `check_gates` returned.
            output_path: Where to.
            version: ``"14"``, or ``"13"`` for readers that refuse the newer number.

        Raises:
            UsageError: The path can't work, or there is no such version.
            ReportError: It could not be written.
        """
        version = TapOptions.declared["tap_version"].convert(version, "version")
        text = tap_text(_figures(metrics), list(gate_results), self.name, version)
        self._write(os.fspath(output_path), text.encode("utf-8"))

    @staticmethod
    def _write(path: str, data: bytes) -> None:
        files.check(path, "output_path")
        files.write(path, data)


def _figures(metrics: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the flat metrics of a result, whichever of the two was handed over."""
    inner = metrics.get("metrics")
    return inner if isinstance(inner, dict) else metrics
