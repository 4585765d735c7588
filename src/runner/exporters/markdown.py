"""The Markdown report of a run (``--markdown-output``), as a comment of a pull request or a summary shows it.

What comes from a script or a record stands in code, where nothing means anything; what could end the code is spelled as
entities. So it can't end a table, become HTML, link anything or call anybody by an ``@``.
"""

from __future__ import annotations

from runner.exporters.plain import one_line, output_text, streams
from runner.exporters.report import FileReport
from runner.exporters.telling import (
    FAILED,
    PASSED,
    SKIPPED_GATE,
    change_rows,
    cost,
    failure_note,
    gate_rows,
    good,
    headline,
    usual_rows,
)
from runner.model.judgement import BETTER, SAME, UNSURE, WORSE
from runner.model.run import NUMBER_TAG, SIDE_TAG, label_of
from runner.model.verdict import error_of
from runner.options import RUN, Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.model.judgement import Judgement
    from runner.model.run import Run

#: Rows of a table, and bytes and lines of each output stream: a comment on GitHub has 65,536 characters.
_ROWS = 40
_OUTPUT_BYTES, _OUTPUT_LINES = 10_000, 100

_GATE_MARKS = {PASSED: "✅", FAILED: "❌", SKIPPED_GATE: "⚪"}
_VERDICT_MARKS = {BETTER: "🟢 better", SAME: "same", WORSE: "🔴 worse", UNSURE: "unsure"}

#: Characters that Markdown, or what hosts of code add to it, could take for more than themselves.
_MEANING = {ord(char): f"&#{ord(char)};" for char in "\\`*_{}[]()<>#!|~:@$&\"'="}


class MarkdownOptions(Options):
    """Where the Markdown report goes."""

    markdown_output: str = opt(
        "Write a Markdown report, to post as a comment on a pull request; - is standard output", default="",
        metavar="FILE", env="RUNNER_MARKDOWN_OUTPUT", yaml="reports.markdown", role=RUN,
    )  # fmt: skip


class MarkdownReport(FileReport):
    """Writes the Markdown report."""

    flag = "--markdown-output"

    def render(self, run: Run, judgement: Judgement | None) -> bytes:
        """Return the report."""
        return markdown(run, judgement).encode("utf-8")


def markdown(run: Run, judgement: Judgement | None = None) -> str:
    """Return what there is to say of a run in Markdown, in less than 60,000 characters."""
    label = label_of(run.name, run.script_path)
    mark = "✅" if good(run, judgement) else "❌"
    parts = [
        f"<!-- runner: {_marker(label + '@gate' * (SIDE_TAG in run.tags))} -->",
        f"### {mark} {code(label)} {headline(run, judgement)}",
        *(code(text, 1000) for text in (error_of(run.last), failure_note(run)) if text and not run.last.success),
        " · ".join([*cost(run), *_where(run)]),
    ]
    if judgement is not None:
        parts += [f"> {code(notice)}" for notice in judgement.notices[:_ROWS]]
        parts += _gates(judgement) + _changes(judgement)
    parts += _usual(run) + _output(run)
    return "\n\n".join(parts) + "\n"


def code(text: str, most: int = 200) -> str:
    """Return a text as code that stays what it is wherever it stands in Markdown."""
    plain = one_line(text, most)
    if not plain or not set("`|\\$") & set(plain):  # what a code span can't hold everywhere
        return plain and f"`{plain}`"
    return f"<code>{plain.translate(_MEANING).replace('www.', 'www&#46;')}</code>"


def _marker(label: str) -> str:
    """Return what tells this comment from those on other scripts, for whatever updates it."""
    kept = "".join(char if char.isalnum() or char in "._/" else "-" for char in one_line(label, 100))
    while "--" in kept:
        kept = kept.replace("--", "-")
    return kept.strip("-")


def _where(run: Run) -> list[str]:
    told = [("gate run", run.tags.get(NUMBER_TAG, "")), ("run", run.id), ("commit", (run.git_commit or "")[:12]),
            ("on", str(run.host.get("hostname") or ""))]  # fmt: skip
    return [f"{name} {code(value)}" for name, value in told if value]


def _gates(judgement: Judgement) -> list[str]:
    rows = gate_rows(judgement.gates)
    if not rows:
        return []
    cells = [(_GATE_MARKS[state], code(gate), code(result, 500)) for state, gate, result in rows]
    return [_table(("", "Gate", "Result"), "lll", cells)]


def _changes(judgement: Judgement) -> list[str]:
    rows = change_rows(judgement.changes)
    if not rows:
        return []
    order = {WORSE: 0, UNSURE: 2, SAME: 3}
    rows.sort(key=lambda row: order.get(row[-1], 1))
    cells = [(code(name), *figures, _VERDICT_MARKS.get(verdict, verdict)) for name, *figures, verdict in rows]
    return [_table(("Figure", "Baseline", "This run", "Change", "Interval", ""), "lrrrrl", cells)]


def _usual(run: Run) -> list[str]:
    cells = [(code(name), usual, found, standing) for name, usual, found, standing in usual_rows(run)]
    if not cells or run.usual is None:
        return []
    parts = [_table(("Figure", f"Usual ({run.usual.count} runs)", "This run", ""), "lrrl", cells)]
    causes = run.usual.causes[:5]
    if causes:
        parts.append(
            "\n".join(f"- {'likely: ' if cause.likely else 'differs: '}{code(cause.text)}" for cause in causes)
        )
    return parts


def _table(head: Sequence[str], align: str, rows: Sequence[Sequence[str]]) -> str:
    rule = [{"l": ":--", "r": "--:"}[side] for side in align]
    lines = ["| " + " | ".join(row) + " |" for row in (head, rule, *rows[:_ROWS])]
    return "\n".join(lines) + (f"\n\nand {len(rows) - _ROWS} more" if len(rows) > _ROWS else "")


def _output(run: Run) -> list[str]:
    parts = []
    for name, kept in streams(run.last):
        text = output_text(kept, _OUTPUT_BYTES, _OUTPUT_LINES)
        fence = "```"
        while fence in text:
            fence += "`"
        title = "Output" if name == "output" else f"Output on {name}"
        lines = f"{kept.lines:,} line{'s' * (kept.lines != 1)}"
        parts.append(f"<details><summary>{title}, {lines}</summary>\n\n{fence}text\n{text}\n{fence}\n\n</details>")
    return parts
