"""Makes the reports that a run was asked for; what nobody asked for is not imported."""

from __future__ import annotations

import os

from runner.model.errors import UsageError
from runner.options import COMMAND_LINE, DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from runner.engine.execution import Report
    from runner.exporters.report import FileReport
    from runner.model.run import Run
    from runner.options import Options

    #: Returns the options of an owner if anything asked for them.
    Asked = Callable[[str], Any]

_STDOUT = "/dev/stdout"


def make_reports(asked: Asked, environ: Mapping[str, str], script: str = "") -> list[Report]:
    """Make the reports that were asked for.

    Args:
        asked: Returns the options of an owner, None where nothing asked for them.
        environ: The environment; CI systems name their folders in it.
        script: The script's file, "" for none.

    Raises:
        UsageError: A path can't work, two reports would go to one file, or one in place of the script, the record, a
            baseline or the configuration file.
    """
    root = environ.get("CI_PROJECT_DIR") or environ.get("GITHUB_WORKSPACE") or ""
    makers = (_json, _junit, _tap, _markdown, _html, _gitlab)
    files = [report for make in makers if (report := make(asked, root)) is not None]
    if files:
        others = {os.path.realpath(path): what for what, path in _others(asked, environ, script) if path}
        _check_distinct(((report.flag, report.path) for report in files), others)
    return [*files, *_github(asked, environ)]


def _others(asked: Asked, environ: Mapping[str, str], script: str) -> list[tuple[str, str]]:
    """Return the other files that a run goes by, each with what asks for it: no report may take its place."""
    from runner.engine.config import find
    from runner.engine.location import absolute, locate

    ci, record, config = asked("ci"), asked("record"), asked("config")
    history = locate("" if record is None else record.history_db, absolute())[0]
    return [
        ("the configuration file", find(script or None, environ) if config is None else config.config),
        ("the script", script),
        ("the record", history),
        ("--baseline", "" if ci is None else ci.baseline),
        ("--save-baseline", "" if ci is None else ci.save_baseline),
    ]


def _json(asked: Asked, root: str) -> FileReport | None:
    options = asked("json")
    if options is None:
        return None
    from runner.exporters.json_report import JsonReport

    return JsonReport(options.json_output)


def _junit(asked: Asked, root: str) -> FileReport | None:
    options = asked("junit")
    if options is None:
        return None
    if _is_set(options, "junit_output", "junit_dialect"):
        from runner.exporters.junit import JunitReport

        return JunitReport(options.junit_output, options.junit_dialect, root)
    return None


def _tap(asked: Asked, root: str) -> FileReport | None:
    options = asked("tap")
    if options is None:
        return None
    if _is_set(options, "tap_output", "tap_version"):
        from runner.exporters.tap import TapReport

        return TapReport(options.tap_output, options.tap_version)
    return None


def _markdown(asked: Asked, root: str) -> FileReport | None:
    options = asked("markdown")
    if options is None:
        return None
    from runner.exporters.markdown import MarkdownReport

    return MarkdownReport(options.markdown_output)


def _html(asked: Asked, root: str) -> FileReport | None:
    options = asked("html")
    if options is None:
        return None
    from runner.engine.curves import run_chart
    from runner.exporters.html_report import HtmlReport

    return HtmlReport(options.html_output, run_chart)


def _gitlab(asked: Asked, root: str) -> FileReport | None:
    options = asked("gitlab")
    if options is None:
        return None
    from runner.exporters.gitlab import GitlabMetricsReport

    return GitlabMetricsReport(options.gitlab_metrics_output)


def _github(asked: Asked, environ: Mapping[str, str]) -> list[Report]:
    options = asked("github")
    if not in_github(environ) or (options is not None and options.no_github):
        return []
    from runner.exporters.github import GithubReport

    return [GithubReport(environ, _place)]


def in_github(environ: Mapping[str, str]) -> bool:
    """Whether this is a step of GitHub Actions."""
    return environ.get("GITHUB_ACTIONS") == "true"


def _place(run: Run) -> tuple[str, int] | None:
    """Return file and line of the code where a run failed, if an exception tells."""
    from runner.engine.one_run import place_in_code

    place = place_in_code(run, run.last)
    return None if place is None else (place.path, place.frame.line)


def _is_set(options: Options, path: str, other: str) -> bool:
    """Whether a report was asked for, and not only how it should be."""
    if options.source(path) != DEFAULT:
        return True
    if options.source(other).startswith(COMMAND_LINE):
        flags = [options.declared[name].label for name in (other, path)]
        raise UsageError(f"{flags[0]} needs {flags[1]} FILE")
    return False


def _check_distinct(paths: Iterable[tuple[str, str]], taken: dict[str, str]) -> None:
    """Refuse two uses of one file.

    Args:
        paths: Reports, by the flag that asks for each.
        taken: What other files are for, by their real path; the reports are added.

    Raises:
        UsageError: A report would go where another one goes, or where something else is.
    """
    stdout = os.path.realpath(_STDOUT)
    for flag, path in paths:
        place = stdout if path == "-" else os.path.realpath(path)
        # A device or FIFO takes several reports, one after the other; standard output would hold none that can be read.
        several = os.path.exists(place) and not os.path.isfile(place) and (place != stdout or place == os.devnull)
        if place in taken and not several:
            where = "standard output" if place == stdout else path
            raise UsageError(f"{taken[place]} and {flag} both name {where}; give each a file of its own")
        taken[place] = flag
