"""Makes text of what a script wrote, and of names it chose, that can do nothing in a report."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.model.run import Attempt, Tail

#: What may stand between the beginning of a control sequence and the letter that ends it (ECMA-48, 5.4).
_PARAMETERS = "".join(map(chr, range(0x20, 0x40)))

# Control characters, and those that reorder or hide what stands around them ("Trojan Source", CVE-2021-42574). XML can
# hold neither most of the first nor the two noncharacters.
_ESCAPED = [*range(0x09), 0x0B, 0x0C, 0x0D, *range(0x0E, 0x20), *range(0x7F, 0xA0), 0x200E, 0x200F, 0x2028, 0x2029,
            *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF, 0xFFFE, 0xFFFF]  # fmt: skip
_TABLE = {code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" for code in _ESCAPED}


def clean(text: str) -> str:
    r"""Return a text of visible characters, blanks, tabs and line ends; others are spelled out, such as ``\x1b``.

    What was no UTF-8 (names of files need not be) is spelled out too.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = text.encode("utf-8", "surrogateescape" if _only_bytes(text) else "backslashreplace").decode(
            "utf-8", "backslashreplace"
        )
    return text.translate(_TABLE)


def _only_bytes(text: str) -> bool:
    """Whether every surrogate stands for a byte that was no UTF-8."""
    return all("\udc80" <= char <= "\udcff" for char in text if "\ud800" <= char <= "\udfff")


def one_line(text: str, most: int = 500) -> str:
    """Return a text as one line of at most `most` characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def without_sequences(text: str) -> str:
    """Return a text without control sequences of terminals (colours, moves, titles); a broken one stays."""
    first, *rest = text.split("\x1b")
    parts = [first]
    for part in rest:
        end = -1
        if part.startswith("["):
            end = len(part) - len(part[1:].lstrip(_PARAMETERS))
            end = end if end < len(part) and "@" <= part[end] <= "~" else -1
        elif part.startswith("]"):
            end = part.find("\x07")
        parts.append(part[end + 1 :] if end >= 0 else f"\x1b{part}")
    return "".join(parts)


def output_text(kept: Tail, most_bytes: int, most_lines: int = 0) -> str:
    """Return the last lines of an output stream as a reader of a report wants them.

    Lines that were drawn several times (progress bars) are shown as they looked last, without colours.

    Args:
        kept: What was kept of the stream.
        most_bytes: How much of it at most.
        most_lines: How many lines at most; 0 for any number.
    """
    whole = kept.size <= len(kept.head) + len(kept.tail)
    data = (kept.head + kept.tail if whole and len(kept.tail) < most_bytes else kept.tail or kept.head)[-most_bytes:]
    # A character that was cut through is left out with the line it is in.
    begun = data.partition(b"\n") if len(data) < kept.size else (b"", b"", data)
    lines = (begun[2] or begun[0]).decode("utf-8", "backslashreplace").split("\n")
    if not lines[-1]:
        lines.pop()
    left_out = len(data) < kept.size
    if most_lines and len(lines) > most_lines:
        lines = lines[-most_lines:]
        left_out = True
    shown = [clean(without_sequences(_last_drawn(line))) for line in lines]
    return "\n".join(["[earlier output is not shown]", *shown] if left_out else shown)


def _last_drawn(line: str) -> str:
    return next((part for part in reversed(line.split("\r")) if part), "") if "\r" in line else line


def streams(attempt: Attempt) -> list[tuple[str, Tail]]:
    """Return the output streams of an attempt that something was written to, each with what it is called."""
    found = []
    for stream in ("stdout", "stderr"):
        kept = attempt.output.get(stream)
        if kept is not None and kept.size:
            found.append(("output" if attempt.merged else stream, kept))
    return found
