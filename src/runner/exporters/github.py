"""What a run tells GitHub Actions by itself: annotations, the step's summary, and output variables.

Annotations are workflow commands on standard error, where the service reads them too, so that standard output stays the
script's. They are escaped as https://docs.github.com/actions/reference/workflow-commands-for-github-actions says: no
text of a script can begin a command of ours, nor end one. Commands that the script itself prints are its own, and pass.
"""

from __future__ import annotations

import os

from runner.agent.events import SKIPPED
from runner.exporters.cases import ERROR, FAILURE, PASS, Suite
from runner.exporters.files import ReportError, relative, write_all
from runner.exporters.markdown import markdown
from runner.exporters.plain import clean
from runner.exporters.telling import good
from runner.options import RUN, Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.model.judgement import Judgement
    from runner.model.run import Run

#: Annotations of one kind that a step may have; the service drops what exceeds them.
MOST_ANNOTATIONS = 10
#: Bytes that the summary of a step may have.
MOST_SUMMARY = 1 << 20


class GithubOptions(Options):
    """Whether GitHub Actions is told of the run."""

    no_github: bool = opt(
        "In GitHub Actions, write no annotations, step summary or output variables", default=False,
        env="RUNNER_NO_GITHUB", yaml="reports.no_github", role=RUN,
    )  # fmt: skip


class GithubReport:
    """Tells GitHub Actions of a run.

    Args:
        environ: The environment, which names the files of the step.
        place: Returns file and line of the code where a run failed, or None.
    """

    to_stdout = False

    def __init__(self, environ: Mapping[str, str], place: Callable[[Run], tuple[str, int] | None]) -> None:
        self._environ = environ
        self._place = place

    def write(self, run: Run, judgement: Judgement | None = None) -> None:
        """Tell of a finished run.

        Raises:
            ReportError: A part could not be told; the others were.
        """
        problems = []
        for part in (self._annotate, self._summarize, self._set_outputs):
            try:
                part(run, judgement)
            except OSError as error:
                where = f"{error.filename}: " if error.filename else ""
                problems.append(f"{where}{error.strerror or error}")
            except ReportError as error:
                problems.append(str(error))
        if problems:
            raise ReportError(f"GitHub Actions was not told everything: {'; '.join(problems)}")

    def _annotate(self, run: Run, judgement: Judgement | None) -> None:
        place = self._place(run) if not run.last.success and run.last.reason != SKIPPED else None
        lines = annotation_commands(run, judgement, place, self._environ.get("GITHUB_WORKSPACE", ""))
        if lines:
            kept = run.last.output.get("stdout" if run.last.merged else "stderr")
            # A command counts only at the beginning of a line.
            begin = "\n" if kept is not None and kept.unfinished else ""
            write_all(2, (begin + "\n".join(lines) + "\n").encode("utf-8"))

    def _summarize(self, run: Run, judgement: Judgement | None) -> None:
        path = self._environ.get("GITHUB_STEP_SUMMARY")
        if not path:
            return
        data = markdown(run, judgement).encode("utf-8") + b"\n"
        taken = os.path.getsize(path) if os.path.exists(path) else 0
        if taken + 1 + len(data) > MOST_SUMMARY:  # 1: the end of a line that was left open
            raise ReportError(f"the step's summary has no room for {len(data)} more bytes")
        _append(path, data)

    def _set_outputs(self, run: Run, judgement: Judgement | None) -> None:
        path = self._environ.get("GITHUB_OUTPUT")
        if path:
            _append(path, outputs(run, judgement).encode("utf-8"))


def annotation_commands(run: Run, judgement: Judgement | None, place: tuple[str, int] | None, root: str) -> list[str]:
    """Return what is to be annotated as workflow commands.

    Args:
        run: The run.
        judgement: What was judged of it.
        place: File and line of the code where it failed, if that is known.
        root: Folder of the checkout, which files are told relative to.
    """
    suite = Suite(run, judgement)
    errors: list[tuple[dict[str, str], str]] = []
    notices: list[tuple[dict[str, str], str]] = []
    for number, case in enumerate(suite.cases):
        if case.state == PASS:
            continue
        title = (
            f"{suite.name}: {case.name}"
            if number
            else f"{suite.name} {'failed' if case.state in (FAILURE, ERROR) else 'was skipped'}"
        )
        properties = {"title": title}
        if not number and place is not None:
            file = relative(place[0], root)
            if not os.path.isabs(file):
                properties = {"file": file, "line": str(place[1]), **properties}
        (errors if case.state in (FAILURE, ERROR) else notices).append((properties, case.message))
    notices += [({"title": suite.name}, clean(notice)) for notice in ([] if judgement is None else judgement.notices)]
    return _commands("error", errors) + _commands("notice", notices)


def _commands(kind: str, told: list[tuple[dict[str, str], str]]) -> list[str]:
    if len(told) > MOST_ANNOTATIONS:
        more = len(told) - MOST_ANNOTATIONS + 1
        told = [*told[: MOST_ANNOTATIONS - 1], ({}, f"and {more} more: the summary of the step has them all")]
    return [command(kind, properties, message) for properties, message in told]


def command(kind: str, properties: Mapping[str, str], message: str) -> str:
    """Return a workflow command."""
    told = ",".join(
        f"{name}={_data(value).replace(':', '%3A').replace(',', '%2C')}" for name, value in properties.items()
    )
    return f"::{kind}{' ' * bool(told)}{told}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def outputs(run: Run, judgement: Judgement | None = None) -> str:
    """Return the output variables of the step, as its file has them: the keys of the JSON report."""
    last = run.last
    failed = [] if judgement is None else [gate for gate in judgement.gates if not gate.passed]
    values: dict[str, object] = {
        "run_id": run.id,
        "passed": good(run, judgement),
        "success": last.success,
        "exit_code": last.exit_code,
        "reason": last.reason,
        "error_message": last.error_message,
        "gates_failed": len(failed),
        **last.metrics,
    }
    return "".join(_variable(name, value) for name, value in values.items())


def _variable(name: str, value: object) -> str:
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else clean(str(value))
    if "\n" not in text:
        return f"{name}={text}\n"
    end = f"end_{os.urandom(16).hex()}"  # what no text can foresee
    return f"{name}<<{end}\n{text}\n{end}\n"


def _append(path: str, data: bytes) -> None:
    """Append lines to a file of the step, in which the script may have left a line open."""
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        size = os.fstat(fd).st_size
        is_open = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
        write_all(fd, b"\n" * is_open + data)
    finally:
        os.close(fd)
