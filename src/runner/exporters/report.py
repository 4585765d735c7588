"""What every report of a run that goes to a file has in common."""

from __future__ import annotations

from runner.exporters import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.model.judgement import Judgement
    from runner.model.run import Run


class FileReport:
    """Base of the reports that are written to one file.

    Args:
        path: Where to; ``-`` is standard output.

    Raises:
        UsageError: The path can't work.
    """

    #: The flag that asks for it, for messages.
    flag = ""

    def __init__(self, path: str) -> None:
        files.check(path, self.flag)
        self.path = path
        #: Whether it goes to standard output, which has to stay open until then.
        self.to_stdout = files.is_stdout(path)

    def write(self, run: Run, judgement: Judgement | None = None) -> None:
        """Write the report of a finished run.

        Raises:
            ReportError: It could not be written.
        """
        kept = run.last.output.get("stdout")
        # Behind a line of the script's that has no end, a report would begin in the middle of a line.
        begin = b"\n" if self.to_stdout and kept is not None and kept.unfinished else b""
        files.write(self.path, begin + self.render(run, judgement))

    def render(self, run: Run, judgement: Judgement | None) -> bytes:
        """Return the report."""
        raise NotImplementedError
