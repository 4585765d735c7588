"""What has to be given to the runner to do a run again: its line where one was recorded, else what is known of it."""

from __future__ import annotations

import os

from runner.engine.facts import file_hash, find_repository, read_commit
from runner.model.errors import UsageError
from runner.model.redact import MASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.model.run import Run


class Again:
    """How a run is done again.

    Attributes:
        words: What the runner is given.
        directory: Where it is called.
        note: What is not the same for want of a record of it, or "".
    """

    __slots__ = ("directory", "note", "words")

    def __init__(self, words: list[str], directory: str, note: str = "") -> None:
        self.words = words
        self.directory = directory
        self.note = note


def again(run: Run) -> Again:
    """Return how a run is done again.

    Args:
        run: The run, as `HistoryManager.get` returns it.

    Raises:
        UsageError: Not enough of it is known, or its directory is gone.
    """
    result = Again(list(run.line), run.called_in or run.cwd) if run.line else _rebuilt(run)
    if not os.path.isdir(result.directory):
        raise UsageError(f"run {run.id} was called in {result.directory}, which is no directory any more")
    return result


def _rebuilt(run: Run) -> Again:
    """Return how a run is done again that no line started."""
    path = run.script_path
    if not run.host or path in ("-c", "-"):
        why = "it was measured elsewhere" if not run.host else "its program was not in a file, and is not kept"
        raise UsageError(f"run {run.id} can't be done again: {why}")
    words = ["run"]
    if run.name and run.name != os.path.basename(run.script_key):
        words += ["--name", run.name]
    for key, value in run.tags.items():
        words += ["--tag", f"{key}={value}"]
    if run.python is None:
        words += ["--", path, *run.args]
    else:
        module = path.startswith("-m ")
        words += ["--python", run.python, *(["-m", path[3:]] if module else [path]), *run.args]
    note = "it was started by a program: script, arguments and interpreter are the same, other settings are not known"
    return Again(words, run.cwd, note)


def hidden(words: Sequence[str]) -> list[str]:
    """Return what stands for secrets that the record does not hold, each with the option before it.

    ``["--token", "***", "x.py", "--key=***"]`` gives ``["--token ***", "--key=***"]``.
    """
    found = []
    for at, word in enumerate(words):
        if MASK in word:
            option = words[at - 1] if at and word == MASK and words[at - 1].startswith("-") else ""
            found.append(f"{option} {word}".strip())
    return found


def changed(run: Run) -> list[str]:
    """Return what is not as it was at a run: its script, the commit, the interpreter."""
    result = []
    if run.script_hash:
        now = file_hash(run.script_key) if os.path.isfile(run.script_key) else None
        if now is None:
            result.append("the script is gone")
        elif now != run.script_hash:
            result.append("the script has changed")
    tree = find_repository(run.script_key) if run.git_commit else None
    if tree is not None and run.git_commit is not None:
        commit = read_commit(tree)
        if commit and commit != run.git_commit:
            result.append(f"the commit was {run.git_commit[:10]} and is {commit[:10]}")
    if run.python and not os.path.exists(run.python):
        result.append(f"the interpreter {run.python} is gone")
    return result


def edited(text: str) -> list[str]:
    """Return the words of a line as it came back from an editor: quoted as for a shell, over as many lines as it likes.

    Args:
        text: The file; lines at its beginning that start with ``#`` are no part of it.

    Raises:
        UsageError: A quotation has no end.
    """
    from shlex import split

    lines = text.split("\n")
    while lines and (lines[0].startswith("#") or not lines[0].strip()):
        lines.pop(0)
    try:
        words = split("\n".join(lines).replace("\\\n", " "))
    except ValueError as error:
        raise UsageError(f"the line can't be read ({str(error).lower()}); nothing was run") from None
    return words[1:] if words[:1] == ["runner"] else words
