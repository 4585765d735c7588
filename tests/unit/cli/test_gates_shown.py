"""How gates and comparisons are shown: wide, narrow, quiet."""

from __future__ import annotations

import pytest

from runner.cli.columns import columns
from runner.cli.gates_shown import judgement_lines, show_judgement
from runner.cli.output import Screen
from runner.engine.run_options import ShowOptions
from runner.model.judgement import BETTER, SAME, UNSURE, WORSE, Change, GateResult, Judgement

WALL = "execution_time_seconds"
JUDGEMENT = Judgement(
    [
        GateResult("cpu_max", "cpu_max:90", 95.0, 90.0, False, "cpu_max 95 % (at most 90 %)"),
        GateResult("memory_max_mb", "memory_max_mb:1GB", 5.0, 1024.0, True, "memory_max_mb 5 MB (at most 1 GB)"),
    ],
    [
        Change(WALL, 12.0, 10.0, 0.09, 0.31, WORSE, 20),
        Change("cpu_time_seconds", 1.0, 1.0, -0.05, 0.05, SAME, 20),
        Change("memory_max_mb", 50.0, 100.0, -0.55, -0.4, BETTER, 20),
        Change("block_io_read_bytes", 5, 0, None, None, UNSURE, 3),
    ],
    ["the baseline was measured otherwise: Python 3.11.2 (here 3.12.1)"],
    [WALL],
)


class Fake(Screen):
    """A screen of some width that keeps what is written."""

    def __init__(self, width: int = 0, color: bool = False) -> None:
        super().__init__(-1, {"LC_ALL": "C.UTF-8"})
        self.width, self.color, self.unicode = width, color, True
        self.written = ""

    def write(self, text: str) -> None:
        self.written += text


def test_everything_is_shown_where_there_is_room() -> None:
    assert judgement_lines(Fake(), JUDGEMENT) == [
        "  Gates    FAILED  cpu_max 95 % (at most 90 %)",
        "           passed  memory_max_mb 5 MB (at most 1 GB)",
        "  Compared                         now  baseline  change        interval  verdict",
        "           wall time            12.0 s    10.0 s   +20 %   +9 % to +31 %  worse",
        "           CPU time             1.00 s    1.00 s     0 %    -5 % to +5 %  same",
        "           peak memory           50 MB    100 MB   -50 %  -55 % to -40 %  better",
        "           block_io_read_bytes     5 B       0 B       -                  unsure",
        "  Failed   execution_time_seconds got worse by more than chance, which fails the run",
        "  Note     the baseline was measured otherwise: Python 3.11.2 (here 3.12.1)",
    ]


@pytest.mark.parametrize("width", [100, 80, 60, 40, 30])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    lines = judgement_lines(Fake(width), JUDGEMENT)
    if width >= 40:
        assert max(map(columns, lines)) <= width
    text = " ".join(" ".join(lines).split())
    for told in ("FAILED", "(at most 90 %)", "worse", "better", "+20 %", "(here 3.12.1)"):
        assert told in text


def test_colours_tell_what_fails() -> None:
    text = "\n".join(judgement_lines(Fake(color=True), JUDGEMENT))
    assert "\033[31mFAILED\033[0m  cpu_max" in text
    assert "\033[32mpassed\033[0m  memory" in text
    assert "\033[31mworse\033[0m" in text


@pytest.mark.parametrize("show", [
    ShowOptions(quiet=True), ShowOptions(log_level="WARNING"), ShowOptions(log_level="ERROR"),
])  # fmt: skip
def test_where_little_is_to_be_said_only_failures_are(show: ShowOptions) -> None:
    screen = Fake()
    show_judgement(screen, JUDGEMENT, show)
    assert screen.written.splitlines() == [
        "runner: gate FAILED: cpu_max 95 % (at most 90 %)",
        "runner: regression FAILED: execution_time_seconds got worse than the baseline by more than chance (+20 %)",
    ]
    quiet = Fake()
    show_judgement(quiet, Judgement(JUDGEMENT.gates[1:], JUDGEMENT.changes, JUDGEMENT.notices), show)
    assert quiet.written == ""


def test_nothing_in_a_text_does_anything_to_a_terminal() -> None:
    hostile = Judgement([GateResult("cpu_max", "", None, 1.0, False, "cpu_max is not a number: '\033[2J'")])
    assert "\033" not in "\n".join(judgement_lines(Fake(), hostile))
