"""From what a line names to what is executed."""

from __future__ import annotations

import os
import stat
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from runner.engine.run_options import RunOptions
from runner.engine.target import Target, locate, resolve
from runner.model.errors import StartError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

ENVIRON = {"PATH": "/usr/bin:/bin"}
CALLER = "/x/runner.py"


def find(kind: str, what: str | list[str], *args: str, **options: object) -> Target:
    return resolve((kind, what), args, RunOptions(**options), ENVIRON, CALLER, ["history", "metrics"])


def refusal(kind: str, what: str | list[str], **options: object) -> tuple[int, str]:
    with pytest.raises(StartError) as refused:
        find(kind, what, **options)
    assert "\n" not in str(refused.value)
    return refused.value.exit_code, str(refused.value)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(path: Path, text: str = "", mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def test_a_script_runs_under_the_interpreter_by_the_name_it_was_given(tmp_path: Path) -> None:
    write(tmp_path / "sub/x.py", "#!/bin/sh\n", 0o755)
    target = find("script", "sub/../sub/x.py", "a", "--b")
    assert target.argv == [sys.executable, "sub/../sub/x.py", "a", "--b"]
    assert (target.executable, target.python) == (sys.executable, sys.executable)
    assert (target.kind, target.script_path) == ("script", "sub/../sub/x.py")
    assert (target.script_key, target.name) == (str(tmp_path / "sub/x.py"), "x.py")
    assert target.args == ["a", "--b"]
    assert target.problem is None


def test_a_command_that_runs_a_script_is_called_by_that(tmp_path: Path) -> None:
    write(tmp_path / "sub/job.sh")
    target = find("command", ["sh", "-e", "job.sh", "a"], "-e", "job.sh", "a", cwd="sub")
    assert target.argv == ["sh", "-e", "job.sh", "a"]
    assert (target.kind, target.script_path, target.name) == ("command", "job.sh", "job.sh")
    assert (target.script_key, target.args) == (str(tmp_path / "sub/job.sh"), ["a"])
    assert os.path.basename(target.executable) == "sh"
    target = find("command", ["sh", "-c", "exit"], "-c", "exit")
    assert (target.script_key, target.name, target.args) == ("sh", "sh", ["-c", "exit"])


def test_links_are_not_resolved(tmp_path: Path) -> None:
    write(tmp_path / "release-5/x.py")
    (tmp_path / "current").symlink_to("release-5")
    assert find("script", "current/x.py").script_key == str(tmp_path / "current/x.py")


def test_an_executable_file_runs_by_itself(tmp_path: Path) -> None:
    write(tmp_path / "tool", "#!/usr/bin/env python3\n", 0o755)
    target = find("script", "tool", "a")
    assert target.argv == ["./tool", "a"]
    assert (target.executable, target.python, target.kind) == ("./tool", None, "program")
    assert (target.script_path, target.script_key) == ("tool", str(tmp_path / "tool"))
    assert find("script", "./tool").argv == ["./tool"]
    assert find("script", "/bin/true").argv == ["/bin/true"]


def test_what_python_runs_although_it_is_no_py_file(tmp_path: Path) -> None:
    write(tmp_path / "package/__main__.py")
    with zipfile.ZipFile(tmp_path / "app", "w") as archive:
        archive.writestr("__main__.py", "")
    write(tmp_path / "shebang", "#!/usr/bin/env python3\n")
    write(tmp_path / "X.PY")
    os.mkfifo(tmp_path / "pipe")
    for name in ("package", "app", "shebang", "X.PY", "pipe"):
        assert find("script", name, "a").argv == [sys.executable, name, "a"], name


def test_a_zip_that_is_executable_runs_by_itself(tmp_path: Path) -> None:
    write(tmp_path / "app", "#!/bin/sh\n", 0o755)
    assert find("script", "app").python is None


def test_standard_input_as_program() -> None:
    target = find("script", "-", "a")
    assert (target.argv, target.script_key) == ([sys.executable, "-", "a"], "-")


def test_modules_and_code() -> None:
    module = find("module", "package.tool", "a")
    assert module.argv == [sys.executable, "-m", "package.tool", "a"]
    assert (module.script_path, module.script_key, module.name) == ("-m package.tool",) * 3
    code = find("code", "import sys\nprint(1)", "a")
    assert code.argv == [sys.executable, "-c", "import sys\nprint(1)", "a"]
    assert (code.script_path, code.args) == ("-c", ["a"])


def test_commands(tmp_path: Path) -> None:
    target = resolve(("command", ["ls", "-l"]), ["-l"], RunOptions(), ENVIRON, CALLER)
    assert target.argv == ["ls", "-l"]
    assert target.executable in ("/usr/bin/ls", "/bin/ls")
    assert (target.python, target.script_path, target.script_key, target.name) == (None, "ls", "ls", "ls")
    write(tmp_path / "bin/tool", "#!/bin/sh\n", 0o755)
    relative = resolve(("command", ["bin/tool"]), [], RunOptions(), ENVIRON, CALLER)
    assert (relative.argv, relative.script_key) == (["bin/tool"], str(tmp_path / "bin/tool"))


def test_another_directory_to_run_in(tmp_path: Path) -> None:
    write(tmp_path / "there/x.py")
    write(tmp_path / "there/tool", "#!/bin/sh\n", 0o755)
    target = find("script", "x.py", cwd="there")
    assert (target.argv[1], target.script_key, target.file) == ("x.py", str(tmp_path / "there/x.py"), "there/x.py")
    assert find("script", "tool", cwd="there").argv == ["./tool"]
    assert find("command", ["./tool"], cwd="there").executable == "./tool"
    write(tmp_path / "bin/mine", "#!/bin/sh\n", 0o755)
    relative_path = resolve(("command", ["mine"]), [], RunOptions(cwd="there"), {"PATH": "bin"}, CALLER)
    assert relative_path.executable == str(tmp_path / "bin/mine")
    with pytest.raises(UsageError, match="no such directory"):
        find("script", "x.py", cwd="gone")


def test_what_is_not_there(tmp_path: Path) -> None:
    write(tmp_path / "train.py")
    assert refusal("script", "trian.py") == (127, "no such script: trian.py, did you mean 'train.py'?")
    assert refusal("script", "histroy") == (127, "no such script: histroy, did you mean the command 'history'?")
    assert refusal("script", "ls") == (127, "no such script: ls; to run the command of that name: runner run -- ls")
    assert refusal("script", "") == (127, "no such script: its name is empty")
    assert refusal("script", "train.py/x.py")[0] == 127
    assert refusal("script", "gone/x.py")[1] == "no such script: gone/x.py (there is no directory gone)"
    (tmp_path / "dangling.py").symlink_to("nowhere")
    assert "is a link to nowhere" in refusal("script", "dangling.py")[1]
    assert refusal("script", "train.py", python="/gone/python")[0] == 127
    assert refusal("command", ["no-such-tool"]) == (127, "no-such-tool: command not found on PATH")
    assert "there is a file of that name here: ./train.py" in refusal("command", ["train.py"])[1]
    assert refusal("command", ["./gone"]) == (127, "./gone: no such file")
    assert refusal("command", [""])[0] == 127


def test_what_is_there_and_can_not_be_run(tmp_path: Path) -> None:
    write(tmp_path / "data.txt", "1,2\n")
    (tmp_path / "empty").mkdir()
    hint = "to name a program for it: runner run -- PROGRAM data.txt"
    assert refusal("script", "data.txt") == (126, f"data.txt is neither a Python file nor executable; {hint}")
    assert refusal("script", "empty") == (126, "empty is a directory without __main__.py")
    assert refusal("command", ["./data.txt"]) == (126, "./data.txt is not executable")
    assert refusal("command", ["./empty"]) == (126, "./empty is a directory")
    with pytest.raises(StartError, match="is not executable") as refused:
        resolve(("command", ["data.txt"]), [], RunOptions(), {"PATH": str(tmp_path)}, CALLER)
    assert refused.value.exit_code == 126


def test_what_may_not_be_read(tmp_path: Path) -> None:
    write(tmp_path / "x.py", mode=stat.S_IWUSR)
    tmp_path.chmod(0o755)
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.setuid(65534)  # root can read everything
            os.write(tell, repr(refusal("script", "x.py")).encode())
        finally:
            os._exit(0)
    os.close(tell)
    with os.fdopen(told) as answer:
        assert answer.read() == repr((126, "x.py can't be read: permission denied"))
    os.waitpid(child, 0)


def test_what_can_not_be_run_is_still_known_by_its_name(tmp_path: Path) -> None:
    target = locate(("script", "gone.py"), ["a"], RunOptions(), ENVIRON)
    assert target.problem is not None
    assert (target.problem.exit_code, target.script_key, target.args) == (127, str(tmp_path / "gone.py"), ["a"])
