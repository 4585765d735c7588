"""Whatever is wrong with the runner itself, the script runs to its end and its end is the command's."""

from __future__ import annotations

import pytest

#: Breaks one part of the runner, at one place, as a bug in it would.
BREAK = """
import sys
import {module} as module
def broken(*args, **kwargs):
    raise TypeError("broken part")
setattr(module{owner}, "{name}", broken)
from runner.cli.main import main
main()
"""

PARTS = [
    ("runner.model.fold", ".Fold", "tell"),
    ("runner.model.metrics", "", "evaluate"),
    ("runner.engine.description", "", "Description"),
    ("runner.engine.failure", "", "name_failure"),
    ("runner.engine.record", ".Recorder", "finish"),
    ("runner.stores.journal", ".Journal", "tell"),
    ("runner.cli.output", "", "summarize"),
]


@pytest.mark.parametrize(("module", "owner", "name"), PARTS)
@pytest.mark.parametrize(("ending", "code"), [("sys.exit(7)", 7), ("os.kill(os.getpid(), 15)", -15)])
def test_a_broken_part_never_becomes_the_scripts_trouble(runner, module, owner, name, ending, code):
    steps = ["import os, sys, time", "print('begun', flush=True)"]
    steps += ["time.sleep(0.3)", "print('done', flush=True)", ending]
    script = runner.script("\n".join(steps))
    (runner.cwd / "broken.py").write_text(BREAK.format(module=module, owner=owner, name=name))
    runner.argv = [runner.argv[0], "broken.py"]
    result = runner(script)
    assert result.exit_code == code
    assert result.out == "begun\ndone\n"
    assert "TypeError: broken part" in result.err
    assert "Traceback" not in result.err
