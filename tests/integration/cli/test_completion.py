"""Completion in the real shells."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING

import pexpect
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support import Command

#: Words before the cursor, the last one being written -> what every shell must offer (and nothing else, if exact).
CASES = [
    (["--mem"], {"--memory"}, True),
    (["--memory", ""], {"rss", "pss"}, True),
    (["--log-level", "D"], {"DEBUG"}, True),
    (["hist"], {"history"}, True),
    (["config", ""], {"show", "check", "init", "schema"}, True),
    (["config", "show", "--form"], {"--format"}, True),
    (["config", "show", "--format", "j"], {"json"}, True),
    (["db", ""], {"stats", "cleanup"}, True),
    (["history", "--li"], {"--limit"}, True),
    (["completion", ""], {"bash", "zsh", "fish"}, True),
    (["help", "me"], {"metrics"}, True),
    (["job.py", "--monitor-i"], {"--monitor-interval"}, True),
    (["-m", "package", "--monitor-i"], {"--monitor-interval"}, True),
    (["--timeout", "5", "job.py", "--json-o"], {"--json-output"}, True),
    (["run", "--monitor-i"], {"--monitor-interval"}, True),
    # What belongs to the script is not the runner's to complete.
    (["job.py", "--dry-r"], set(), True),
    (["run", "job.py", "--monitor-i"], set(), True),
    # Files, where a file is meant.
    (["jo"], {"job.py"}, True),
    (["job.py", "jo"], {"job.py"}, True),
    (["--env-file", "jo"], {"job.py"}, True),
    (["history", "jo"], {"job.py"}, True),
    (["--cwd", "f"], {"folder"}, True),
]


@pytest.fixture
def completed(runner: Command, require: Callable[..., str]) -> Callable[[str], str]:
    """Return a function that writes the completion script of a shell and returns the shell."""
    runner.script("", "job.py")
    (runner.cwd / "folder").mkdir()

    def prepare(shell: str) -> str:
        path = require(shell)
        result = runner("completion", shell)
        assert result.exit_code == 0, result
        (runner.cwd / ".completion").write_text(result.out)
        return path

    return prepare


def test_bash(runner: Command, completed: Callable[[str], str]) -> None:
    lines = ["source .completion"]
    for words, _, _ in CASES:
        lines.append(f"COMP_WORDS=(runner {shlex.join(words)}); COMP_CWORD={len(words)}; _runner")
        lines.append('printf "%s " "${COMPREPLY[@]}"; echo')
    lines.append("COMP_WORDS=(runner --memory = p); COMP_CWORD=3; _runner; echo ${COMPREPLY[@]}")
    lines.append("COMP_WORDS=(runner -- mkdi); COMP_CWORD=2; _runner; echo ${COMPREPLY[0]}")
    lines.append("complete -p runner")
    done = subprocess.run(
        [completed("bash"), "--norc", "-c", "\n".join(lines)],
        capture_output=True, text=True, cwd=runner.cwd, env=runner.env, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    *offers, value, program, registered = done.stdout.splitlines()
    for (words, expected, _), offered in zip(CASES, offers, strict=True):
        assert set(offered.split()) == expected, words
    assert (value, program, registered) == ("pss", "mkdir", "complete -F _runner runner")


def test_fish(runner: Command, completed: Callable[[str], str]) -> None:
    lines = ["source .completion"]
    for words, _, _ in CASES:
        line = "runner " + " ".join(words)
        lines.append(f"echo (complete -C {shlex.quote(line)} | string split -f1 \\t)")
    done = subprocess.run(
        [completed("fish"), "--no-config", "-c", "\n".join(lines)],
        capture_output=True, text=True, cwd=runner.cwd, env=runner.env, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    for (words, expected, _), offered in zip(CASES, done.stdout.splitlines(), strict=True):
        # fish also offers what contains the word, and flags in either spelling.
        found = {word.rstrip("/") for word in offered.split()}
        assert found == expected, words


def test_zsh(runner: Command, completed: Callable[[str], str]) -> None:
    shell = pexpect.spawn(
        completed("zsh"), ["-f", "-i"], cwd=str(runner.cwd), env={**runner.env, "TERM": "dumb", "PS1": ""},
        dimensions=(50, 200), timeout=30, encoding="utf-8",
    )  # fmt: skip
    setup = (
        "PS1=; unsetopt zle_bracketed_paste beep; autoload -U compinit; compinit -D -u; source .completion; "
        # Says what would be inserted or listed instead of doing it.
        "compadd() { local -a got; builtin compadd -O got \"$@\"; offered+=($got); builtin compadd \"$@\"; }; "
        "tell() { typeset -ga offered=(); zle complete-word; print -r -- \"<<${(j: :)${(u)offered}}>>\"; "
        "zle kill-whole-line; }; zle -N tell; bindkey '^T' tell; print RE''ADY"
    )
    shell.sendline(setup)
    shell.expect_exact("READY\r\n")
    for words, expected, _ in CASES:
        shell.send("runner " + " ".join(words) + "\x14")
        shell.expect(r"<<(.*?)>>")
        found = {word.rstrip("=/") for word in shell.match.group(1).split()}
        assert found == expected, words
    shell.close(force=True)
