"""The JSON report of a run (``--json-output``)."""

from __future__ import annotations

from runner.exporters.report import FileReport
from runner.options import RUN, Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
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
        return (dumps(data, indent=2, ensure_ascii=True) + "\n").encode("ascii")
