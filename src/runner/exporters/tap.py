"""The TAP report of a run (``--tap-output``), version 14 of the Test Anything Protocol (https://testanything.org)."""

from __future__ import annotations

from runner.exporters.cases import FAILURE, PASS, SKIP, Suite
from runner.exporters.plain import one_line
from runner.exporters.report import FileReport
from runner.model.judgement import Judgement
from runner.options import RUN, Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.exporters.cases import Case, Judged, Measured
    from runner.model.run import Run

NEWEST, WIDESPREAD = "14", "13"

#: Lines of output with a failure.
_LINES = 20
#: Characters of a text that still stands behind its name.
_LONG = 300


class TapOptions(Options):
    """Where the TAP report goes."""

    tap_output: str = opt(
        "Write a TAP report: a test for the script, one for each gate; - is standard output", default="",
        metavar="FILE", env="RUNNER_TAP_OUTPUT", yaml="reports.tap", role=RUN, spec=True,
    )  # fmt: skip
    tap_version: str = opt(
        "Version that the TAP report says it is of: 13 for readers that refuse 14, such as the prove of Perl 5.36",
        default=NEWEST, choices=(WIDESPREAD, NEWEST), env="RUNNER_TAP_VERSION", yaml="reports.tap_version", role=RUN,
    )  # fmt: skip


class TapReport(FileReport):
    """Writes the TAP report.

    Args:
        path: Where to; ``-`` is standard output.
        version: `NEWEST` or `WIDESPREAD`.

    Raises:
        UsageError: The path can't work.
    """

    flag = "--tap-output"

    def __init__(self, path: str, version: str = NEWEST) -> None:
        super().__init__(path)
        self.version = version

    def render(self, run: Run, judgement: Judgement | None) -> bytes:
        """Return the report."""
        return tap_text(run, judgement, version=self.version).encode("utf-8")


def tap_text(measured: Measured, judged: Judged = None, name: str = "", version: str = NEWEST) -> str:
    """Return a run and what was judged of it as TAP.

    Args:
        measured: The run, or its figures by name.
        judged: What its gates say, or all that was judged.
        name: What the script is called; what people call it where empty.
        version: `NEWEST`; or `WIDESPREAD`, whose readers understand all that is written here but refuse the newer
            number.
    """
    suite = Suite(measured, judged, name)
    lines = [f"TAP version {version}", f"1..{len(suite.cases)}"]
    if isinstance(judged, Judgement):
        lines += [f"# {one_line(notice)}" for notice in judged.notices]
    for number, case in enumerate(suite.cases, 1):
        lines.append(_point(number, case))
        details = _details(suite, case) if number == 1 or case.state not in (PASS, SKIP) else []
        if details:
            lines += ["  ---", *(f"  {line}" for line in details), "  ..."]
    return "\n".join(lines) + "\n"


def _point(number: int, case: Case) -> str:
    good = case.state in (PASS, SKIP)
    directive = f" # SKIP {_escaped(case.message)}" if case.state == SKIP else ""
    return f"{'ok' if good else 'not ok'} {number} - {_escaped(case.name)}{directive}"


def _escaped(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace("#", "\\#")


def _details(suite: Suite, case: Case) -> list[str]:
    """Return the diagnostics of a test as lines of YAML, in the part of it that every reader of TAP understands."""
    lines = []
    if case.message:
        lines += [f"message: {_quoted(case.message)}", f"severity: {'fail' if case.state == FAILURE else case.state}"]
    if case.type:
        lines.append(f"type: {_quoted(case.type)}")
    if case is suite.cases[0]:
        if suite.seconds is not None:
            lines.append(f"duration_ms: {suite.seconds * 1000:.3f}")
        lines += [f"{key}: {_quoted(suite.properties[key])}" for key in ("run_id", "git_commit")
                  if key in suite.properties]  # fmt: skip
    for key, value in case.details.items():
        if "\n" in value or len(value) > _LONG:
            lines += [f"{key}: |", *(f"  {line}" for line in _block(value))]
        else:
            lines.append(f"{key}: {_quoted(value)}")
    return lines


def _block(text: str) -> list[str]:
    """Return the last lines of a text as those of a literal block, whose first line sets the indentation."""
    lines = text.split("\n")[-_LINES:]
    return lines if lines[0].strip() == lines[0] != "" else ["[...]", *lines]


def _quoted(text: str) -> str:
    """Return a text in double quotes, on one line; it is clean otherwise."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
