"""What a terminal can't show is refused before anything starts."""

from __future__ import annotations

import pytest

from runner.cli.showing import check
from runner.engine.progress_options import ProgressOptions
from runner.engine.run_options import RunOptions
from runner.model.errors import UsageError


def test_a_line_both_wanted_and_not_is_refused() -> None:
    both = {"progress": ["true"], "no_progress": ["true"]}
    with pytest.raises(UsageError, match="--progress and --no-progress exclude each other"):
        check(ProgressOptions.resolve(both, {}, {}), RunOptions(), {})


def test_the_line_overrules_the_environment() -> None:
    progress = ProgressOptions.resolve({"no_progress": ["true"]}, {"RUNNER_PROGRESS": "true"}, {})
    check(progress, RunOptions(), {})
    assert progress.line is False
