"""Calls of the C library that the standard library does not offer, without what ``import ctypes`` costs."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    Call = Callable[..., int]

# Arguments of prctl(2).
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36


def function(name: str) -> Call | None:
    """Return a function of the C library that takes small integers and bytes and returns an int.

    The C half of ctypes does on its own (0.3 ms); the Python half takes another 2 ms to import, and is only used where
    the C half is of another make (PyPy).

    Args:
        name: Its name in the library, such as ``"prctl"``.

    Returns:
        The function, or None where the system or the interpreter has no such thing.
    """
    try:
        import _ctypes
    except ImportError:
        return None
    try:
        address = _ctypes.dlsym(_ctypes.dlopen(None, 0), name)  # type: ignore[arg-type]
        call_function = _ctypes.call_function
    except AttributeError:
        return _through_ctypes(name)
    except OSError:
        return None

    def call(*arguments: int | bytes) -> int:
        result: int = call_function(address, arguments)
        return result

    return call


def _through_ctypes(name: str) -> Call | None:
    try:
        import ctypes

        found: Call = getattr(ctypes.CDLL(None), name)
    except (ImportError, AttributeError, OSError, TypeError):
        return None
    return found


def prctl(option: int, value: int | bytes) -> bool:
    """Call prctl(2) with one argument; return whether it was done."""
    call = function("prctl")
    return call is not None and call(option, value, 0, 0, 0) == 0
