"""A script at two git revisions: ``runner gate --base REV SCRIPT``."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import support

if TYPE_CHECKING:
    from collections.abc import Callable

ENOUGH = 6
SLEEP = "import time\ntime.sleep({})\n"


class Repository:
    """A git repository with a script, and the runner's command in it."""

    def __init__(self, runner: support.Command) -> None:
        support.require("git")
        self.runner = runner
        for name in ("AUTHOR", "COMMITTER"):
            runner.env.update({f"GIT_{name}_NAME": "A", f"GIT_{name}_EMAIL": "a@example.org"})
        runner.env["GIT_CONFIG_GLOBAL"] = os.devnull
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        return subprocess.run(
            ["git", *words], cwd=self.runner.cwd, env=self.runner.env, check=True, capture_output=True, text=True
        ).stdout

    def commit(self, name: str = "job.py", text: str = "") -> str:
        self.write(name, text)
        self.git("add", name)
        self.git("commit", "-q", "-m", "change")
        return self.git("rev-parse", "HEAD").strip()

    def write(self, name: str, text: str) -> None:
        path = self.runner.cwd / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def gate(self, *words: object, base: str = "HEAD", pairs: int = 1, **options: Any) -> support.Result:
        return self.runner("gate", "--base", base, "--gate-runs", pairs, "--warmup", 0, *words, **options)

    def left(self) -> list[str]:
        """Return what is left of worktrees: as git knows them, and in the cache."""
        trees = self.git("worktree", "list", "--porcelain").count("worktree ") - 1
        cache = Path(self.runner.env["XDG_CACHE_HOME"]) / "runner" / "worktrees"
        return ["tree"] * trees + (os.listdir(cache) if cache.exists() else [])


@pytest.fixture
def repository(runner: support.Command) -> Repository:
    return Repository(runner)


def verdicts(done: support.Result) -> dict[str, str]:
    return {change["metric"]: change["verdict"] for change in json.loads(done.out)["baseline"]}


def test_what_got_worse_since_is_exit_code_3(repository: Repository) -> None:
    repository.commit(text=SLEEP.format(0.02))
    repository.write("job.py", SLEEP.format(0.2))
    # Who sleeps longer finds colder caches, which may be a little more CPU time.
    done = repository.gate("--metric", "execution_time_seconds", "--format", "json", "job.py", pairs=ENOUGH)
    assert done.exit_code == 3, done
    answer = json.loads(done.out)
    assert (answer["status"], answer["passed"], answer["pairs"]) == ("ok", False, 6)
    assert answer["base"]["commit"] == repository.git("rev-parse", "HEAD").strip()
    assert answer["head"]["revision"] == "working tree"
    assert verdicts(done)["execution_time_seconds"] == "worse"
    assert answer["regressed"] == ["execution_time_seconds"]
    [wall] = [change for change in answer["baseline"] if change["metric"] == "execution_time_seconds"]
    assert 0 < wall["lower"] <= wall["relative"] <= wall["upper"]
    assert len(answer["base"]["figures"]["execution_time_seconds"]) == 6
    assert repository.left() == []


def test_what_got_better_passes(repository: Repository) -> None:
    slow = repository.commit(text=SLEEP.format(0.2))
    fast = repository.commit(text=SLEEP.format(0.02))
    done = repository.gate(
        "--head", fast, "--metric", "execution_time_seconds", "--format", "json", "job.py", base=slow, pairs=ENOUGH
    )
    assert done.exit_code == 0, done
    assert verdicts(done)["execution_time_seconds"] == "better"


def test_the_working_tree_and_the_index_are_left_alone(repository: Repository) -> None:
    repository.commit(text="open('seen', 'w')\n")
    repository.write("job.py", "import os\nprint('staged')\n")
    repository.git("add", "job.py")
    repository.write("job.py", "import os\nprint('dirty')\n")
    index = (repository.runner.cwd / ".git" / "index").read_bytes()
    assert repository.gate("job.py").exit_code == 0
    assert (repository.runner.cwd / ".git" / "index").read_bytes() == index
    assert not (repository.runner.cwd / "seen").exists(), "the base ran in the working tree"


