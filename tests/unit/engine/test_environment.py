"""What a line says about the script's environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.engine.environment import check_directory, extend, pairs, parse_env_file, variables
from runner.engine.run_options import RunOptions
from runner.model.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_pairs() -> None:
    assert pairs(["A=1", "B=x=y", "C=", "A=2"], "--env") == {"A": "2", "B": "x=y", "C": ""}


@pytest.mark.parametrize("text", ["A", "=1", "", "A\0=1", "A=\0"])
def test_no_pairs(text: str) -> None:
    with pytest.raises(UsageError, match="--tag"):
        pairs([text], "--tag")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("K=v", "v"),
        ("  export K = v w  ", "v w"),
        ("K=", ""),
        ("K=# nothing", ""),
        ("K=v # comment", "v"),
        ("K=v#w", "v#w"),
        ("K=v\t# comment", "v"),
        ("K='v # $X \\n' # comment", "v # $X \\n"),
        ('K="v # \\"q\\" \\n\\t\\\\ \\$X \\q" # comment', 'v # "q" \n\t\\ $X \\q'),
        ('K="first\nsecond"', "first\nsecond"),
        ("K='first\n# no comment\n'", "first\n# no comment\n"),
        ("K=a=b", "a=b"),
        ('K=a"b"', 'a"b"'),
        ("K=${HOME}", "${HOME}"),
        ("K=é", "é"),
    ],
)
def test_lines_of_a_file(line: str, value: str) -> None:
    assert [(key, found) for _, key, found in parse_env_file(f"# first\n\n{line}\nZ=1\n")] == [("K", value), ("Z", "1")]


def test_windows_lines_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_bytes(b"\xef\xbb\xbfA=1\r\nB='x'\r\n")
    assert variables([str(path)], []) == {"A": "1", "B": "x"}


def test_bytes_that_are_no_text_pass_through(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_bytes(b"A=\xff\n")
    assert variables([str(path)], []) == {"A": "\udcff"}


def test_every_bad_line_is_told_with_its_place(tmp_path: Path) -> None:
    one, gone = tmp_path / "one", tmp_path / "gone"
    one.write_text("A=1\nnonsense\n2B=3\nC='x\nD=\"y\" z\n\nE='open\n")
    with pytest.raises(ConfigError) as refused:
        variables([str(gone), str(one)], ["F=1"])
    lines = refused.value.problems
    assert lines[0] == f"--env-file {gone}: No such file or directory"
    assert [line.removeprefix(f"{one}:").split(":")[0] for line in lines[1:]] == ["2", "3", "4"]
    assert "never closed" in lines[3] or "follows the closing quote" in lines[3]


def test_the_line_wins_over_files_and_both_over_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("A=file\nB=file\n")
    options = RunOptions(env=("A=line",), env_file=(str(path),))
    assert extend({"A": "outer", "B": "outer", "C": "outer"}, options) == {"A": "line", "B": "file", "C": "outer"}


def test_directories(tmp_path: Path) -> None:
    check_directory(str(tmp_path))
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="no such directory"):
        check_directory(str(tmp_path / "gone"))
    with pytest.raises(UsageError, match="not a directory"):
        check_directory(str(tmp_path / "file"))
