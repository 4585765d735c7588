"""A process that remembers one run as a runner does: ``worker.py DATABASE NUMBER [wait|die]``.

It prints ``ready`` once the journal is written, with ``wait`` it waits for its standard input to end, with ``die`` it
kills itself before the end of the run. At the end it prints each line that a runner would say.
"""

from __future__ import annotations

import os
import sys

from runner.engine.record import Recorder
from runner.engine.run_options import RecordOptions
from runner.model.fold import Fold
from tests.unit.stores.made import events, run_of


def main() -> None:
    database, number, *actions = sys.argv[1:]
    run = run_of(int(number))
    recorder = Recorder(RecordOptions(history_db=database), os.getcwd(), run)
    fold = Fold(1)
    recorder.begin(fold.attempt)
    told = list(events(run, int(number)))
    for event in told[: -1 if "die" in actions else None]:
        fold.tell(event)
        recorder.tell(event, 1)
    print("ready", flush=True)
    if "wait" in actions:
        sys.stdin.read()
    if "die" in actions:
        os.kill(os.getpid(), 9)
    run.attempts = [fold.attempt]
    for line in recorder.finish(run):
        print(line)


if __name__ == "__main__":
    main()
