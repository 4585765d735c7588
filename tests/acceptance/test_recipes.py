"""The recipes for CI, and the action: their shell parts executed as each system does it, by the runner as installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from junitparser import JUnitXml

from tests import support

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE = support.ROOT / "docs/howto/ci.md"
ACTION = support.ROOT / "action.yml"
RECIPE = re.compile(r"<!-- recipe: (\S+) -->\n+```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
RECIPES = dict(RECIPE.findall(PAGE.read_text(encoding="utf-8")))
#: What the recipes run: as large as a variable says, and failing if another says so.
SUITE = """
import os, sys
data = b"x" * (int(os.environ.get("SUITE_MB", "1")) << 20)
print("suite ran with", sys.argv[1:], [name for name in os.environ if name.startswith("PSR_")])
sys.exit(int(os.environ.get("SUITE_EXIT", "0")))
"""
PASSING, TOO_LARGE, FAILING = {}, {"SUITE_MB": "400"}, {"SUITE_EXIT": "7"}
BUILDS = pytest.mark.parametrize(
    ("suite", "code"), [(PASSING, 0), (TOO_LARGE, 3), (FAILING, 7)], ids=["passing", "too-large", "failing"]
)
GITHUB_SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail")


class Build:
    """A build in a folder of its own: a checkout with a suite, and stubs for what reaches other machines."""

    def __init__(self, tmp_path: Path, temp: Path) -> None:
        self.cwd, self.stubs, self.temp = tmp_path / "work", tmp_path / "stubs", temp
        home = tmp_path / "home"
        for folder in (self.cwd / "tests", self.stubs, home):
            folder.mkdir(parents=True)
        (self.cwd / "tests/suite.py").write_text(SUITE)
        self.env = support.clean_environment(home)
        del self.env["PYTHONPATH"]
        self.env.update(PATH=f"{self.stubs}:/usr/local/bin:/usr/bin:/bin", CI="true")
        for name in ("python", "python3"):
            self.stub(name, f'exec {sys.executable} "$@"')
        (command,) = temp.glob("python-script-runner*/bin/runner")
        (self.stubs / "runner").symlink_to(command)

    def stub(self, name: str, text: str) -> None:
        """Put a program on PATH."""
        (self.stubs / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.stubs / name).chmod(0o755)

    def github(self, **more: str) -> None:
        """Set the variables that GitHub sets."""
        self.env.update(
            GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(self.cwd), GITHUB_REPOSITORY="ada/sums", GITHUB_REF_NAME="main",
            GITHUB_OUTPUT=str(self.stubs / "output"), GITHUB_STEP_SUMMARY=str(self.stubs / "summary"),
            GITHUB_ACTION_PATH=str(support.ROOT), RUNNER_TEMP=str(self.temp), RUNNER_NAME="GitHub Actions 3",
            RUNNER_OS="Linux", RUNNER_ENVIRONMENT="github-hosted", RUNNER_DEBUG="1", **more,
        )  # fmt: skip

    def run(
        self, text: str, shell: tuple[str, ...], env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Execute the shell part of a recipe, without its lines that install from elsewhere."""
        text = "\n".join(line for line in text.splitlines() if not line.strip().startswith("pip install"))
        (self.stubs / "part.sh").write_text(text + "\n")
        return subprocess.run(
            [*shell, str(self.stubs / "part.sh")], cwd=cwd or self.cwd, env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100,
        )  # fmt: skip

    @property
    def outputs(self) -> dict[str, str]:
        """The output variables of the step."""
        lines = (self.stubs / "output").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def names(self, *paths: str) -> set[str]:
        """Return those of some files that are there."""
        return {path for path in paths if (self.cwd / path).exists()}


