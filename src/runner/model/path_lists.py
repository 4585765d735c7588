"""What differs between two lists of paths, such as two values of PATH."""

from __future__ import annotations

#: Characters that are kept of the value of a variable: what was behind them is not known.
_KEPT = 1000
_NAMED = 5


def list_change(before: str, now: str) -> str:
    """Return what came to a list of paths and what went from it: ``+ /opt/bin, - /usr/games``.

    Args:
        before: One value: paths with colons between them.
        now: Another.

    Returns:
        The change, "" where the values are equal or are no such lists.
    """
    if before == now or "://" in before + now or not (_is_list(before) or _is_list(now)):
        return ""
    old, new = _paths(before), _paths(now)
    told = [f"+ {path}" for path in new if path not in old]
    if len(now) < _KEPT:
        told += [f"- {path}" for path in old if path not in new]
    more = len(told) - _NAMED
    return ", ".join(told[:_NAMED]) + (f" and {more} more" if more > 0 else "") or "the same in another order"


def _is_list(value: str) -> bool:
    return ":" in value and any(part.startswith("/") for part in value.split(":"))


def _paths(value: str) -> dict[str, None]:
    """Return the paths of a list in their order; an empty one is the current folder."""
    parts = value.split(":")
    return dict.fromkeys(part or "." for part in (parts[:-1] if len(value) >= _KEPT else parts) if value)
