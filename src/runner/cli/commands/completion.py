"""``runner completion bash|zsh|fish``: prints what a shell needs to complete the runner's command lines."""

from __future__ import annotations

from runner.model.errors import UsageError
from runner.options import Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

SHELLS = ("bash", "zsh", "fish")


class CompletionOptions(Options):
    """For which shell."""

    shell: str = opt("The shell", default="", choices=SHELLS, metavar="SHELL", positional=True)


def print_completion(options: CompletionOptions, out: TextIO) -> int:
    """Print the completion script of a shell.

    Raises:
        UsageError: No shell is named.
    """
    if not options.shell:
        raise UsageError(f"for which shell? runner completion {'|'.join(SHELLS)}")
    from importlib import import_module

    out.write(import_module(f"runner.cli.completion.{options.shell}").script())
    return 0
