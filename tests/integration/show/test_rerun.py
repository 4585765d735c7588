"""``runner rerun``: the same line in the same directory, or a clear refusal."""

from __future__ import annotations

import json
import os
import signal
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests import support

TELL = """
import os, sys
print(os.getcwd(), sys.argv[1:], sys.stdin.read(), flush=True)
if "die" in sys.argv:
    os.kill(os.getpid(), 15)
sys.exit(int(os.environ.get("CODE", "0")))
"""


@pytest.fixture
def told(runner: support.Command) -> support.Command:
    runner.script(TELL, "tell.py")
    (runner.cwd / "sub").mkdir()
    assert runner("tell.py").exit_code == 0, "the record lies here from now on, for folders below too"
    return runner


def last(runner: support.Command) -> dict[str, object]:
    found: dict[str, object] = json.loads(runner("show", "--format", "json").out)
    return found


def test_the_same_line_runs_in_the_same_directory(told: support.Command) -> None:
    first = told("--cwd", "..", "--tag", "a=b", "tell.py", "x", "two words", cwd=told.cwd / "sub")
    before = last(told)
    again = told("rerun", env={"CODE": "3"}, input="typed")
    assert again.exit_code == 3, "that of the run"
    assert again.stdout == first.stdout.replace(b"]  ", b"] typed ").replace(b"] \n", b"] typed\n")
    after = last(told)
    assert after["run_id"] != before["run_id"]
    for name in ("line", "called_in", "cwd", "script_args", "tags"):
        assert after[name] == before[name], name
    assert "since run" not in again.err


def test_it_can_be_asked_for_from_anywhere(told: support.Command, tmp_path: Path) -> None:
    told("tell.py", "x")
    database = str(told.cwd / "script_runner_history.db")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    again = told("rerun", "last:tell.py", "--history-db", database, cwd=elsewhere)
    assert again.out.startswith(str(told.cwd))
    assert json.loads(told("history", "--format", "json").out)["matching"] == 3
    assert not list(elsewhere.iterdir())


def test_a_run_that_dies_of_a_signal_does_so_again(told: support.Command) -> None:
    assert told("tell.py", "die").exit_code == -signal.SIGTERM
    assert told("rerun").exit_code == -signal.SIGTERM


def test_what_has_changed_is_said_in_one_line(told: support.Command) -> None:
    told("tell.py")
    run_id = last(told)["run_id"]
    with open(told.cwd / "tell.py", "a") as file:
        file.write("# more\n")
    again = told("rerun", "-1")
    assert again.err.startswith(f"runner: since run {run_id}: the script has changed\n")
    assert again.exit_code == 0
    os.unlink(told.cwd / "tell.py")
    again = told("rerun", run_id)
    assert again.exit_code == 127
    assert "the script is gone" in again.err


def editor(runner: support.Command, code: str) -> str:
    path = runner.cwd / "editor"
    path.write_text("#!/usr/bin/env python3\nimport sys\npath = sys.argv[-1]\ntext = open(path).read()\n"
                    + textwrap.dedent(code))  # fmt: skip
    path.chmod(0o755)
    return f"{path} --flag"


def test_a_secret_has_to_be_written_anew(told: support.Command) -> None:
    told("tell.py", "--token=hunter2", "--password", "hunter3")
    refused = told("rerun")
    assert (refused.exit_code, refused.out) == (2, "")
    assert "--token=***, --password ***" in refused.err and "--edit" in refused.err
    assert len(refused.err.splitlines()) == 1
    env = {"EDITOR": editor(told, "open(path, 'w').write(text.replace('***', 'new'))")}
    assert "['--token=new', '--password', 'new']" in told("rerun", "--edit", env=env).out
    assert "new" not in str(last(told)["line"])
    still = told("rerun", "--edit", env={"VISUAL": editor(told, ""), "EDITOR": "false"})
    assert still.exit_code == 2 and "write it in place of ***" in still.err


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("open(path, 'w')", "the line is empty; nothing was run"),
        ("open(path, 'w').write(\"runner 'x\")", "can't be read"),
        ("open(path, 'w').write('runner --version')", "the line runs nothing: runner --version"),
        ("sys.exit(1)", "the editor ended with 1; nothing was run"),
        ("import os; os.unlink(path)", "nothing was run"),
    ],
)
def test_what_an_editor_leaves_may_be_no_line(told: support.Command, code: str, says: str) -> None:
    told("tell.py")
    refused = told("rerun", "--edit", env={"EDITOR": editor(told, code)})
    assert (refused.exit_code, refused.out) == (2, "")
    assert says in refused.err
    assert len(refused.err.splitlines()) == 1, refused.err
    assert json.loads(told("history", "--format", "json").out)["matching"] == 2


def test_an_editor_may_replace_the_file(told: support.Command) -> None:
    told("tell.py")
    code = "import os; os.rename(path, path + '~'); open(path, 'w').write(text.replace('tell.py', 'tell.py changed'))"
    again = told("rerun", "--edit", env={"EDITOR": editor(told, code)})
    assert "['changed']" in again.out, again


def test_an_editor_that_is_not_there_is_named(told: support.Command) -> None:
    told("tell.py")
    refused = told("rerun", "--edit", env={"EDITOR": "no-such-editor"})
    assert refused.exit_code == 2 and "the editor 'no-such-editor' can't be started" in refused.err


def test_a_run_of_the_python_api_is_put_together(told: support.Command) -> None:
    code = (
        "from runner import HistoryManager, ScriptRunner\n"
        "script = ScriptRunner('tell.py', ['x'])\n"
        "script.history_manager = HistoryManager('h.db')\n"
        "script.run_script()\n"
        "script.history_manager.save_execution('other.py', {})\n"
    )
    done = told("run", "-c", code)
    assert done.exit_code == 0, done
    again = told("rerun", "last:tell.py", "--history-db", "h.db")
    assert again.exit_code == 0 and "['x']" in again.out
    assert "it was started by a program" in again.err
    refused = told("rerun", "last:other.py", "--history-db", "h.db")
    assert refused.exit_code == 2 and "measured elsewhere" in refused.err


def test_a_directory_that_is_gone_is_a_refusal(told: support.Command) -> None:
    told("--cwd", "..", "tell.py", cwd=told.cwd / "sub")
    (told.cwd / "sub").rmdir()
    refused = told("rerun")
    assert refused.exit_code == 2 and "which is no directory any more" in refused.err
