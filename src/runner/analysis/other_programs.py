"""Reads how shells, scripts of Perl and PHP, and native programs tell of an error: in one line, without a stack."""

from __future__ import annotations

from runner.analysis.fault import Fault

#: What the C library says before it ends a program.
_ABORTS = (
    "*** stack smashing detected", "*** buffer overflow detected", "double free or corruption", "free(): ",
    "malloc(): ", "realloc(): ", "munmap_chunk(): ", "malloc_consolidate(): ", "corrupted size vs. prev_size",
    "corrupted double-linked",
)  # fmt: skip
_TERMINATE = "terminate called after throwing an instance of '"
_LIBCXX = " exception of type "
#: What Perl says behind the reason for which it could not compile.
_GIVEN_UP = (" aborted", "Compilation failed in require")
#: What dash and zsh say, which have no word that tells their lines from those of others.
_SHELL_ENDINGS = (": not found", ": Permission denied", ": parameter not set")
_SHELL_BEGINNINGS = (
    "Syntax error: ", "cannot open ", "cannot create ", "Bad substitution", "cd: can't cd to ", "Illegal ",
    "command not found: ", "no such file or directory: ", "permission denied: ", "parse error near ",
    "bad substitution",
)  # fmt: skip


def _php(lines: list[str], at: int, line: str) -> Fault | None:
    kind, found, said = line.removeprefix("PHP ").partition(": ")
    if not found or kind not in ("Fatal error", "Parse error"):
        return None
    said = said.strip()
    message, found, place = said.rpartition(" in ")
    file, on, number = place.rpartition(" on line ")
    if not said.startswith("Uncaught "):
        return Fault("php", kind, message, f"{file}:{number}", at) if found and on else None
    if not found or not place.rpartition(":")[2].isdecimal():
        message, place = said, ""  # the message goes on below
    name, _, message = message.removeprefix("Uncaught ").partition(": ")
    return Fault("php", name, message, place, at)


def _native(lines: list[str], at: int, line: str) -> Fault | None:
    if line.startswith(_TERMINATE):
        below = lines[at + 1].strip() if at + 1 < len(lines) else ""
        told = below.removeprefix("what():").strip() if below.startswith("what():") else ""
        return Fault("c++", line[len(_TERMINATE) :].rstrip("'"), told, "", at)
    if line.startswith(("terminate called ", *_ABORTS)):
        return Fault("c++", "", line, "", at)
    if line.startswith("libc++abi") and _LIBCXX in line:
        name, _, message = line.partition(_LIBCXX)[2].partition(": ")
        return Fault("c++", name, message, "", at)
    before, found, claim = line.partition(": Assertion `")
    if found and claim.endswith("' failed."):
        places = [part for part in before.split(": ") if part.rpartition(":")[2].isdecimal() and " " not in part]
        return Fault("c++", "Assertion", f"`{claim}", places[0] if places else "", at)
    return None


def _perl(lines: list[str], at: int, line: str) -> Fault | None:
    before, found, number = line.rpartition(" line ")
    if found and before.endswith((", <STDIN>", ">")):  # what it was reading comes behind the place
        before, found, number = before.rpartition(", <")[0].rpartition(" line ")
        number += "."
    message, told, file = before.rpartition(" at ")
    number, _, more = number.partition(", near ")
    if not found or not told or not number.removesuffix(".").isdecimal() or not (number.endswith(".") or more):
        return None
    if " " in file or not ("." in file or "/" in file or file == "-e") or message.endswith(_GIVEN_UP):
        return None
    return Fault("perl", "", message, f"{file}:{number.removesuffix('.')}", at)


def _shell(lines: list[str], at: int, line: str) -> Fault | None:
    before, found, rest = line.partition(": line ")
    number, colon, message = rest.partition(": ")
    if found and colon and number.isdecimal() and " " not in before:
        return Fault("shell", "", message, f"{before}:{number}", at)
    before, _, rest = line.partition(": ")
    number, colon, message = rest.partition(": ")
    if not colon or not number.isdecimal():  # dash says x.sh: 3: and zsh x.sh:3:
        file, _, number = before.rpartition(":")
        before, message = file.partition(":")[0], rest
    if not number.isdecimal() or not before or " " in before:
        return None
    known = message.startswith(_SHELL_BEGINNINGS) or message.endswith(_SHELL_ENDINGS)
    return Fault("shell", "", message, f"{before}:{number}", at) if known else None


#: What reads a line, the first that knows it: of all lines, which, and what it says.
READERS = (_php, _native, _perl, _shell)
