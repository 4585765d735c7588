"""Does a run again: ``runner rerun RUN``."""

from __future__ import annotations

import os
import sys

from runner.model.errors import UsageError
from runner.options import COMMAND_LINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from runner.engine.one_run_options import RerunOptions
    from runner.engine.rerun import Again
    from runner.engine.run_options import RecordOptions
    from runner.model.run import Run

_HEADER = """\
# The line of run {id}, quoted as for a shell. It is run as you leave it;
# without a word nothing is. What was a secret is *** here: write it anew.
"""


def rerun(options: RerunOptions, record: RecordOptions, out: TextIO) -> int:
    """Do a run again; the exit code is that of the new run."""
    directory, *words = _prepared(options, record)
    os.chdir(directory)
    import gc

    from runner.cli.line import split
    from runner.cli.run import run

    gc.disable()  # as for any run
    line = split(words, sys.argv[0])
    if line.kind != "run":
        raise UsageError(f"the line runs nothing: runner {' '.join(words)}")
    return run(line)


def _prepared(options: RerunOptions, record: RecordOptions) -> list[str]:
    """Return the directory and the words of the run, found in another process.

    What that takes would make this one larger, and a script's peak memory begins with that of its parent.
    """
    reader, writer = os.pipe()
    sys.stderr.flush()
    child = os.fork()
    if not child:
        os.close(reader)
        found = _prepare(options, record)
        with open(writer, "wb") as pipe:
            pipe.write(b"\0".join(map(os.fsencode, [found.directory, *found.words])))
        os._exit(0)
    os.close(writer)
    import _signal

    # What is typed in an editor is the editor's.
    before = [(number, _signal.signal(number, _signal.SIG_IGN)) for number in (_signal.SIGINT, _signal.SIGQUIT)]
    with open(reader, "rb") as pipe:
        data = pipe.read()
    status = os.waitpid(child, 0)[1]
    for number, handler in before:
        _signal.signal(number, handler)
    if os.WIFSIGNALED(status):
        from runner.agent.exit import die_of

        die_of(os.WTERMSIG(status))
    code = os.waitstatus_to_exitcode(status)
    if code:
        os._exit(code)  # the other process has said why
    return [os.fsdecode(word) for word in data.split(b"\0")]


def _prepare(options: RerunOptions, record: RecordOptions) -> Again:
    from runner.cli.output import Screen
    from runner.cli.remembered import take_in
    from runner.engine.find_run import find_run
    from runner.engine.history import HistoryManager
    from runner.engine.rerun import again, changed, hidden

    with HistoryManager(record.history_db) as history:
        take_in(history)
        run = find_run(history, options.run, samples=False)
    found = again(run)
    if options.edit:
        _edit(run, found)
    secrets = hidden(found.words)
    if secrets:
        raise UsageError(
            f"run {run.id} was given a secret that is not kept: {', '.join(secrets)}; "
            + ("write it in place of ***" if options.edit else f"runner rerun {run.id} --edit lets you write it")
        )
    screen = Screen()
    if found.note:
        screen.write(f"runner: {screen.plain(found.note)}\n")
    differences = changed(run)
    if differences:
        screen.write(f"runner: since run {run.id}: {screen.plain(', '.join(differences))}\n")
    if record.source("history_db").startswith(COMMAND_LINE) and not any(
        word.partition("=")[0] == "--history-db" for word in found.words
    ):
        found.words[:0] = ["--history-db", os.path.abspath(os.path.expanduser(record.history_db))]
    return found


def _edit(run: Run, found: Again) -> None:
    """Let a person change the words of a run."""
    import subprocess
    from shlex import join, split
    from tempfile import TemporaryDirectory

    from runner.engine.rerun import edited

    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    # What an editor leaves beside the file, a secret in it perhaps, goes with the folder.
    with TemporaryDirectory(prefix="runner-", ignore_cleanup_errors=True) as folder:
        path = os.path.join(folder, "line.sh")
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(f"{_HEADER.format(id=run.id)}runner {join(found.words)}\n")
        try:
            done = subprocess.run([*split(editor), path])
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UsageError(f"the editor {editor!r} can't be started ({reason}); set EDITOR to another") from None
        if done.returncode:
            raise UsageError(f"the editor ended with {done.returncode}; nothing was run")
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                found.words = edited(file.read())
        except FileNotFoundError:
            found.words = []
    if not found.words:
        raise UsageError("the line is empty; nothing was run")
