"""Reads JSON: exports, reports of ``--json-output``, and what hyperfine exports; each value says itself what it is."""

from __future__ import annotations

from runner.importers.base import BadFileError
from runner.importers.json_stream import values
from runner.model.portable import VERSION_COLUMN, run_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from runner.importers.base import Source
    from runner.model.run import Run


class JsonReader:
    """Reads one value a line, a list of values, or one value."""

    def matches(self, source: Source) -> bool:
        """Whether the file begins like JSON, or is one of no lines."""
        if not source.head:
            return source.is_lines
        return source.head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")

    def read(self, source: Source) -> Iterator[Run]:
        """Yield the runs (see `Reader.read`)."""
        line = 0
        try:
            with source.open() as file:
                for number, value in values(file):
                    line = number
                    yield from _runs(source, value)
        except BadFileError:
            raise
        except RecursionError:
            raise source.failure(ValueError("it is nested too deeply"), line) from None
        except ValueError as error:
            if len(error.args) == 2:
                raise source.failure(ValueError(error.args[0]), error.args[1]) from None
            raise source.failure(error, line) from None
        except (OSError, EOFError) as error:
            raise source.failure(error, line) from None


def _runs(source: Source, value: Any) -> Iterator[Run]:
    if not isinstance(value, dict):
        raise ValueError(f"a run is needed, not {str(value)[:40]}")
    if VERSION_COLUMN in value and "run_id" in value:
        yield run_of(value)
    elif isinstance(value.get("runs"), list) and VERSION_COLUMN in value:
        for item in value["runs"]:
            yield from _runs(source, item)
    elif isinstance(value.get("attempt_history"), list):
        from runner.importers.json_report import run_of_report

        yield run_of_report(value)
    elif isinstance(value.get("results"), list):
        from runner.importers.hyperfine import runs_of_results

        yield from runs_of_results(value["results"], source.modified)
    else:
        raise ValueError("it is no export, no report of --json-output, and nothing that hyperfine wrote")
