"""What has to be given to the runner to do a run again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from runner.engine.facts import file_hash
from runner.engine.rerun import again, changed, edited, hidden
from runner.model.errors import UsageError
from tests.unit.stores.made import run_of

if TYPE_CHECKING:
    from pathlib import Path

    from runner.model.run import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    script = tmp_path / "train.py"
    script.write_text("print(1)\n")
    return run_of(1, script="train.py", cwd=str(tmp_path), script_key=str(script), git_commit=None,
                  script_hash=file_hash(str(script)), python=sys.executable, args=["--epochs", "2"])  # fmt: skip


def test_a_line_is_given_again_where_it_was_given(run: Run, tmp_path: Path) -> None:
    run.line = ["--timeout", "5", "train.py"]
    assert (again(run).words, again(run).directory) == (run.line, run.cwd)
    (tmp_path / "other").mkdir()
    run.called_in = str(tmp_path / "other")
    assert again(run).directory == run.called_in
    run.called_in = str(tmp_path / "gone")
    with pytest.raises(UsageError, match="gone, which is no directory any more"):
        again(run)


def test_a_run_without_a_line_is_put_together(run: Run) -> None:
    made = again(run)
    assert made.words == ["run", "--python", sys.executable, "train.py", "--epochs", "2"]
    assert "other settings are not known" in made.note
    run.script_path, run.name, run.tags = "-m tool", "nightly", {"env": "prod"}
    assert again(run).words == ["run", "--name", "nightly", "--tag", "env=prod", "--python", sys.executable,
                                "-m", "tool", "--epochs", "2"]  # fmt: skip
    run.python, run.script_path, run.name, run.tags = None, "make", "", {}
    assert again(run).words == ["run", "--", "make", "--epochs", "2"]


def test_what_is_not_known_well_enough_is_refused(run: Run) -> None:
    for path in ("-c", "-"):
        run.script_path = path
        with pytest.raises(UsageError, match="its program was not in a file"):
            again(run)
    run.host = {}
    with pytest.raises(UsageError, match="measured elsewhere"):
        again(run)


def test_secrets_are_named_by_their_option() -> None:
    assert hidden(["x.py", "--token", "***", "--key=***", "a***b", "-v"]) == ["--token ***", "--key=***", "a***b"]
    assert hidden(["x.py", "***"]) == ["***"]
    assert hidden(["x.py", "**"]) == []


def test_what_has_changed_is_named(run: Run, tmp_path: Path) -> None:
    assert changed(run) == []
    (tmp_path / "train.py").write_text("print(2)\n")
    run.python = "/nowhere/python3"
    assert changed(run) == ["the script has changed", "the interpreter /nowhere/python3 is gone"]
    (tmp_path / "train.py").unlink()
    assert changed(run)[0] == "the script is gone"
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("b" * 40 + "\n")
    run.git_commit = "a" * 40
    assert changed(run)[1] == "the commit was aaaaaaaaaa and is bbbbbbbbbb"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# help\n\n# more\nrunner x.py 'a b' \\\n  c#d\n", ["x.py", "a b", "c#d"]),
        ("x.py\n--flag\n", ["x.py", "--flag"]),
        ("x.py 'two\n# lines'", ["x.py", "two\n# lines"]),
        ("", []),
        ("# only\n", []),
        ("runner\n", []),
    ],
)
def test_an_edited_line_is_read_as_a_shell_would(text: str, words: list[str]) -> None:
    assert edited(text) == words


def test_a_quotation_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match="no closing quotation"):
        edited("x.py 'a")
