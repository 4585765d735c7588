"""Whether a script's newest runs differ from those before them by more than it usually varies."""

from __future__ import annotations

from runner.analysis.robust import NORMAL, mad, median

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: How many runs count as the newest, and how many before them are needed, and looked at.
NEWEST, FEWEST, BEFORE = 10, 10, 30
#: The medians differ by at least this part, and by so many sigmas of what came before.
_PART, _SIGMAS = 0.1, 1.0


def drift(newest_first: Sequence[float]) -> float | None:
    """Return by which part of the earlier ones the newest runs differ: 0.2 is a fifth more, 0 what varies anyway.

    The median of the newest `NEWEST` runs is compared with that of up to `BEFORE` runs before them. A median of ten
    varies by 0.4 sigma, so that a sigma (1.4826 MAD) is crossed by chance in about one of eighty comparisons.

    Args:
        newest_first: Values, the newest first.

    Returns:
        None where there are too few of them.
    """
    newest, before = newest_first[:NEWEST], newest_first[NEWEST : NEWEST + BEFORE]
    if len(before) < FEWEST:
        return None
    level, now = median(before), median(newest)
    if not level or abs(now - level) < max(_PART * abs(level), _SIGMAS * NORMAL * mad(before)):
        return 0.0
    return (now - level) / abs(level)
