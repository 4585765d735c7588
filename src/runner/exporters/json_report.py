"""The JSON report of a run (``--json-output``)."""

from __future__ import annotations

from runner.exporters.report import FileReport
from runner.options import RUN, Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runner.model.judgement import Judgement
    from runner.model.run import Run


class JsonOptions(Options):
    """Where the JSON report goes."""

    json_output: str = opt(
        "Write every figure of the run as JSON; - is standard output", default="", metavar="FILE",
        env="RUNNER_JSON_OUTPUT", yaml="reports.json", role=RUN, spec=True,
    )  # fmt: skip


class JsonReport(FileReport):
    """Writes the JSON report."""

    flag = "--json-output"

    def render(self, run: Run, judgement: Judgement | None) -> bytes:
        """Return the report."""
        from json import dumps

        data = run.to_dict() | ({} if judgement is None else {"judgement": judgement.to_dict()})
        try:
            text = dumps(data, indent=2, ensure_ascii=True, allow_nan=False)
        except ValueError:  # JSON has neither infinity nor what is no number
            text = dumps(_finite(data), indent=2, ensure_ascii=True)
        return (text + "\n").encode("ascii")


def _finite(value: Any) -> Any:
    """Return plain data with None for every number that JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and value - value != 0 else value