@pytest.fixture(scope="module")
def temp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the runner, by the step of the action that does it."""
    temp = tmp_path_factory.mktemp("temp")
    env = support.clean_environment(temp)
    del env["PYTHONPATH"]
    env.update(RUNNER_TEMP=str(temp), GITHUB_ACTION_PATH=str(support.ROOT))
    done = subprocess.run([*GITHUB_SHELL, "-c", action_step("Install")["run"]], env=env, capture_output=True, text=True,
                          timeout=300)  # fmt: skip
    assert done.returncode == 0, done
    return temp


@pytest.fixture
def build(tmp_path: Path, temp: Path) -> Build:
    return Build(tmp_path, temp)


def action_step(name: str) -> dict[str, Any]:
    steps = yaml.safe_load(ACTION.read_text(encoding="utf-8"))["runs"]["steps"]
    return next(step for step in steps if step["name"] == name)


def steps(recipe: str) -> Iterator[dict[str, Any]]:
    """Yield the steps of a workflow for GitHub."""
    (job,) = yaml.safe_load(RECIPES[recipe])["jobs"].values()
    yield from job["steps"]


def expand(text: str, context: Mapping[str, str]) -> str:
    """Return a text with its expressions replaced; one that is not in the context fails the test."""
    return re.sub(r"\$\{\{ *([\w.-]+) *\}\}", lambda match: context[match[1]], text)


def act(build: Build, given: Mapping[str, Any], suite: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Execute what runs the script in the action, with its inputs."""
    declared = yaml.safe_load(ACTION.read_text(encoding="utf-8"))["inputs"]
    assert set(given) <= set(declared)
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}
    context = {f"inputs.{name}": texts.get(name, entry["default"]) for name, entry in declared.items()}
    step = action_step("Run")
    env = {name: expand(value, context) for name, value in step["env"].items()}
    cwd = build.cwd / expand(step["working-directory"], context)
    return build.run(step["run"], GITHUB_SHELL, {**env, **suite}, cwd)


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ("github-actions", ACTION.read_text(encoding="utf-8")),
        *(("github-workflows", RECIPES[name]) for name in ("github", "github-plain", "github-base")),
        ("gitlab-ci", RECIPES["gitlab"]),
    ],
)
def test_they_keep_to_the_schemas(schema: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text(text)
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(tmp_path / "x.yml")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_names_every_input_and_output_of_the_action() -> None:
    page = PAGE.read_text(encoding="utf-8")
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    assert not [name for name in [*action["inputs"], *action["outputs"]] if f"`{name}`" not in page]
    for name, output in action["outputs"].items():
        assert output["value"] == f"${{{{ steps.run.outputs.{name} }}}}"
    for name in action["inputs"]:
        assert f"inputs.{name}" in ACTION.read_text(encoding="utf-8"), f"{name} does nothing"


@BUILDS
def test_github_with_the_action(build: Build, suite: dict[str, str], code: int) -> None:
    build.github()
    found = list(steps("github"))
    given = next(step["with"] for step in found if "Python-Script-Runner" in step.get("uses", ""))
    done = act(build, given, suite)
    assert done.returncode == code, done
    assert done.stdout == "suite ran with [] []\n"
    assert build.names("results.xml", "comment.md", "report.html") == {"results.xml", "comment.md", "report.html"}
    assert bool(build.names("baseline.json")) == (code == 0)
    states = [case.is_passed for case in next(iter(JUnitXml.fromfile(str(build.cwd / "results.xml"))))]
    assert states[:2] == {0: [True, True], 3: [True, False], 7: [False, True]}[code]
    assert "suite.py" in (build.stubs / "summary").read_text()
    assert ("::error" in done.stderr) == (code != 0)
    declared = yaml.safe_load(ACTION.read_text(encoding="utf-8"))["outputs"]
    assert set(declared) <= set(build.outputs)
    told = next(step["run"] for step in found if "steps.suite.outputs" in step.get("run", ""))
    context = {f"steps.suite.outputs.{name}": value for name, value in build.outputs.items()}
    said = build.run(expand(told, context), ("bash", "-e")).stdout
    assert re.fullmatch(rf"passed {str(code == 0).lower()}, peak [\d.]+ MB\n", said)


@pytest.mark.parametrize(("before", "call"), [("", "issues/8/comments"), ("77", "--method PATCH .*issues/comments/77")])
def test_github_writes_one_comment(build: Build, before: str, call: str) -> None:
    build.github()
    (build.cwd / "comment.md").write_text("<!-- runner: suite.py -->\n# It passed\n")
    build.stub("gh", f'case "$*" in *--jq*) echo "asked $MARK" >&2; echo {before};; *) echo "gh $*";; esac')
    step = next(step for step in steps("github") if "GH_TOKEN" in step.get("env", {}))
    context = {"github.token": "t", "github.event.number": "8"}
    env = {name: expand(value, context) for name, value in step["env"].items()}
    done = build.run(step["run"], ("bash", "-e"), env)
    assert done.returncode == 0, done
    assert "asked <!-- runner: suite.py -->\n" in done.stderr
    assert re.fullmatch(rf"gh api --silent .*{call} -F body=@comment.md\n", done.stdout)


def test_the_comment_begins_with_the_mark_that_it_is_found_by(build: Build) -> None:
    done = build.run("runner --quiet --markdown-output comment.md tests/suite.py", ("sh",))
    assert done.returncode == 0, done
    assert (build.cwd / "comment.md").read_text().splitlines()[0] == "<!-- runner: suite.py -->"


def test_the_action_expands_nothing_and_finds_its_files(build: Build) -> None:
    build.github()
    (build.cwd / "deep").mkdir()
    args = """one 'two words' "$(touch evil)" \\* #4"""
    given = {
        "script": "../tests/suite.py", "args": args, "working-directory": "deep", "json": "out.json",
        "options": "--tag 'kind=a b' --timeout 1m", "history": "~/own.db", "python": sys.executable,
        "junit": str(build.cwd / "deep/r.xml"),
        "gates": "\n  stdout_lines:1\n\n stdout_lines:>=1  \n", "fail-on-regression": True,
    }  # fmt: skip
    done = act(build, given, {})
    assert done.returncode == 0, done
    assert done.stdout == "suite ran with ['one', 'two words', '$(touch evil)', '*', '#4'] []\n"
    report = json.loads((build.cwd / "out.json").read_text())
    assert report["tags"] == {"kind": "a b"}
    assert build.names("deep/r.xml", "deep/evil", "evil") == {"deep/r.xml"}
    assert (Path(build.env["HOME"]) / "own.db").exists()
    assert build.outputs["gates_failed"] == "0"


def test_the_action_runs_what_is_no_script_and_refuses_quotes_that_do_not_end(build: Build) -> None:
    build.github()
    done = act(build, {"options": "-c", "args": "print(6)"}, {})
    assert (done.returncode, done.stdout) == (0, "6\n"), done
    done = act(build, {"script": "tests/suite.py", "args": "it's"}, {})
    assert done.returncode == 2
    assert done.stdout == "::error::args of Python Script Runner: ValueError: No closing quotation\n"


def test_the_action_says_where_no_python_is_new_enough(build: Build) -> None:
    text = action_step("Install")["run"].replace("/usr/bin/python3", "/none/python3")
    for name in ("python", "python3"):
        build.stub(name, "exit 1")
    done = build.run(text, GITHUB_SHELL, {"RUNNER_TEMP": str(build.stubs)})
    assert done.returncode == 1
    assert "::error::Python Script Runner needs Python 3.11 or newer" in done.stdout


@BUILDS
def test_github_without_the_action(build: Build, suite: dict[str, str], code: int) -> None:
    build.github()
    text = next(step["run"] for step in steps("github-plain") if step.get("id") == "suite")
    done = build.run(text, ("bash", "-e"), suite)
    assert done.returncode == code, done
    assert build.names("results.xml", "baseline.json") == {"results.xml", *([] if code else ["baseline.json"])}


def test_github_compares_a_pull_request_with_its_base(build: Build) -> None:
    build.github()
    commit = "git add tests && git -c user.name=Ada -c user.email=a@example.org commit -q -m x"
    assert build.run(f"git init -q . && {commit}", ("sh", "-e")).returncode == 0
    (build.cwd / "tests/suite.py").write_text("data = b'x' * (60 << 20)\n" + SUITE)
    assert build.run(commit, ("sh", "-e")).returncode == 0
    text = next(step["run"] for step in steps("github-base") if "gate --base" in step.get("run", ""))
    done = build.run(text, ("bash", "-e"))
    assert done.returncode == 3, done
    assert "worse" in done.stdout
    assert build.names("comment.md")


@BUILDS
def test_jenkins(build: Build, suite: dict[str, str], code: int) -> None:
    parts = [textwrap.dedent(part) for part in re.findall(r"sh '''\n(.*?)'''", RECIPES["jenkins"], re.DOTALL)]
    assert len(parts) == 2
    jenkins = {
        "JENKINS_URL": "https://ci.example.org/", "NODE_NAME": "agent-1", "BRANCH_NAME": "main",
        "JOB_BASE_NAME": "main", "WORKSPACE": str(build.cwd),
    }  # fmt: skip
    for part in parts:
        done = build.run(part, ("sh", "-xe"), {**jenkins, **suite})
    assert done.returncode == code, done
    promised = re.search(r"archiveArtifacts artifacts: '(.*?)'", RECIPES["jenkins"])
    assert promised is not None
    expected = set(promised[1].split(",")) - ({"baseline.json"} if code else set())
    assert build.names(*promised[1].split(",")) == expected
    assert (Path(build.env["HOME"]) / "runner/main.db").exists()
    if not code:
        assert "main@agent-1" in build.run("runner baseline show baseline.json", ("sh",)).stdout


@BUILDS
def test_gitlab(build: Build, suite: dict[str, str], code: int) -> None:
    job = yaml.safe_load(RECIPES["gitlab"])["suite"]
    gitlab = {
        "GITLAB_CI": "true", "CI_COMMIT_REF_NAME": "feature", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_IID": "5", "CI_API_V4_URL": "https://gitlab.example.org/api/v4", "CI_PROJECT_ID": "9",
        "NOTES_TOKEN": "t",
    }  # fmt: skip
    shell = ("bash", "-eo", "pipefail")
    done = build.run("\n".join(job["script"]), shell, {**gitlab, **suite})
    assert done.returncode == code, done
    files = {*job["artifacts"]["paths"], *job["artifacts"]["reports"].values(), *job["cache"]["paths"]}
    assert build.names(*files) == files - ({"baseline.json"} if code else set())
    build.stub("curl", 'for word; do echo "$word"; done')
    note = build.run("\n".join(job["after_script"]), shell, gitlab)
    assert note.returncode == 0, note
    words = note.stdout.splitlines()
    assert words[-1] == "https://gitlab.example.org/api/v4/projects/9/merge_requests/5/notes"
    assert "PRIVATE-TOKEN:t" in words and "body@comment.md" in words
    assert build.run("\n".join(job["after_script"]), shell, {**gitlab, "NOTES_TOKEN": ""}).stdout == ""


@BUILDS
def test_pre_commit(build: Build, suite: dict[str, str], code: int) -> None:
    (repository,) = yaml.safe_load(RECIPES["pre-commit"])["repos"]
    (used,) = repository["hooks"]
    hooks = yaml.safe_load((support.ROOT / ".pre-commit-hooks.yaml").read_text())
    hook = next(hook for hook in hooks if hook["id"] == used["id"])
    assert set(used["stages"]) <= set(hook["stages"]) and not hook["pass_filenames"]
    words = " ".join(f"'{word}'" for word in [hook["entry"], *used["args"]])
    done = build.run(f"exec {words}", ("sh",), suite)
    assert done.returncode == code, done


@BUILDS
def test_cron(build: Build, suite: dict[str, str], code: int) -> None:
    line = next(line for line in RECIPES["cron"].splitlines() if line[:1].isdigit())
    command = line.split(None, 5)[5].replace("/srv/jobs", str(build.cwd))
    assert "%" not in command.replace("\\%", "")  # cron would cut it off there
    command = command.replace("/opt/runner/bin/runner", str(build.stubs / "runner"))
    shutil.move(build.cwd / "tests/suite.py", build.cwd / "nightly.py")
    done = build.run(command, ("sh",), suite, Path(build.env["HOME"]))
    assert done.returncode == code, done
    mail = done.stdout + done.stderr
    assert ("suite ran" in mail, "nightly.py" in mail) == (bool(code), bool(code))
    assert ("FAILED  memory_max_mb" in mail) == (code == 3)
    assert build.names("history.db")
