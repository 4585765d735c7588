"""What the other side said when it did not take a message: one line, without the secrets that it may repeat."""

from __future__ import annotations

import re
from urllib.parse import unquote

from runner.channels.base import clip
from runner.model.redact import MASK, redact_text
from runner.model.words import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Characters of an answer that are told.
MOST = 200
#: Characters of the shortest secret, and of the shortest part of one that is a secret by itself.
_SECRET, _PART = 4, 8


def said(answer: bytes, secrets: Iterable[str]) -> str:
    """Return what an answer says; "" for a page of HTML, which says less than its code.

    Args:
        answer: The beginning of it.
        secrets: What must not be told: each as a whole, and its longer parts (the last one of an address, the token
            behind ``Bearer``).
    """
    text = " ".join(answer.decode("utf-8", "replace").split())
    if text.startswith("<"):
        return ""
    for part in sorted(_parts(secrets), key=len, reverse=True):
        text = text.replace(part, MASK)
    return clip(printable(redact_text(text)), MOST)


def _parts(secrets: Iterable[str]) -> Iterator[str]:
    for secret in secrets:
        for text in (secret, unquote(secret)):
            if len(text) >= _SECRET:
                yield text
            yield from (part for part in re.split(r"[^\w.~+-]+", text) if len(part) >= _PART)
