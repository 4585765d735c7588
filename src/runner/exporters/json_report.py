"""The JSON report of a run (``--json-output``)."""

from __future__ import annotations

from runner.exporters import files
from runner.options import RUN, Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.model.judgement import Judgement
    from runner.model.run import Run


class JsonOptions(Options):
    """Where the JSON report goes."""

    json_output: str = opt(
        "Write every figure of the run as JSON; - is standard output", default="", metavar="FILE",
        env="RUNNER_JSON_OUTPUT", role=RUN, spec=True,
    )  # fmt: skip


class JsonReport:
    """Writes the JSON report.

    Args:
        path: Where to; ``-`` is standard output.

    Raises:
        UsageError: The path can't work.
    """

    def __init__(self, path: str) -> None:
        files.check(path, "--json-output")
        self.path = path
        #: Whether it goes to standard output, which has to stay open until then.
        self.to_stdout = files.is_stdout(path)

    def write(self, run: Run, judgement: Judgement | None = None) -> None:
        """Write the report of a finished run.

        Raises:
            ReportError: It could not be written.
        """
        from json import dumps

        data = run.to_dict() | ({} if judgement is None else {"judgement": judgement.to_dict()})
        files.write(self.path, (dumps(data, indent=2, ensure_ascii=True) + "\n").encode("ascii"))
