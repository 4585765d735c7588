"""What is said about a line that can't be taken as it is; imported only when there is something to say."""

from __future__ import annotations

from runner.model.errors import UsageError
from runner.model.words import did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.cli.line import Target

#: Of a script's text only this much is searched for a flag, in bytes.
_SEARCHED = 4 << 20

_PYTHON_SWITCHES = "bBdEhiIOPqRsSuvVWxX?"


def unknown_flag(flag: str, known: Iterable[str]) -> UsageError:
    """Return the error for an option before the script that nobody knows."""
    if len(flag) >= 2 and flag[0] == "-" and flag[1] in _PYTHON_SWITCHES:
        return UsageError(f"unknown option {flag}; to hand it to Python: runner run -- python3 {flag} SCRIPT")
    return UsageError(f"unknown option {flag}{did_you_mean(flag, known)}")


def not_available(flag: str, after_script: bool) -> UsageError:
    """Return the error for a flag that is reserved for a later version."""
    from runner import __version__

    hint = f"; to hand it to the script, put -- before it: SCRIPT -- {flag}" if after_script else ""
    return UsageError(f"{flag} is not available in this version ({__version__}){hint}")


def without_effect(flags: list[str]) -> list[str]:
    """Return a line for flags that shape nothing of what is asked, each with what they go with."""
    lines = []
    for verbs in dict.fromkeys(map(goes_with, flags)):
        alike = [flag for flag in dict.fromkeys(flags) if goes_with(flag) == verbs]
        does, goes = ("does", "it goes") if len(alike) == 1 else ("do", "they go")
        lines.append(f"{listed(alike, 'and')} {does} nothing here: {goes} with {verbs}")
    return lines


def goes_with(flag: str) -> str:
    """Return what asks for that which a flag shapes: flat flags, or commands that have none."""
    from runner.cli.table import COMMANDS, FLAGS

    owner = FLAGS[flag][0]
    asking = [switch or f"`runner {name}`" for name, (owners, _, switch) in COMMANDS.items() if owner in owners]
    return listed(asking, "or")


def listed(words: list[str], last: str) -> str:
    """Return words as a list in a sentence, `last` before the last of them."""
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def taken_from_script(flags: list[str], target: Target, folder: str) -> list[str]:
    """Return a line for each flag that was taken after the script although the script seems to have one like it.

    Args:
        flags: The flags taken.
        target: What runs.
        folder: Where it runs; empty for here.
    """
    text = _text_of(target, folder)
    return [
        f"{flag} was taken by the runner, but the script's text has {flag} too; to hand it over, put -- before it "
        f"or write: runner run [OPTIONS] SCRIPT {flag} ..."
        for flag in dict.fromkeys(flags)
        if _spells(text, flag.encode())
    ]


def _text_of(target: Target, folder: str) -> bytes:
    kind, what = target
    if kind == "code":
        return str(what).encode("utf-8", "surrogateescape")
    if kind != "script":
        return b""
    import os

    path = os.path.join(folder, str(what))
    if not os.path.isfile(path):
        return b""  # reading a pipe would take the script away from it
    try:
        with open(path, "rb") as file:
            return file.read(_SEARCHED)
    except OSError:
        return b""


def _spells(text: bytes, flag: bytes) -> bool:
    """Whether the flag stands in the text as a whole word."""
    at = text.find(flag)
    while at >= 0:
        end = at + len(flag)
        behind, before = text[end : end + 1], text[at - 1 : at] if at else b""
        if not (behind.isalnum() or behind in (b"-", b"_") or before.isalnum() or before in (b"-", b"_")):
            return True
        at = text.find(flag, end)
    return False
