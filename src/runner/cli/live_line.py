"""The text of the live line: as much of it as there is room for, what matters most first."""

from __future__ import annotations

from runner.cli.plot import sparkline
from runner.model.units import format_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.cli.live_figures import Figures
    from runner.cli.output import Screen

#: Columns taken at most: on a wide terminal the eye should not have to travel.
WIDEST = 100
_SPARKS = 8


def clock(seconds: float) -> str:
    """Return a duration as a clock shows it: ``0:07``, ``12:30``, ``1:02:03``, ``3 d 04:05``."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    if not hours:
        return f"{minute}:{second:02d}"
    if hours < 48:
        return f"{hours}:{minute:02d}:{second:02d}"
    days, hour = divmod(hours, 24)
    return f"{days} d {hour:02d}:{minute:02d}"


def rough(seconds: float) -> tuple[str, str]:
    """Return a duration as roughly as it is known, number and unit: ``8 s``, ``2.5 min``, ``1.5 h``, ``3 d``."""
    if seconds < 55:
        return str(max(1, round(seconds) if seconds < 10 else round(seconds / 5) * 5)), "s"
    for size, unit, most in ((60, "min", 55), (3600, "h", 36)):
        count = seconds / size
        if count < most:
            return f"{round(count * 2) / 2 if count < 10 else round(count):g}", unit
    return f"{seconds / 86400:.1f}".removesuffix(".0"), "d"


def compose(figures: Figures, elapsed: float, room: int, screen: Screen) -> str:
    """Return the line, at most `room` columns wide; it begins with a blank, where the cursor stands."""
    parts = [part for part in _parts(figures, elapsed, screen) if part[1]]
    gap = " · " if screen.unicode else ", "
    room = min(room, WIDEST) - 1
    # What does not fit gives way in this order: everything of rank 9, then of 8 ...
    for most in range(9, -1, -1):
        text = gap.join(text for rank, text in _joined(parts, most))
        if len(text) <= room or not most:
            return " " + (text if len(text) <= room else text[:room])
    raise AssertionError


def _joined(parts: list[tuple[int, str, str]], most: int) -> list[tuple[int, str]]:
    shown: list[tuple[int, str]] = []
    for rank, text, before in parts:
        if rank > most:
            continue
        if before and shown:  # belongs to the part before it
            shown[-1] = (rank, shown[-1][1] + before + text)
        elif not before:
            shown.append((rank, text))
    return shown


def _parts(figures: Figures, elapsed: float, screen: Screen) -> list[tuple[int, str, str]]:
    """Return the parts in their order: rank, text, and what joins it to the part before instead of a gap."""
    about, dash = ("≈", "\N{EN DASH}") if screen.unicode else ("about ", "-")
    left = figures.remaining(elapsed)
    remains = interval = ""
    if left is not None:
        low, middle, high = (rough(seconds) for seconds in left)
        remains = f"{about}{middle[0]} {middle[1]} left"
        least = low[0] if low[1] == high[1] else f"{low[0]} {low[1]} "
        gap = dash if low[1] == high[1] else f"{dash} "
        interval = f"({least}{gap}{high[0]} {high[1]})" if low != high else ""
    count = figures.processes or 0
    sparks = sparkline(figures.memory_trail.values, _SPARKS, screen) if len(figures.memory_trail.values) > 1 else ""
    return [
        (0, clock(elapsed), ""),
        (1, figures.notice, ""),
        (8, f"attempt {figures.attempt}" if figures.attempt > 1 else "", ""),
        (3, remains, ""),
        (5, interval, " "),
        (1, "" if figures.cpu is None else f"CPU {figures.cpu:.0f} %", ""),
        (2, "" if figures.memory is None else format_bytes(figures.memory), ""),
        (7, sparks if figures.memory is not None else "", " "),
        (6, f"{count:.0f} process{'es' * (count != 1)}" if count else "", ""),
    ]
