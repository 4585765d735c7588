"""What a run costs beyond the script: an empty one, with a history of 1,000 runs, against the floor of any wrapper."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if __package__ in (None, ""):
    sys.path.insert(0, __file__.rsplit("/", 2)[0])

from benchmarks import common

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.common import Row

RUNS_BEFORE = 1000
BOUND = 1.5
ROUNDS = 30


def fill(folder: Path, command: list[str]) -> None:
    """Leave a history of `RUNS_BEFORE` runs of the script in the folder: one that ran, and copies of it."""
    database = folder / "script_runner_history.db"
    # Named, since a database in a folder above would be taken otherwise; from here on this one is the nearest.
    common.wall([*command, "--history-db", str(database), "empty.py"], folder)
    sys.path.insert(0, str(common.ROOT / "src"))
    from runner.stores.sqlite import SqliteStore

    store = SqliteStore(str(database))
    from runner.stores.base import RunFilter

    (run,) = store.runs(RunFilter())
    run = store.get(run.id)
    day = 86400 * 10**9
    first = run.started - 30 * day
    for number in range(RUNS_BEFORE - 1):
        run.id = f"{number:012x}"
        shift = first + number * 30 * day // RUNS_BEFORE - run.started
        run.started += shift
        for attempt in run.attempts:
            attempt.started += shift
            attempt.ended = None if attempt.ended is None else attempt.ended + shift
        store.save(run)
    store.close()


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Measure; see `benchmarks.common` for what a row is."""
    with tempfile.TemporaryDirectory(prefix="runner-bench-") as folder:
        return _measure(Path(folder), rounds)


def _repository(folder: Path) -> Path | None:
    """Make a git repository that holds the script, where each run asks git whether it was changed."""
    if shutil.which("git") is None:
        return None
    tree = folder / "tree"
    tree.mkdir()
    (tree / "empty.py").write_text("")
    author = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-q", "-m", "an empty script"]):
        subprocess.run(["git", *command], cwd=tree, check=True, capture_output=True)
    return tree


def _measure(folder: Path, rounds: int) -> list[Row]:
    # Not below the checkout: asking git about a repository is a cost of its own, shown in a row of its own.
    (folder / "empty.py").write_text("")
    (folder / "floor.py").write_text(common.FLOOR)
    doors = {"`python runner.py`": common.checkout_runner()}
    installed = common.installed_runner()
    if installed:
        doors["`runner`, from the wheel"] = installed
    fill(folder, next(iter(doors.values())))

    def case(argv: list[str], where: Path = folder) -> Callable[[], float]:
        return lambda: common.wall(argv, where)

    cases = {"floor": case([sys.executable, "floor.py", "empty.py"]), "alone": case([sys.executable, "empty.py"])}
    cases |= {door: case([*argv, "empty.py"]) for door, argv in doors.items()}
    tree = _repository(folder)
    if tree is not None:
        cases["tree"] = case([*next(iter(doors.values())), "empty.py"], tree)
    others = common.competitors(folder)
    command = [sys.executable, "empty.py"]
    for name, argv in others.items():
        if argv:
            cases[name] = case([*argv, shlex.join(command)] if common.in_one_word(name) else [*argv, *command])
    medians = common.interleaved(cases, rounds)

    floor = medians["floor"]
    result: list[Row] = [
        (f"floor: an interpreter that spawns and waits, {rounds} rounds", f"{floor * 1000:.1f} ms", "", True),
        ("the empty script alone", f"{medians['alone'] * 1000:.1f} ms", "", True),
    ]
    for door in doors:
        ratio = medians[door] / floor
        figure = f"{medians[door] * 1000:.1f} ms = {ratio:.2f} x floor"
        result.append((f"{door}, history on", figure, f"<= {BOUND} (aim 1.3)", ratio <= BOUND))
    if tree is not None:
        figure = f"{medians['tree'] * 1000:.1f} ms = {medians['tree'] / floor:.2f} x floor"
        result.append(("the first of them in a git repository", figure, "", True))
    if not installed:
        result.append(("`runner`, from the wheel", "not installed", "", True))
    for name, argv in others.items():
        figure = f"{medians[name] * 1000:.1f} ms = {medians[name] / floor:.2f} x floor" if argv else "not installed"
        result.append((f"beside it: {name}", figure, "", True))
    return result


if __name__ == "__main__":
    common.print_table(__doc__ or "", rows())
