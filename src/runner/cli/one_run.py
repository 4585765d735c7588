"""Shows one run whole, for a person: facts, failure, attempts, figures, curves, output."""

from __future__ import annotations

from shlex import join

from runner.cli.columns import columns, cut, wrap
from runner.cli.figures import figure_lines
from runner.cli.output import BOLD, DIM, RED
from runner.cli.safe_text import visible
from runner.engine.one_run import WITHIN
from runner.model.run import iso
from runner.model.units import format_bytes, format_count, format_seconds
from runner.model.verdict import verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.analysis.recurrence import Recurrence
    from runner.cli.output import Screen
    from runner.engine.one_run import Place
    from runner.model.run import Attempt, Run

_LABEL = 12  # columns of a label, with those around it
#: Columns where there is no terminal.
WIDTH = 80
#: Lines of each panel of the curves.
_PANEL = 7


def facts(screen: Screen, run: Run) -> list[str]:
    """Return what the run was and where it took place."""
    host = run.host
    machine = ", ".join(str(part) for part in (
        f"{host['cores']} core{'s' * (host['cores'] != 1)}" if host.get("cores") else "",
        format_bytes(host["memory_bytes"]) if host.get("memory_bytes") else "", host.get("kernel") or "",
    ) if part)  # fmt: skip
    ended = "" if run.last.ended is None else f", ended {iso(run.last.ended)[11:19]}"
    python = " ".join(part for part in (run.python_version, run.python) if part)
    line = f"runner {join(run.line)}" if run.line else ""
    rows = [
        ("Script", run.script_key),
        ("Arguments", join(run.args)),
        ("Line", line),
        ("Directory", run.cwd),
        ("Called in", run.called_in if run.called_in != run.cwd else ""),
        ("Started", f"{iso(run.started)[:19].replace('T', ' ')} {iso(run.started)[26:]}{ended}"),
        ("Host", " · ".join(part for part in (_at(run), machine) if part)),
        ("Python", f"{python} · {format_count(len(run.packages))} packages" if run.packages else python),
        ("Code", _code(run)),
        ("Load", "" if run.load is None else f"{run.load:.2f} at the start"),
        ("Input", "" if run.input_bytes is None else format_bytes(run.input_bytes)),
        ("Tags", ", ".join(f"{name}={value}" for name, value in run.tags.items())),
    ]
    return [line for label, text in rows if text for line in row(screen, label, text)]


def _at(run: Run) -> str:
    return "@".join(part for part in (run.user, str(run.host.get("hostname") or "")) if part)


def _code(run: Run) -> str:
    parts = []
    if run.git_commit:
        dirty = {True: " with changes", False: "", None: ""}[run.git_dirty]
        parts.append(f"commit {run.git_commit[:12]}{dirty}")
    if run.script_hash:
        parts.append(f"SHA-256 {run.script_hash[:12]}")
    return " · ".join(parts)


def row(screen: Screen, label: str, text: str, style: str = DIM) -> list[str]:
    """Return a labelled text, wrapped where the screen has an end."""
    plain = screen.plain(text if screen.unicode else text.replace(" · ", ", "))
    begin = f"  {screen.paint(f'{label:<{_LABEL - 3}}', style)} "
    room = screen.width - _LABEL
    if screen.width and room < 16:  # too narrow for a column of labels
        return [begin.rstrip(), *(f"    {part}" for part in wrap(plain, max(2, screen.width - 4)))]
    parts = wrap(plain, room) if screen.width else [plain]
    return [begin + parts[0], *(" " * _LABEL + part for part in parts[1:])]


def failure(screen: Screen, run: Run, place: Place | None, before: Recurrence | None) -> list[str]:
    """Return what ended a run that failed: the error, its place in the code, how often it came before."""
    last = run.last
    if last.success:
        return []
    lines = row(screen, "Error", last.error_message, RED) if last.error_message else []
    if place is not None:
        lines += _where(screen, run, place)
    if before is not None:
        lines += row(screen, "Before", _before(before))
    return [*lines, ""] if lines else []


def _where(screen: Screen, run: Run, place: Place) -> list[str]:
    frame = place.frame
    path = place.path.removeprefix(run.cwd.rstrip("/") + "/")
    inside = f", in {frame.function}" if frame.function else ""
    changed = " (the file is another one now)" if place.changed else ""
    lines = row(screen, "At", f"{path}:{frame.line}{inside}{changed}")
    width = len(str(place.source[-1][0])) if place.source else 0
    bar = "│" if screen.unicode else "|"
    for number, text in place.source:
        here = number == frame.line
        shown = f"{number:>{width}} {bar} {text.expandtabs(8)}"
        begin = " " * (_LABEL - 2) + (screen.paint("> ", RED) if here else "  ")
        cut = screen.fit(shown, _LABEL)
        lines.append(begin + (cut if here else screen.paint(cut, DIM)))
    if place.raised is not None:
        raised = place.raised
        inside = f", in {raised.function}" if raised.function else ""
        lines += row(screen, "Raised in", f"{raised.file}:{raised.line}{inside}")
    return lines