def test_everything_after_the_script_is_its_own(repository: Repository) -> None:
    repository.commit(text="import sys\nassert sys.argv[1:] == ['--base', 'x', '--quiet', '--', 'y'], sys.argv\n")
    done = repository.gate("job.py", "--base", "x", "--quiet", "--", "y")
    assert done.exit_code == 0, done


def test_each_side_imports_its_own_code(repository: Repository) -> None:
    repository.commit("lib/work.py", "LINES = 1\n")
    repository.commit(text="import work\nprint('x\\n' * work.LINES, end='')\n")
    repository.write("lib/work.py", "LINES = 3\n")
    env = {"PYTHONPATH": f"{support.SRC}:{repository.runner.cwd / 'lib'}"}
    done = repository.gate("--metric", "stdout_lines", "--format", "json", "job.py", env=env)
    answer = json.loads(done.out)
    assert answer["base"]["figures"]["stdout_lines"] == [1]
    assert answer["head"]["figures"]["stdout_lines"] == [3]


def test_it_runs_in_the_same_folder_of_the_tree(repository: Repository) -> None:
    repository.commit("deep/job.py", "import os\nassert os.path.basename(os.getcwd()) == 'deep'\n")
    folder = repository.runner.cwd / "deep"
    assert repository.gate("job.py", cwd=folder).exit_code == 0
    assert repository.gate(str(folder / "job.py"), cwd=folder).exit_code == 0


def test_a_module_code_and_a_command_can_be_compared(repository: Repository) -> None:
    repository.commit("work.py", "import sys\nassert sys.argv[1:] == ['--fast']\n")
    assert repository.gate("-m", "work", "--fast").exit_code == 0
    assert repository.gate("-c", "import work, sys", "--fast").exit_code == 0
    assert repository.gate("--", "sh", "-c", "exit 0").exit_code == 0


def test_a_run_s_options_count_on_both_sides(repository: Repository) -> None:
    repository.commit(text="import os, sys\nassert os.environ['X'] == '1' and sys.stdin.read() == 'in'\n")
    repository.write("data", "in")
    assert repository.gate("--env", "X=1", "--input", "data", "job.py").exit_code == 0
    done = repository.gate("--timeout", "0.2", "-c", "import time; time.sleep(60)")
    assert done.exit_code == 125
    assert "fails at base" in done.err


def test_gates_hold_for_the_median_of_head_and_for_the_change(repository: Repository) -> None:
    repository.commit(text="print('x\\n' * 10, end='')\n")
    repository.write("job.py", "print('x\\n' * 12, end='')\n")
    for gate, code in (("stdout_lines:11", 3), ("stdout_lines:12", 0), ("stdout_lines:+10%", 3),
                       ("stdout_lines:+25%", 0), ("stdout_lines:+10%&>5", 0)):  # fmt: skip
        done = repository.gate("--add-gate", gate, "--min-effect", "90%", "job.py", pairs=ENOUGH)
        assert done.exit_code == code, (gate, done)


def test_reports_are_written(repository: Repository) -> None:
    repository.commit(text=SLEEP.format(0.02))
    repository.write("job.py", SLEEP.format(0.2))
    done = repository.gate("--junit-output", "j.xml", "--markdown-output", "m.md", "job.py", pairs=ENOUGH)
    assert done.exit_code == 3, done
    assert b"failure" in (repository.runner.cwd / "j.xml").read_bytes()
    told = (repository.runner.cwd / "m.md").read_text()
    assert "worse" in told and f"gate run `median of {ENOUGH}`" in told
    assert "### \u274c `job.py` succeeded" in told and "@gate" not in told
    assert told.startswith("<!-- runner: job.py-gate -->"), "it would replace the comment on a run"
    assert b"@gate" not in (repository.runner.cwd / "j.xml").read_bytes()
    assert re.search(rf"> `working tree against HEAD \([0-9a-f]{{12}}\), {ENOUGH} pairs of runs`", told)
    assert "pairs of runs" not in done.out.partition("\n")[2], "the answer says it once"


def test_one_pair_is_one(repository: Repository) -> None:
    repository.commit()
    done = repository.gate("job.py")
    assert "), 1 pair of runs\n" in done.out
    assert "1 pair is too few to tell" in done.out


