"""The record names the commit that ran, and whether tracked files had been changed."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests import support


@pytest.fixture
def git(runner):
    support.require("git")
    author = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "init.defaultBranch=main"]

    def run(*words, cwd=None):
        done = subprocess.run(
            ["git", *author, *words], cwd=cwd or runner.cwd, env=runner.env, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    return run


def facts(runner, script, cwd=None):
    result = runner("--quiet", "--history-db", runner.cwd.parent / "h.db", "--json-output", "-", script, cwd=cwd)
    data = json.loads(result.out)
    assert data["num_processes"] == 1  # git, asked beside the script, is no part of its tree
    return data["git_commit"], data["git_dirty"]


def test_a_script_outside_of_a_repository_has_none(runner):
    assert facts(runner, runner.script("")) == (None, None)


def test_clean_changed_staged_and_packed(runner, git):
    script = runner.script("import time; time.sleep(0.15)")
    git("init", "-q")
    assert facts(runner, script)[0] is None  # no commit yet
    git("add", ".")
    git("commit", "-q", "-m", "first")
    first = git("rev-parse", "HEAD")
    (runner.cwd / "untracked").touch()
    assert facts(runner, script) == (first, False)
    (runner.cwd / script).write_text("x = 1")
    assert facts(runner, script) == (first, True)
    git("add", ".")
    assert facts(runner, script) == (first, True)
    git("commit", "-q", "-m", "second")
    git("gc", "-q")  # references are packed
    second = git("rev-parse", "HEAD")
    assert facts(runner, script) == (second, False)
    git("checkout", "-q", first)  # a detached head
    assert facts(runner, script) == (first, False)


def test_a_script_in_a_worktree_has_the_commit_of_that_worktree(runner, git):
    script = runner.script("")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    other = runner.cwd.parent / "other"
    git("worktree", "add", "-q", "-b", "topic", str(other))
    (other / script).write_text("y = 2")
    git("commit", "-q", "-a", "-m", "on a branch", cwd=other)
    assert facts(runner, script, cwd=other) == (git("rev-parse", "topic"), False)
    assert facts(runner, script) == (git("rev-parse", "main"), False)