def _before(before: Recurrence) -> str:
    which = "the last {} run" if before.runs >= WITHIN else "{} earlier run"
    runs = which.format(format_count(before.runs)) + "s" * (before.runs != 1)
    if not before.runs:
        return "this is the first run of the script"
    if not before.count or before.first is None or before.last is None:
        return f"never in {runs}"
    first, last = (iso(at)[:16].replace("T", " ") for at in (before.first, before.last))
    if before.count == 1:
        return f"once in {runs}, on {last}"
    return f"{format_count(before.count)} times in {runs}, first on {first}, last on {last}"


def attempts(screen: Screen, run: Run) -> list[str]:
    """Return what became of each attempt, of a run that had several."""
    if len(run.attempts) < 2:
        return []
    lines = [screen.paint("Attempts", BOLD)]
    for attempt in run.attempts:
        waited = f"after waiting {format_seconds(attempt.delay)}: " if attempt.delay else ""
        error = attempt.error_message or ""
        said = "" if error in ("", f"exit code {attempt.exit_code}") else f": {error}"
        lines += row(screen, str(attempt.number), f"{waited}{verdict(attempt)}{said}")
    return [*lines, ""]


def figures(screen: Screen, run: Run, chosen: list[Attempt]) -> list[str]:
    """Return every figure, and what is usual."""
    lines = [screen.paint("Figures", BOLD), *figure_lines(screen, chosen, run.extra, screen.width or WIDTH), ""]
    if run.usual is not None:
        from runner.cli.usual_row import usual_rows

        room = max(1, screen.width - _LABEL) if screen.width else 0
        compared = [line for label, text, _ in usual_rows(run, screen.unicode, room)
                    for line in row(screen, label, text)]  # fmt: skip
        lines += [*compared, ""] if compared else []
    return lines


def curves(screen: Screen, run: Run, attempt: Attempt) -> list[str]:
    """Return the curves of an attempt, none where too little was sampled."""
    from runner.cli.plot import draw
    from runner.engine.curves import run_chart

    chart = run_chart(run, attempt)
    if attempt.curve is None or len(attempt.curve.buckets) < 2:
        return []
    heading = "Curves" if len(run.attempts) < 2 else f"Curves of attempt {attempt.number}"
    chart.title = ""
    height = (_PANEL + 1) * len(chart.panels) + 2 + bool(chart.note) + sum(len(p.series) > 1 for p in chart.panels) * 2
    drawn = draw(chart, (screen.width or WIDTH) - 2, height, screen)
    return [screen.paint(heading, BOLD), *(f"  {line}" for line in drawn), ""]


def output(screen: Screen, attempt: Attempt, most: int) -> list[str]:
    """Return the last lines of what an attempt wrote, with control characters spelled out.

    Args:
        screen: What can be shown.
        attempt: The attempt.
        most: Most lines of each stream.
    """
    lines: list[str] = []
    for stream in ("stdout", "stderr"):
        kept = attempt.output.get(stream)
        if kept is None or not kept.size or not most:
            continue
        shown = (kept.tail or kept.head).removesuffix(b"\n").split(b"\n")[-most:]
        name = "Output" if attempt.merged else f"Output on {stream}"
        told = f"  {format_count(kept.lines)} line{'s' * (kept.lines != 1)}, {format_bytes(kept.size)}"
        more = f", the last {len(shown)}" if kept.lines > len(shown) else ""
        lines.append(screen.paint(name, BOLD) + screen.paint(screen.fit(told + more, len(name)), DIM))
        for data in shown:
            text = visible(data).expandtabs(8)
            plain = text if screen.unicode else text.encode("ascii", "backslashreplace").decode("ascii")
            lines += [f"  {part}" for part in _broken(plain, max(8, screen.width - 2) if screen.width else 0)]
        lines.append("")
    return lines


def _broken(text: str, room: int) -> list[str]:
    """Return a line in parts of at most `room` columns (0 for any number), as a terminal breaks it."""
    parts = []
    while room and columns(text) > room:
        parts.append(cut(text, room))
        text = text[len(parts[-1]) :]
    return [*parts, text]
