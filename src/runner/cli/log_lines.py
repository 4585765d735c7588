"""Picks lines of output and prints them: safe for a terminal, as data, or exactly as they were written."""

from __future__ import annotations

import os
import re
from time import localtime, strftime

from runner.cli.output import BOLD, DIM, RED, RESET, Screen, warn
from runner.cli.safe_text import ever_drawn, visible
from runner.engine.live import LiveRun
from runner.model.errors import UsageError
from runner.model.units import format_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from runner.engine.live_options import LogsOptions
    from runner.engine.logs import Line
    from runner.model.run import Run

_MATCH = BOLD + RED
_AGAIN = "\r\033[K"  # to the beginning of the line, which is cleared
_PARTIAL = 4096  # bytes looked at of a line that is still to grow


class Filter:
    """Which lines are wanted.

    Attributes:
        pattern: What has to be found in a line, None for anything.
        matched: Whether a line was.

    Raises:
        UsageError: The pattern is no regular expression.
    """

    def __init__(self, options: LogsOptions) -> None:
        self.matched = False
        self.pattern: re.Pattern[str] | None = None
        if options.grep:
            try:
                self.pattern = re.compile(options.grep, re.IGNORECASE if options.ignore_case else 0)
            except re.error as error:
                raise UsageError(f"--grep: {options.grep!r} is no regular expression: {error}") from None
        elif options.ignore_case:
            raise UsageError("--ignore-case makes no sense without --grep")

    def of(self, lines: Iterable[Line]) -> Iterator[tuple[Line, str]]:
        """Yield the wanted lines, each with its text without colours and control characters."""
        for line in lines:
            if self._wants(line.data):
                self.matched = True
                yield line, visible(line.data)

    def _wants(self, data: bytes) -> bool:
        """Whether a line is wanted: one that was redrawn for anything that it ever showed."""
        return self.pattern is None or any(map(self.pattern.search, ever_drawn(data)))

    def painted(self, text: str) -> str:
        """Return a text with what was found in colour."""
        if self.pattern is None:
            return text
        return self.pattern.sub(lambda found: f"{_MATCH}{found[0]}{RESET}" if found[0] else "", text)


class Printer:
    """Writes lines to a stream.

    Args:
        out: The stream.
        options: How lines are shown.
        format: ``table``, ``json`` or ``csv``; while a run is followed, JSON is an object a line.
        run: Whose lines they are.
        wanted: Which of them.
    """

    def __init__(self, out: TextIO, options: LogsOptions, format: str, run: LiveRun | Run, wanted: Filter) -> None:
        self._out = out
        self._options = options
        self._format = format
        self._run = run
        self._screen = Screen(1)
        self._wanted = wanted
        self._color = self._screen.color
        self._attempt = 1
        self._open = False  # whether a line that is still to grow stands on the terminal
        self._unended: tuple[int, str] | None = None  # of which stream the last line written is incomplete
        self._written: dict[tuple[int, str], int] = {}
        self._rows: list[dict[str, object]] = []
        if format == "csv":
            out.write("attempt,stream,time,text\n")

    def lines(self, found: Iterable[tuple[Line, str]]) -> None:
        """Write wanted lines."""
        for line, text in found:
            self.line(line, text)

    def line(self, line: Line, text: str) -> None:
        """Write one line; `text` is the line without colours and control characters."""
        if self._format != "table":
            self._data(line, text)
        elif self._options.raw:
            self._raw(line)
        else:
            self._out.write(self._again())
            if self._unended and (line.missing or self._unended != (line.attempt, line.stream)):
                self._out.write("\n")  # no other line goes on where this one has stopped
            self._notice(line)
            end = "\n" if line.ended or self._screen.terminal else ""
            self._out.write(self._stamp(line) + self._shown(line, text) + end)
            self._unended = None if end else (line.attempt, line.stream)

    def partial(self, lines: list[Line]) -> None:
        """Show the lines that have not come to their ends yet: exactly, or the newest to be replaced."""
        if self._options.raw and not self._options.grep and not self._options.timestamps:
            for line in lines:
                self._raw(line)
                self._written[line.attempt, line.stream] = len(line.data)
        elif self._screen.terminal and self._color and self._format == "table" and lines:
            text = visible(lines[-1].data[-_PARTIAL:], mark=False)
            if text and not self._options.raw and (self._wanted.pattern is None or self._wanted.pattern.search(text)):
                from runner.cli.columns import cut

                self._out.write(self._again() + cut(text.expandtabs(), self._screen.width - 1))
                self._open = True
        self.flush()

    def flush(self) -> None:
        """Let everything be seen."""
        self._out.flush()

    def finish(self) -> None:
        """Write what is left to be written at the end."""
        if self._format == "json" and not self._options.follow:
            from runner.cli.tables import write_json

            status = "ok" if self._rows else "no_data"
            running = isinstance(self._run, LiveRun)
            write_json(self._out, {"status": status, "run_id": self._run.id, "running": running, "lines": self._rows})
        self._out.flush()

    def _again(self) -> str:
        again, self._open = (_AGAIN if self._open else ""), False
        return again

    def _shown(self, line: Line, text: str) -> str:
        if self._color:
            text = self._wanted.painted(text) if self._wanted.pattern else visible(line.data, color=True)
        if self._screen.terminal and not self._screen.unicode:
            return text.encode("ascii", "backslashreplace").decode("ascii")
        return text

    def _stamp(self, line: Line) -> str:
        if not self._options.timestamps:
            return ""
        return self._screen.paint(f"{_moment(line.time):<23}", DIM) + "  "

    def _notice(self, line: Line) -> None:
        notes = []
        if line.attempt != self._attempt and self._options.attempt is None:
            notes.append(f"[attempt {line.attempt}]")
        self._attempt = line.attempt
        if line.missing:
            notes.append(f"[... {format_bytes(line.missing)} not kept ...]")
        if not self._options.grep:
            for note in notes:
                self._out.write(self._screen.paint(note, DIM) + "\n")

    def _raw(self, line: Line) -> None:
        if line.missing and not self._options.grep:
            self._out.flush()
            warn(Screen(), f"{format_bytes(line.missing)} of {line.stream} were not kept here")
        written = self._written.pop((line.attempt, line.stream), 0)  # while the line was not complete
        data = self._stamp(line).encode() + line.data[written:] + (b"\n" if line.ended else b"")
        self._out.flush()
        buffer = getattr(self._out, "buffer", None)
        if buffer is None:
            os.write(1, data)
        else:
            buffer.write(data)

    def _data(self, line: Line, text: str) -> None:
        from runner.model.run import iso

        row: dict[str, object] = {
            "attempt": line.attempt,
            "stream": line.stream,
            "time": None if line.time is None else iso(line.time),
            "text": text if self._format == "csv" else line.data.decode("utf-8", "replace"),
        }
        if line.missing:
            row["missing_bytes"] = line.missing
        if self._format == "csv":
            import csv

            writer = csv.writer(self._out, lineterminator="\n")
            writer.writerow([row["attempt"], row["stream"], row["time"] or "", row["text"]])
        elif self._options.follow:
            import json

            self._out.write(json.dumps(row) + "\n")
        else:
            self._rows.append(row)


def _moment(nanoseconds: int | None) -> str:
    if nanoseconds is None:
        return "-"
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return strftime("%Y-%m-%d %H:%M:%S", localtime(seconds)) + f".{rest // 1_000_000:03d}"
