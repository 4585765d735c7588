"""Reads what a line says about the script's environment: ``--env``, ``--env-file``, ``--tag`` and ``--cwd``."""

from __future__ import annotations

import os

from runner.model.errors import ConfigError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.engine.run_options import RunOptions

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "$": "$", "`": "`"}


def pairs(texts: Iterable[str], flag: str) -> dict[str, str]:
    """Return the values of a repeated KEY=VALUE option; a key given twice keeps its last value.

    Raises:
        UsageError: One of them is no KEY=VALUE.
    """
    result = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"{flag} {text}: KEY=VALUE is needed")
        if "\0" in text:
            raise UsageError(f"{flag} {key}: a NUL character can't be part of it")
        result[key] = value
    return result


def variables(files: Iterable[str], texts: Iterable[str]) -> dict[str, str]:
    """Return the variables that a line sets for the script: those of the files, then those of ``--env``, which win.

    Raises:
        UsageError: A text is no KEY=VALUE.
        ConfigError: A file can't be read or has bad lines; all of them at once.
    """
    result: dict[str, str] = {}
    problems: list[str] = []
    for path in files:
        for number, key, value in _read(path, problems):
            if key:
                result[key] = value
            else:
                problems.append(f"{path}:{number}: {value}")
    if problems:
        raise ConfigError(problems)
    result.update(pairs(texts, "--env"))
    return result


def extend(environ: dict[str, str], options: RunOptions) -> dict[str, str]:
    """Return an environment with what the options set on top of it.

    Raises:
        UsageError: As `variables`.
    """
    return {**environ, **variables(options.env_file, options.env)}


def check_directory(path: str) -> None:
    """Make sure that a script can run in the directory of ``--cwd``.

    Raises:
        UsageError: It is none, or can't be entered.
    """
    if not os.path.isdir(path):
        raise UsageError(f"--cwd {path}: {'not a directory' if os.path.exists(path) else 'no such directory'}")
    if not os.access(path, os.X_OK):
        raise UsageError(f"--cwd {path}: no permission to enter it")


def _read(path: str, problems: list[str]) -> list[tuple[int, str, str]]:
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
            return list(parse_env_file(file.read()))
    except OSError as error:
        problems.append(f"--env-file {path}: {error.strerror}")
        return []


def parse_env_file(text: str) -> Iterator[tuple[int, str, str]]:
    r"""Yield (line number, key, value) of each assignment in a file of KEY=VALUE lines.

    ``#`` begins a comment at the start of a line or after blanks, ``export`` may stand before a key, single quotes
    take a value as it is, double quotes know ``\n``, ``\t``, ``\"`` and ``\\``; both may span lines. Nothing is
    expanded. For a bad line the key is empty and the value says what is wrong.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    at = 0
    while at < len(lines):
        number = at + 1
        line = lines[at].strip()
        at += 1
        if not line or line[0] == "#":
            continue
        if line[:7] in ("export ", "export\t"):
            line = line[7:].lstrip()
        key, equals, value = line.partition("=")
        key, value = key.rstrip(), value.lstrip()
        if not equals or not key.isidentifier() or not key.isascii():
            yield number, "", f"KEY=VALUE is needed, not {line.partition('=')[0][:40]!r}"
            continue
        if value[:1] in ("'", '"'):
            while _closing(value) < 0 and at < len(lines):
                value += "\n" + lines[at]
                at += 1
            key, value = _quoted(key, value)
        elif value[:1] == "#":
            value = ""
        else:
            value = value.replace("\t#", " #").partition(" #")[0].rstrip()
        if "\0" in value:
            key, value = "", "a NUL character can't be part of a value"
        yield number, key, value


def _closing(value: str) -> int:
    """Return where the quote that begins a value ends, or -1."""
    quote = value[0]
    at = 1
    while at < len(value):
        if value[at] == "\\" and quote == '"':
            at += 1
        elif value[at] == quote:
            return at
        at += 1
    return -1


def _quoted(key: str, value: str) -> tuple[str, str]:
    end = _closing(value)
    if end < 0:
        return "", f"the quote of {key} is never closed"
    rest = value[end + 1 :].strip()
    if rest and rest[0] != "#":
        return "", f"{rest[:40]!r} follows the closing quote of {key}"
    inner = value[1:end]
    if value[0] == "'" or "\\" not in inner:
        return key, inner
    parts = []
    escaped = False
    for letter in inner:
        if escaped:
            parts.append(_ESCAPES.get(letter, "\\" + letter))
            escaped = False
        elif letter == "\\":
            escaped = True
        else:
            parts.append(letter)
    return key, "".join(parts)
