"""The examples of the README and the documentation, executed as a reader would, in an empty folder for each page.

A page marks what is executed with a comment before the block:

- ``<!-- file: NAME -->``: the block is written to that file;
- ``<!-- test -->``: a console block is run, and what it prints compared; a Python block is run and has to succeed.

Comparison is loose where runs differ: numbers, units, run ids, reservations, spaces and disk accesses don't count, and
``...`` stands for anything.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import support

PAGES = [support.ROOT / "README.md", *sorted((support.ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"<!-- (file: (?P<file>\S+)|test) -->\n+```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
MARK = "=== the next command ==="


class Block:
    """One marked block of a page."""

    def __init__(self, match: re.Match[str], page: str) -> None:
        self.file = match["file"]
        self.language = match["language"]
        self.text = match["text"]
        self.line = page.count("\n", 0, match.start("text")) + 1


def blocks_of(path: Path) -> list[Block]:
    page = path.read_text(encoding="utf-8")
    return [Block(match, page) for match in BLOCK.finditer(page)]


MARKED = [path for path in PAGES if blocks_of(path)]


@pytest.fixture
def reader(tmp_path: Path) -> support.Command:
    """Return what a reader has: an empty folder with the examples, and `runner` and `python` on PATH."""
    work, programs, home = tmp_path / "work", tmp_path / "bin", tmp_path / "home"
    for folder in (work, programs, home):
        folder.mkdir()
    shutil.copytree(support.ROOT / "examples", work / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    env = support.clean_environment(home)
    for name, line in (("runner", f"{sys.executable} -m runner"), ("python", sys.executable)):
        (programs / name).write_text(f'#!/bin/sh\nexec {line} "$@"\n')
        (programs / name).chmod(0o755)
    env.update(PATH=f"{programs}:{env['PATH']}", LC_ALL="C.UTF-8", TZ="UTC")
    return support.Command(work, env)


def commands_of(console: str) -> list[tuple[str, str]]:
    """Return the commands of a console block, each with the output shown below it."""
    found: list[tuple[str, list[str]]] = []
    for line in console.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found and found[-1][0].endswith("\\"):
            found[-1] = (found[-1][0] + "\n" + line.removeprefix("> "), [])
        else:
            found[-1][1].append(line)
    return [(command, "\n".join(lines)) for command, lines in found]


def normal(text: str) -> str:
    """Return output without what differs from run to run."""
    text = re.sub(r"\b[0-9a-f]{8}(?:[0-9a-f]{4})?\b", "ID", text)
    text = re.sub(r"^  Disk .*\n", "", text, flags=re.MULTILINE)  # depends on what the caches hold
    text = text.replace("at least ", "").replace("at most ", "")  # depends on how long it ran
    text = re.sub(r"\d[\d,.:]*", "0", text)
    text = re.sub(r"\b0 (ms|us|s)\b", "0 s", text)
    text = re.sub(r"\b0 (B|KB|MB|GB)\b", "0 B", text)
    text = re.sub(r"[-─━═+]{3,}", "---", text)
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines() if line.strip())


def agrees(shown: str, said: str) -> bool:
    """Whether output agrees with what the page shows."""
    pattern = re.escape(normal(shown)).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, normal(said), re.DOTALL) is not None


def run_console(block: Block, reader: support.Command, page: str) -> None:
    commands = commands_of(block.text)
    lines = [f"{command}\nstatus=$?; echo; echo '{MARK}'; (exit $status)" for command, _ in commands]
    done = subprocess.run(
        ["bash", "-c", "\n".join(["exec 2>&1", *lines])], cwd=reader.cwd, env=reader.env, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    outputs = done.stdout.split(MARK)
    assert len(outputs) == len(commands) + 1, done
    for (command, shown), said in zip(commands, outputs, strict=False):
        if not agrees(shown, said):
            diff = "\n".join(difflib.unified_diff(normal(shown).splitlines(), normal(said).splitlines(),
                                                  "shown", "said", lineterm=""))  # fmt: skip
            pytest.fail(f"{page}, line {block.line}: $ {command}\n{diff}\n\nIt said:\n{said}")


@pytest.mark.parametrize("path", MARKED, ids=lambda path: str(path.relative_to(support.ROOT)))
def test_the_examples_of_a_page_do_what_it_says(path: Path, reader: support.Command) -> None:
    page = str(path.relative_to(support.ROOT))
    for block in blocks_of(path):
        if block.file:
            (reader.cwd / block.file).write_text(block.text)
        elif block.language == "console":
            run_console(block, reader, page)
        else:
            assert block.language == "python", f"{page}, line {block.line}: can't run {block.language!r}"
            done = subprocess.run(
                [sys.executable, "-W", "error", "-c", block.text], cwd=reader.cwd, env=reader.env,
                capture_output=True, text=True, timeout=120,
            )  # fmt: skip
            assert done.returncode == 0, f"{page}, line {block.line}: {done.stderr}"


def test_pages_are_found_and_hold_what_is_executed() -> None:
    assert support.ROOT / "README.md" in MARKED
    assert len(MARKED) >= 4


def test_comparison_tells_different_outputs_apart() -> None:
    assert agrees("ok in 1.21 s   run 0123456789ab\n...\nend", "ok in 812 ms  run ffffffffffff\nx\ny\nend\n")
    assert not agrees("ok in 1.21 s", "failed after 1.21 s")
    assert not agrees("one line", "one line\nand another")


@pytest.mark.parametrize("name", sorted(os.listdir(support.ROOT / "examples")))
def test_every_example_is_mentioned(name: str) -> None:
    if name.endswith(".py"):
        assert any(name in path.read_text(encoding="utf-8") for path in PAGES), f"no page shows {name}"
