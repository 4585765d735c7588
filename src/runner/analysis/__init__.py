"""What runs mean."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.analysis.regression import Regressed as Regressed
    from runner.analysis.regression import regressed as regressed

__all__ = ["Regressed", "regressed"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from runner.analysis import regression

        return getattr(regression, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
