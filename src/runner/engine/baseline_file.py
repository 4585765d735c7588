"""Reads and writes the file of a baseline, and reads what else can serve as one."""

from __future__ import annotations

import os
from contextlib import contextmanager

from runner.engine.baseline import FORMAT, LARGEST, VERSION, Series, figures_of
from runner.exporters import files
from runner.model.errors import UsageError
from runner.model.likeness import arguments_shape, host_class
from runner.model.run import label_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from runner.engine.baseline import Baseline

#: Seconds to wait for another runner that saves into the same folder; then the file is written without the lock.
PATIENCE = 2.0
#: Digits of the longest whole number that a float can hold.
_DIGITS = 308


def read(path: str, flag: str) -> list[Series] | None:
    """Return what is in a file, the series last added to at the end; None where there is no such file.

    Raises:
        UsageError: It can't be read, or makes no sense as a baseline.
    """
    data = _bytes(path, flag)
    if data is None:
        return None
    if not data.strip():
        raise UsageError(f"{flag}: {path} is empty; remove it to begin a new baseline")
    from json import loads

    try:
        content = loads(data, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        told = str(error) if isinstance(error, ValueError) else "nested too deeply"
        raise UsageError(f"{flag}: {path} is no JSON, or only a part of it: {told}") from None
    if isinstance(content, dict) and content.get("format") == FORMAT:
        return _series(content, path, flag)
    if isinstance(content, dict):
        report = content if figures_of(content) else content.get("metrics")
        if isinstance(report, dict) and figures_of(report):
            entry = entry_of_report({**content, **report})
            return [Series(entry["script"], "", [entry], [entry])]
    raise UsageError(
        f"{flag}: {path} is no baseline: it has no figures (what --save-baseline or --json-output wrote is expected)"
    )


def _bytes(path: str, flag: str) -> bytes | None:
    if not path or path == "-":
        raise UsageError(f"{flag}: a file is needed")
    try:
        if os.path.isdir(path):
            raise UsageError(f"{flag}: {path} is a directory; name a file in it")
        if os.path.exists(path) and not os.path.isfile(path):  # a FIFO could be waited for without end
            raise UsageError(f"{flag}: {path} is no regular file; a baseline is one")
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{flag}: {path} can't be read: {reason}") from None
    if len(data) > LARGEST:
        raise UsageError(f"{flag}: {path} is larger than {LARGEST >> 20} MB, which no baseline is")
    return data


def _whole(digits: str) -> float:
    """Return a whole number of a file; one that no figure can be is infinite, however many digits it has."""
    return int(digits) if len(digits) <= _DIGITS else float(digits)


def _series(content: dict[str, Any], path: str, flag: str) -> list[Series]:
    version = content.get("version")
    if type(version) is int and version > VERSION:
        raise UsageError(
            f"{flag}: {path} was written by a newer version of the runner (format {version}, this one reads "
            f"{VERSION}); update it, or begin a new baseline"
        )
    if type(version) is not int or version != VERSION:
        raise _damaged(path, flag, f"its version is not {VERSION}")
    listed = content.get("series")
    if not isinstance(listed, list):
        raise _damaged(path, flag, "it has no list of series")
    series = []
    for number, each in enumerate(listed, 1):
        try:
            runs, start = ([_entry(run) for run in each[name]] for name in ("runs", "start"))
            series.append(Series(str(each["script"]), str(each["key"]), start, runs))
        except (KeyError, TypeError, AttributeError):
            raise _damaged(path, flag, f"series {number} is not as the runner writes it") from None
    return series


def _damaged(path: str, flag: str, what: str) -> UsageError:
    return UsageError(f"{flag}: {path} is a damaged baseline: {what}; remove it to begin a new one")


def _entry(run: dict[str, Any]) -> dict[str, Any]:
    """Return a run with its figures and what describes it; what is neither figure nor text can't come from us."""
    texts = {name: value for name, value in run.items() if isinstance(value, str)}
    return {**texts, "figures": figures_of(run["figures"])}


def entry_of_report(report: dict[str, Any]) -> dict[str, Any]:
    """Return a run of a JSON report, or of an object of figures, as a baseline keeps it."""
    host = report.get("host")
    host = host if isinstance(host, dict) else {}
    args = report.get("script_args")
    path, name = (text if isinstance(text, str) else "" for text in (report.get("script_path"), report.get("name")))
    kinds = report.get("kinds")
    entry = _entry({
        "run_id": report.get("run_id"),
        "started": report.get("start_time"),
        "script": label_of(name, path),
        "arguments": arguments_shape([str(word) for word in args]) if isinstance(args, list) else None,
        **{name: report.get(name) for name in ("script_hash", "python_version", "git_commit")},
        "host": host.get("hostname"),
        "host_class": host_class(host),
        "branch": "",
        "testbed": "",
        "figures": report,
    })  # fmt: skip
    return {**entry, "kinds": kinds if isinstance(kinds, dict) else {}}


def check_place(path: str, flag: str) -> None:
    """Refuse a path that no baseline can be written to.

    Raises:
        UsageError: It is none for a regular file, or something else is there.
    """
    files.check(path, flag)
    read(path, flag)  # what is no baseline is not written over


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Keep others from saving into the folder of a file at the same time, where that can be; for `PATIENCE` at most."""
    import fcntl
    from time import monotonic, sleep

    try:
        folder = os.open(os.path.dirname(os.path.realpath(path)), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        patience = monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if monotonic() > patience:
                    break
                sleep(0.01)
        yield
    finally:
        os.close(folder)


def write(path: str, baseline: Baseline) -> None:
    """Write a baseline, whole or not at all.

    Raises:
        ReportError: It could not be written.
    """
    from json import dumps

    files.write(path, (dumps(baseline.to_dict(), indent=1, ensure_ascii=True) + "\n").encode("ascii"))
