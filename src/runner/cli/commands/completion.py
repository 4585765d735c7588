"""``runner completion bash|zsh|fish``: prints what a shell needs to complete the runner's command lines."""

from __future__ import annotations

from runner.options import Options, opt

SHELLS = ("bash", "zsh", "fish")


class CompletionOptions(Options):
    """For which shell."""

    shell: str = opt("The shell", default="", choices=SHELLS, metavar="SHELL", positional=True)