def test_a_report_on_standard_output_stands_there_alone(repository: Repository) -> None:
    repository.commit()
    done = repository.gate("--tap-output", "-", "job.py")
    assert done.exit_code == 0, done
    assert done.out.startswith("TAP version 14\n")
    assert "wall time" not in done.out
    assert "wall time" in done.err
    assert repository.gate("--tap-output", "-", "--format", "json", "job.py").exit_code == 2


def test_the_runs_are_remembered_apart(repository: Repository) -> None:
    repository.commit()
    assert repository.gate("job.py", pairs=2).exit_code == 0
    runs = json.loads(repository.runner("history", "job.py@gate", "--format", "json").out)["runs"]
    assert sorted(run["tags"]["gate_side"] for run in runs) == ["base", "base", "head", "head"]
    answer = json.loads(repository.runner("scripts", "--format", "json").out)
    assert len(answer["scripts"]) == 1, "the two sides are two scripts"


def test_the_order_comes_from_the_seed(repository: Repository) -> None:
    repository.commit(text="import os\nopen(os.environ['LOG'], 'a').write('b')\n")
    repository.write("job.py", "import os\nopen(os.environ['LOG'], 'a').write('h')\n")
    orders: list[str] = []
    for seed in (1, 1, 2, 3):
        log = repository.runner.cwd / f"log{len(orders)}"
        repository.gate("--env", f"LOG={log}", "--seed", seed, "job.py", pairs=ENOUGH)
        orders.append(log.read_text())
    assert orders[0] == orders[1]
    assert len(set(orders)) > 1
    for order in orders:
        assert all(sorted(order[at : at + 4]) == list("bbhh") for at in (0, 4, 8)), order


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--base", "nowhere", "job.py"), 2, "no such revision"),
        (("--base", "--all", "job.py"), 2, "no such revision"),
        (("--base", "HEAD"), 2, "needs a script"),
        (("--base", "HEAD", "--head", "nowhere", "job.py"), 2, "no such revision"),
        (("--base", "HEAD", "--min-effect", "much", "job.py"), 2, "--min-effect"),
        (("--base", "HEAD", "--metric", "cpu_maxx", "job.py"), 2, "cpu_max"),
        (("--base", "HEAD", "--baseline", "x.json", "job.py"), 2, "--baseline"),
        (("--base", "HEAD", "gone.py"), 125, "gone.py"),
        (("--base", "", "job.py"), 2, "--base: the revision is empty"),
        (("--base", "HEAD", "--head", "", "job.py"), 2, "--head: the revision is empty"),
        (("--base", "HEAD", "--config", "c.yaml", "--tap-output", "c.yaml", "job.py"), 2, "the configuration file"),
        (("--base", "HEAD", "--setup", "echo no compiler >&2; exit 1", "job.py"), 125, "no compiler"),
        (("a.json", "b.json", "--timeout", "5"), 2, "--base"),
    ],
)
def test_what_can_not_work_is_said_in_one_line(
    repository: Repository, words: tuple[str, ...], code: int, said: str
) -> None:
    repository.commit()
    repository.write("c.yaml", "")
    done = repository.runner("gate", *words)
    assert (done.exit_code, done.out) == (code, ""), done
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert repository.left() == []


@pytest.mark.parametrize("head", [(), ("--head", "HEAD")])
@pytest.mark.parametrize("name", ["new.py", "folder/new.py"])
def test_a_script_that_is_new_is_compared_with_nothing(
    repository: Repository, head: tuple[str, ...], name: str
) -> None:
    repository.commit()
    repository.commit(name, "print('x')\n")
    gates = ("--add-gate", "stdout_lines:==1", "--add-gate", "execution_time_seconds:+10%")
    done = repository.gate(*head, *gates, name, base="HEAD~1", pairs=2)
    assert done.exit_code == 0, done
    assert done.out.startswith(f"new.py: {'HEAD' if head else 'working tree'} alone, 2 runs\n")
    assert f"{name} is new: HEAD~1 does not have it; nothing was compared" in done.out
    assert "passed  stdout_lines 1 (exactly 1)" in done.out
    answer = json.loads(repository.gate(*head, "--format", "json", name, base="HEAD~1").out)
    assert (answer["status"], answer["passed"], answer["pairs"]) == ("no_data", True, 0)
    assert (len(answer["base"]["runs"]), len(answer["head"]["runs"])) == (0, 1)
    # What can be judged without a base is.
    assert repository.gate(*head, "--add-gate", "stdout_lines:0", name, base="HEAD~1").exit_code == 3
    assert repository.left() == []


