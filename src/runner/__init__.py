"""Run a script exactly as it would run alone, know exactly what it cost, and remember every run."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.engine.alert_api import AlertManager as AlertManager
    from runner.engine.ci_api import CicdIntegration as CicdIntegration
    from runner.engine.history import HistoryManager as HistoryManager
    from runner.engine.log_analyzer import LogAnalyzer as LogAnalyzer
    from runner.engine.monitor import ProcessMonitor as ProcessMonitor
    from runner.engine.queries import TimeSeries as TimeSeries
    from runner.engine.script import ScriptRunner as ScriptRunner

__version__ = "0.1.0"

#: Public name -> where it lives; imported on first use, so that the command line pays for none of it.
_PUBLIC = {
    "AlertManager": "runner.engine.alert_api",
    "CicdIntegration": "runner.engine.ci_api",
    "HistoryManager": "runner.engine.history",
    "LogAnalyzer": "runner.engine.log_analyzer",
    "ProcessMonitor": "runner.engine.monitor",
    "ScriptRunner": "runner.engine.script",
    "TimeSeries": "runner.engine.queries",
}

__all__ = [
    "AlertManager", "CicdIntegration", "HistoryManager", "LogAnalyzer", "ProcessMonitor", "ScriptRunner", "TimeSeries",
    "__version__",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name in _PUBLIC:
        from importlib import import_module

        value: object = getattr(import_module(_PUBLIC[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
