"""Finds the script in the line of a command that runs one: the ``job.sh`` of ``bash -e job.sh``."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: What runs scripts, without the digits of its version, and which options mean that it runs no file: letters ...
_CODE = {
    **dict.fromkeys(("sh", "bash", "dash", "zsh", "ksh", "fish"), "cs"),
    **dict.fromkeys(("python", "pypy"), "cm"),
    **dict.fromkeys(("ruby", "lua", "Rscript"), "e"),
    **dict.fromkeys(("node", "nodejs"), "ep"),
    "perl": "eE",
    "php": "r",
}
#: ... and words.
_CODE_WORDS = ("--command", "--eval", "--print", "--run")


def script_at(argv: Sequence[str], cwd: str) -> int:
    """Return where in a command the script stands that it runs, 0 where it runs none that is a file.

    Args:
        argv: The command.
        cwd: Directory that it runs in; "" for this one.
    """
    letters = _CODE.get(os.path.basename(argv[0]).rstrip("0123456789."), "")
    if not letters:
        return 0
    option = False  # whether the word before was one, whose value this one may be
    for at, word in enumerate(argv[1:], 1):
        if word[:1] == "-":
            if word == "-" or word.startswith(_CODE_WORDS) or (word[1] != "-" and set(letters) & set(word)):
                return 0
            option = word != "--"
        elif os.path.isfile(os.path.join(cwd, word)):
            return at
        elif option:
            option = False
        else:
            return 0
    return 0
