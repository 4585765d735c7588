"""The script in the line of a command that runs one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.engine.interpreted import script_at

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("words", "at"),
    [
        ("bash job.sh", 1),
        ("/bin/bash job.sh a b", 1),
        ("sh -eu job.sh", 2),
        ("bash -o pipefail job.sh", 3),
        ("bash -- job.sh", 2),
        ("python3.11 -u tell.py", 2),
        ("python -W ignore tell.py", 3),
        ("perl -w sub/x.pl", 2),
        ("node a.js", 1),
        ("bash -c job.sh", 0),
        ("bash -lc job.sh", 0),
        ("bash -s job.sh", 0),
        ("python3 -m tell tell.py", 0),
        ("python3 - tell.py", 0),
        ("perl -ne print tell.py", 0),
        ("node --eval=1 a.js", 0),
        ("bash gone.sh job.sh", 0),
        ("bash sub", 0),
        ("bash", 0),
        ("make job.sh", 0),
        ("./bash/x job.sh", 0),
    ],
)
def test_a_script_is_found(tmp_path: Path, words: str, at: int) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("job.sh", "tell.py", "sub/x.pl", "a.js"):
        (tmp_path / name).touch()
    assert script_at(words.split(), str(tmp_path)) == at


def test_here_is_where_nothing_else_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "job.sh").touch()
    assert script_at(["sh", "job.sh"], "") == 0
    monkeypatch.chdir(tmp_path)
    assert script_at(["sh", "job.sh"], "") == 1
