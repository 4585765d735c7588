"""Describes a run: what was asked for, and the facts that identify it."""

from __future__ import annotations

import os

from runner import __version__
from runner.engine import circumstances, facts, interpreter
from runner.engine.environment import pairs
from runner.engine.location import absolute
from runner.model.redact import redact_arguments, redact_value
from runner.model.run import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.agent.events import Started
    from runner.agent.job import Job
    from runner.engine.run_options import RunOptions
    from runner.engine.target import Target
    from runner.executors.base import Handle


class Description:
    """Gathers a run's facts beside the script's own start; what takes longer is asked for now and read at the end.

    Args:
        target: What runs.
        options: How it was asked for.
        job: How it is started.
        words: What the runner was given.
        run_id: The run's id, if it has one already.
    """

    def __init__(
        self, target: Target, options: RunOptions, job: Job, words: Sequence[str] = (), run_id: str = ""
    ) -> None:
        from time import time_ns

        run = Run(run_id or os.urandom(6).hex(), target.script_path, time_ns())
        run.script_key = target.script_key
        run.name = options.name or target.name
        run.args = redact_arguments(target.args)
        run.line = redact_arguments(words)
        run.called_in = absolute() if words else ""
        run.cwd = absolute(job.cwd or "")
        run.user = facts.user_name()
        run.tags = {key: redact_value(key, value) for key, value in pairs(options.tag, "--tag").items()}
        run.python = target.python
        run.runner_version = __version__
        self.run = run
        run.load = circumstances.load_average()
        run.input_bytes = circumstances.input_size(target.args, job.cwd)
        self._env = job.env
        self._named = [text.partition("=")[0] for text in options.env]
        self._tree: str | None = None
        self._dirty: facts.DirtyCheck | None = None
        if target.file:
            run.script_hash = facts.file_hash(target.file)
            self._tree = facts.find_repository(target.file)
            if self._tree is not None:
                run.git_commit = facts.read_commit(self._tree)

    def begin(self, handle: Handle) -> None:
        """Take the facts of the start."""
        started: Started = handle.started
        self.run.started = started.time
        self.run.host = started.host

    def ask_git(self, handle: Handle) -> None:
        """Ask whether tracked files were changed, once the runner has little left to load: the script needs a core."""
        if self._tree is not None:
            self._dirty = facts.DirtyCheck(self._tree)
            if self._dirty.pid:
                handle.spare.add(self._dirty.pid)

    def look_around(self) -> None:
        """Take the facts of what surrounds the script, as far as nobody has to be asked for them."""
        run = self.run
        run.variables = circumstances.telling(self._env, self._named)
        if run.python is not None:
            run.python_version = interpreter.known_version(run.python)
            self._list_packages()

    def complete(self) -> None:
        """Add what was asked for meanwhile."""
        run = self.run
        if self._dirty is not None:
            run.git_dirty = self._dirty.answer()
        if run.python is not None and run.python_version is None:
            run.python_version = interpreter.version_of(run.python)
            self._list_packages()

    def _list_packages(self) -> None:
        run = self.run
        found = circumstances.packages(run.python, run.python_version, self._env)
        if found is not None:
            run.packages, run.packages_hash = found, circumstances.digest(found)
