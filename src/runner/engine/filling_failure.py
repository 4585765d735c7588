"""Says in one line why uv or pip failed: an index that can't be reached is buried in what they write, or not in it."""

from __future__ import annotations

import re

from runner.model.redact import redact_text

#: Characters told of why an installer failed.
_LONGEST = 400
#: What pip says where it found nothing, for whatever reason.
_NOTHING = "No matching distribution found"
# A page that pip did not get; that there is none is an answer too.
_PIP = re.compile(r"Could not fetch URL (\S+): (?!404 )(.*) - skipping")
_UV = re.compile(r"Failed to fetch: `?([^\s`]+)`?$")
#: What begins a line of uv's besides its text: it tells causes in lines, or draws them as a tree.
_BEFORE = re.compile("^(?:ERROR:|error:|cause:|Caused by:|[\u00d7\u2570\u251c\u2500\u25b6])+")

_ANSWERS = (
    r"(\d{3}) (?:Client|Server) Error: (.+?) for url",
    r"HTTP status \w+ error \((\d{3}) ([^)]*)\)",
    r"too many (\d{3}) error responses()",
)
_CAUSES = (
    r"\[Errno -?\d+\] ([^'\")]+)",
    r"(certificate verify failed[^('\"]*)",
    r"(timed out)",
    r"(?:dns error|lookup address information): ([^:]+)$",
    r"'([^']+)'\)*$",
    r"(.+?)(?: \(os error \d+\))?$",
)


def reason_of(said: bytes, log: str = "") -> str:
    """Return what an installer names as the reason of its failure, "" where it names none.

    Args:
        said: What it wrote.
        log: What pip wrote into its log, which is where it says which pages it did not get.
    """
    lines = lines_of(said)
    texts = [_BEFORE.sub("", line).strip() for line in lines]
    for at, text in enumerate(texts):
        found = _UV.match(text)
        if found:
            causes = [each for each in texts[at + 1 :] if not each.startswith("hint:")]
            return _not_had(found[1], causes[-1] if causes else "", " ".join(causes))
    if _NOTHING in " ".join(lines):
        page = _PIP.search(log)
        if page:
            return _not_had(page[1], page[2], page[2])
    # uv begins with a word or a cross.
    first = next((at for at, line in enumerate(lines) if re.match("(ERROR|error)|\u00d7", line)), len(lines) - 1)
    told = "".join(
        f"{': ' if line.startswith(('cause:', 'Caused by:')) else ' '}{text}"
        for line, text in zip(lines[first:], texts[first:], strict=True)
        if not text.startswith(("[notice]", "WARNING:"))
    )
    return told.strip()[:_LONGEST]


def lines_of(said: bytes) -> list[str]:
    """Return the lines of what a program wrote that are not blank, without colours and what was redrawn."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode("utf-8", "replace")).replace("\r", "\n")
    return [line.strip() for line in text.split("\n") if line.strip()]


def _not_had(url: str, cause: str, details: str) -> str:
    """Return that an index can't be reached, or what it answers.

    Args:
        url: Page of a package in it, which ends with a slash, or a file.
        cause: What was in the way, at the end of what was said.
        details: All that was said of it.
    """
    host = "/".join(url.split("/")[:3])
    what = f"the package index {url.rstrip('/').rpartition('/')[0]}" if url.endswith("/") else host
    for pattern in _ANSWERS:
        found = re.search(pattern, details)
        if found:
            return redact_text(f"{what} answers {' '.join(filter(None, found.groups()))}")
    why = next((found[1].strip() for pattern in _CAUSES if (found := re.search(pattern, cause))), "")
    through = " through the proxy" if re.search("proxy|tunnel error", details, re.IGNORECASE) else ""
    return redact_text(f"{what} can't be reached{through}{f' ({why})' if why else ''}")[:_LONGEST]