def test_a_script_in_a_folder_that_is_new_is_compared_with_nothing(repository: Repository) -> None:
    repository.commit()
    repository.commit("folder/new.py")
    done = repository.gate("new.py", base="HEAD~1", cwd=repository.runner.cwd / "folder")
    assert done.exit_code == 0, done
    assert "new.py is new" in done.out


def test_a_new_script_that_fails_is_no_pass(repository: Repository) -> None:
    repository.commit()
    repository.commit("new.py", "raise SystemExit(7)\n")
    done = repository.gate("new.py", base="HEAD~1")
    assert done.exit_code == 7
    assert "new.py is new" in done.err


def test_a_script_that_git_does_not_know_would_never_be_compared(repository: Repository) -> None:
    repository.commit()
    repository.write("made.py", "")
    done = repository.gate("made.py")
    assert done.exit_code == 125
    assert "made.py at base" in done.err


@pytest.mark.parametrize(("base", "head", "code"), [("1", "0", 125), ("0", "7", 7)])
def test_a_script_that_fails_is_said_with_what_it_wrote(
    repository: Repository, base: str, head: str, code: int
) -> None:
    repository.commit(text=f"import sys\nprint('the reason', file=sys.stderr)\nsys.exit({base})\n")
    repository.write("job.py", f"import sys\nprint('the reason', file=sys.stderr)\nsys.exit({head})\n")
    done = repository.gate("job.py")
    assert (done.exit_code, done.out) == (code, ""), done
    assert "the reason" in done.err
    assert f"fails at {'base' if base == '1' else 'head'}" in done.err
    assert repository.left() == []


def test_it_needs_git_and_a_repository(runner: support.Command, tmp_path: Path) -> None:
    runner.script("")
    done = runner("gate", "--base", "HEAD", "script.py")
    assert done.exit_code == 2
    assert "no git working tree" in done.err
    done = runner("gate", "--base", "HEAD", "script.py", env={"PATH": str(tmp_path)})
    assert done.exit_code == 2
    assert "git is not installed" in done.err


def test_submodules_are_said_to_be_missing(repository: Repository) -> None:
    commit = repository.commit()
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},vendored")
    repository.git("commit", "-q", "-m", "mount")
    done = repository.gate("job.py")
    assert done.exit_code == 0, done
    assert "the submodules of HEAD are not checked out; --setup" in done.out
    assert "submodule" not in repository.gate("--setup", "touch vendored/filled", "job.py").out


def test_where_a_side_fails_what_may_be_the_reason_is_said(repository: Repository) -> None:
    commit = repository.commit(text="import os\nassert os.listdir('vendored')\n")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},vendored")
    repository.git("commit", "-q", "-m", "mount")
    repository.write("vendored/filled", "")
    done = repository.gate("job.py")
    assert (done.exit_code, done.out) == (125, ""), done
    assert "fails at base" in done.err
    assert "the submodules of HEAD are not checked out; --setup" in done.err
    assert repository.gate("--setup", "touch vendored/filled", "job.py").exit_code == 0
    # A script of a submodule is not new because the submodule is empty.
    done = repository.gate("vendored/filled", base="HEAD")
    assert done.exit_code == 125
    assert "submodules of HEAD are not checked out" in done.err


@pytest.mark.parametrize(("base", "hint"), [
    ("HEAD^1", "fetch-depth: 0 of actions/checkout, or git fetch --unshallow"),
    ("v1", "git fetch --depth=1 origin v1"),
])  # fmt: skip
def test_what_a_shallow_clone_lacks_is_said_how_to_fetch(repository: Repository, base: str, hint: str) -> None:
    repository.commit()
    repository.commit(text="print('more')\n")
    clone = repository.runner.cwd / "clone"
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.runner.cwd}", str(clone))
    done = repository.gate("job.py", base=base, cwd=clone)
    assert done.exit_code == 2
    assert hint in done.err


