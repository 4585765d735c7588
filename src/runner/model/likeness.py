"""Which runs can be compared: those of one script with arguments of one shape, on hosts of one class."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: What stands in a shape for a value that may differ from run to run.
ANY = "*"


def arguments_shape(args: Sequence[str]) -> str:
    """Return what arguments have in common from run to run: options and plain words stay, values become ``*``.

    ``sync --since 2026-01-31 --fast data/in.csv`` has the shape ``sync --since * --fast *``: a date, a number or a path
    differs every night, while another option or another plain word asks for other work.

    Args:
        args: Arguments of a script.

    Returns:
        The shape, "" for no arguments; at most 500 characters.
    """
    return " ".join(map(_shape, args))[:500]


def _shape(word: str) -> str:
    if word.startswith("-") and not word.lstrip("-")[:1].isdigit():
        name, equals, value = word.partition("=")
        return f"{name}={_shape(value)}" if equals else name
    return word if word.replace("-", "").replace("_", "").isalpha() and len(word) <= 40 else ANY


def host_class(host: Mapping[str, Any]) -> str:
    """Return the class of a host: machines of one class should need equal time for equal work.

    Args:
        host: Facts of a host, as `Run.host` has them.

    Returns:
        A text such as ``Linux x86_64, 4 cores, 16 GB, Intel Xeon``, "" where nothing is known.
    """
    system = str(host.get("kernel") or host.get("platform") or "").partition(" ")[0]
    memory = host.get("memory_bytes")
    parts = [
        " ".join(part for part in (system, host.get("machine")) if part),
        f"{host['cores']} core{'s' * (host['cores'] != 1)}" if host.get("cores") else "",
        # The kernel keeps a little for itself, more or less from version to version.
        f"{_rounded(memory / (1 << 30)):g} GB" if memory else "",
        host.get("cpu") or "",
    ]
    return ", ".join(part for part in parts if part)


def _rounded(gigabytes: float) -> float:
    """Return the size as it is sold: within an eighth, a power of two or three quarters of one."""
    size = 1 / 64
    while size * 0.875 * 2 <= gigabytes:
        size *= 2
    return size * 1.5 if gigabytes >= size * 1.3 else size
