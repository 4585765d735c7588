"""The JUnit report of a run (``--junit-output``): one test case for the script, one for each gate.

It keeps to the strictest of the schemas in use, ``junit-10.xsd`` of Jenkins' xUnit plug-in; what GitLab reads beyond it
is another dialect.
"""

from __future__ import annotations

import os

from runner.exporters.cases import ERROR, FAILURE, PASS, SKIP, Suite
from runner.exporters.files import relative
from runner.exporters.plain import clean, output_text, streams
from runner.exporters.report import FileReport
from runner.model.run import Run
from runner.options import RUN, Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.exporters.cases import Case, Judged, Measured
    from runner.model.judgement import Judgement
    from runner.model.run import Attempt

STRICT, GITLAB = "strict", "gitlab"

#: Output of each stream in a report; GitLab refuses files of 30 MB.
_OUTPUT_BYTES = 256 << 10


class JunitOptions(Options):
    """Where the JUnit report goes, and in which dialect."""

    junit_output: str = opt(
        "Write a JUnit XML report: a test case for the script, one for each gate; - is standard output", default="",
        metavar="FILE", env="RUNNER_JUNIT_OUTPUT", yaml="reports.junit", role=RUN, spec=True,
    )  # fmt: skip
    junit_dialect: str = opt(
        "Dialect of the JUnit report: strict keeps to Jenkins' schema, gitlab adds the file of each test case",
        default=STRICT, choices=(STRICT, GITLAB), env="RUNNER_JUNIT_DIALECT", yaml="reports.junit_dialect", role=RUN,
    )  # fmt: skip


class JunitReport(FileReport):
    """Writes the JUnit report.

    Args:
        path: Where to; ``-`` is standard output.
        dialect: `STRICT` or `GITLAB`.
        root: Folder that files are told relative to.

    Raises:
        UsageError: The path can't work.
    """

    flag = "--junit-output"

    def __init__(self, path: str, dialect: str = STRICT, root: str = "") -> None:
        super().__init__(path)
        self.dialect = dialect
        self.root = root

    def render(self, run: Run, judgement: Judgement | None) -> bytes:
        """Return the report."""
        return junit_xml(run, judgement, dialect=self.dialect, root=self.root)


def junit_xml(
    measured: Measured, judged: Judged = None, name: str = "", dialect: str = STRICT, root: str = ""
) -> bytes:
    """Return a run and what was judged of it as JUnit XML.

    Args:
        measured: The run, or its figures by name.
        judged: What its gates say, or all that was judged.
        name: Name of the suite; what people call the script where empty.
        dialect: `STRICT` or `GITLAB`.
        root: Folder that files are told relative to.
    """
    suite = Suite(measured, judged, name)
    counts = {"tests": len(suite.cases), "failures": suite.count(FAILURE), "errors": suite.count(ERROR)}
    seconds = "" if suite.seconds is None else f"{max(0.0, suite.seconds):.3f}"
    head = {"name": suite.name, **counts, "time": seconds}
    more = {"skipped": suite.count(SKIP), "timestamp": suite.started, "hostname": suite.host}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites{_attributes(head)}>",
        f"  <testsuite{_attributes(head | more)}>",
        "    <properties>",
        *(f"      <property{_attributes({'name': key, 'value': value})}/>" for key, value in suite.properties.items()),
        "    </properties>",
    ]
    file = relative(suite.file or suite.path, root) if dialect == GITLAB else ""
    for position, case in enumerate(suite.cases):
        shown = {"name": case.name, "classname": _class_name(suite), "time": "0" if position else seconds, "file": file}
        inner = [*_outcome(case), *(_of_script(measured) if not position and isinstance(measured, Run) else [])]
        opening = f"    <testcase{_attributes(shown)}"
        lines += [f"{opening}>", *(f"      {part}" for part in inner), "    </testcase>"] if inner else [f"{opening}/>"]
    return "\n".join([*lines, "  </testsuite>", "</testsuites>", ""]).encode("utf-8")


def _class_name(suite: Suite) -> str:
    """Return a name in which Jenkins finds packages: the folders of the script."""
    path = suite.path if suite.path and not os.path.isabs(suite.path) else suite.name
    parts = [part for part in path.removesuffix(".py").split("/") if part not in ("", ".", "..")]
    return ".".join(parts) or suite.name


def _outcome(case: Case) -> list[str]:
    if case.state == PASS:
        return []
    element = {FAILURE: "failure", ERROR: "error", SKIP: "skipped"}[case.state]
    shown = {"type": case.type, "message": case.message}
    # GitLab shows the text of the element and not its message, so the text says all.
    text = "\n".join([case.message, *(f"{name}: {value}" if "\n" not in value else f"\n{name}:\n{value}"
                                      for name, value in case.details.items())])  # fmt: skip
    return [f"<{element}{_attributes(shown)}>{_text(text)}</{element}>"]


def _of_script(run: Run) -> list[str]:
    """Return what only the script's own case has: earlier attempts, and output."""
    name = "flakyFailure" if run.last.success else "rerunFailure"
    parts = [_earlier(name, attempt) for attempt in run.attempts[:-1]]
    for stream, kept in streams(run.last):
        element = "system-err" if stream == "stderr" else "system-out"
        parts.append(f"<{element}>{_text(output_text(kept, _OUTPUT_BYTES))}</{element}>")
    return parts


def _earlier(name: str, attempt: Attempt) -> str:
    message = attempt.error_message or attempt.reason
    shown = {"type": attempt.error_type or attempt.reason, "message": message}
    return f"<{name}{_attributes(shown)}>{_text(f'attempt {attempt.number}: {message}')}</{name}>"


def _attributes(values: Mapping[str, object]) -> str:
    told = ((name, _text(str(value)).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;"))
            for name, value in values.items() if value != "")  # fmt: skip
    return "".join(f' {name}="{value}"' for name, value in told)


def _text(text: str) -> str:
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
