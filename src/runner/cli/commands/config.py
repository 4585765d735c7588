"""``runner config show|check|init``: what is set and by what, what is wrong with a file, and a file to begin with."""

from __future__ import annotations

from runner.options import Options, opt


class ConfigFileOptions(Options):
    """Which configuration file is meant."""

    file: str = opt("The configuration file", default="", metavar="FILE", positional=True)


class ConfigScriptOptions(Options):
    """For which script."""

    script: str = opt(
        "The script beside which a configuration file may be", default="", metavar="SCRIPT", positional=True
    )