def test_hooks_of_the_repository_do_not_run(repository: Repository) -> None:
    repository.commit()
    hook = repository.runner.cwd / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {repository.runner.cwd}/hooked\n")
    hook.chmod(0o755)
    assert repository.gate("job.py").exit_code == 0
    assert not (repository.runner.cwd / "hooked").exists()


def test_it_works_from_a_hook_of_git(repository: Repository) -> None:
    repository.commit()
    env = {"GIT_DIR": ".git", "GIT_INDEX_FILE": str(repository.runner.cwd / "other-index")}
    assert repository.gate("job.py", env=env).exit_code == 0


def started(repository: Repository, **popen: Any) -> subprocess.Popen[bytes]:
    """Start a gate whose script sleeps, and return once it does."""
    repository.commit(text=f"open({str(repository.runner.cwd / 'ready')!r}, 'w')\nimport time\ntime.sleep(600)\n")
    process = repository.runner.start("gate", "--base", "HEAD", "job.py", stderr=subprocess.DEVNULL, **popen)
    deadline = time.monotonic() + 60
    while not (repository.runner.cwd / "ready").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert len(repository.left()) > 0
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_no_worktree(repository: Repository, number: int) -> None:
    process = started(repository)
    process.send_signal(number)
    assert process.wait(60) == -number
    assert repository.left() == []
    assert "lost" not in repository.runner("history").err


def test_what_a_killed_gate_left_the_next_one_removes(repository: Repository) -> None:
    process = started(repository)
    process.kill()
    process.wait(60)
    assert len(repository.left()) > 0
    repository.write("job.py", "")
    repository.git("commit", "-q", "-a", "-m", "short")
    assert repository.gate("job.py").exit_code == 0
    assert repository.left() == []


def test_what_another_gate_uses_stays(repository: Repository) -> None:
    process = started(repository)
    try:
        before = repository.left()
        repository.write("short.py", "")
        assert repository.gate("-c", "pass").exit_code == 0
        assert repository.left() == before
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(60)


def test_a_cache_that_can_not_be_written_is_said(repository: Repository) -> None:
    repository.commit()
    repository.write("file", "")
    done = repository.gate("job.py", env={"XDG_CACHE_HOME": str(repository.runner.cwd / "file")})
    assert done.exit_code == 125
    assert "no worktree can be made" in done.err


def test_ctrl_c_in_a_terminal_ends_it_and_leaves_nothing(
    repository: Repository, terminal: Callable[..., support.Terminal]
) -> None:
    repository.commit(text="import time\ntime.sleep(600)\n")
    screen = terminal()
    screen.line(repository.runner.line("gate", "--base", "HEAD", "job.py"))
    screen.wait("warm-up 1 of 1")
    screen.key("C-c")
    screen.line("echo code $?")
    screen.wait("code 130")
    assert repository.left() == []


def test_a_series_that_got_worse_is_run_once_more_to_confirm(repository: Repository) -> None:
    repository.commit(text="import os\nopen(os.environ['LOG'], 'a').write('b')\n")
    repository.write("job.py", "import os, time\nopen(os.environ['LOG'], 'a').write('h')\ntime.sleep(0.1)\n")
    log = repository.runner.cwd / "log"
    done = repository.gate("--confirm", "--env", f"LOG={log}", "job.py", pairs=ENOUGH)
    assert done.exit_code == 3, done
    assert len(log.read_text()) == 4 * ENOUGH
    assert "once more to confirm" in done.err


def test_setup_prepares_the_worktrees_and_no_other_folder(repository: Repository) -> None:
    repository.commit(text="import sys\nsys.path.insert(0, '.')\nimport built\n")
    repository.write("built.py", "HERE = 1\n")
    assert repository.gate("job.py").exit_code == 125, "the base has no built.py"
    done = repository.gate("--setup", "pwd; echo 'HERE = 2' > built.py", "job.py")
    assert (done.exit_code, "worktrees" in done.out) == (0, False), done
    assert (repository.runner.cwd / "built.py").read_text() == "HERE = 1\n"
