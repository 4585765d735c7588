"""Starts a tree, ends it as the runner does, and tells what was done: ``end.py KILL_AFTER COMMAND...``.

The command writes a byte to descriptor 9 when its tree stands.
"""

import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), *[".."] * 3, "src"))

from runner.agent import libc
from runner.agent.ending import Ending


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


libc.prctl(libc.PR_SET_CHILD_SUBREAPER, 1)
spared = subprocess.Popen(["sleep", "60"])
read_end, write_end = os.pipe()
os.dup2(write_end, 9)
os.set_inheritable(9, True)
subprocess.Popen(sys.argv[2:], close_fds=False)
os.close(write_end)
os.close(9)
os.read(read_end, 1)
ending = Ending(os.getpid(), float(sys.argv[1]), {spared.pid})
ending.begin()
began = time.monotonic()
asked = len(ending.sent)
while not ending.finished:
    time.sleep(min(max(ending.due - time.monotonic(), 0), 0.05))
    reap()
    if time.monotonic() >= ending.due:
        ending.step()
took = time.monotonic() - began
alive = spared.poll() is None
spared.kill()
spared.wait()
names = {15: "TERM", 18: "CONT", 19: "STOP", 9: "KILL"}
sent = [names[number] for number, _ in ending.sent]
print(json.dumps({"asked": asked, "sent": sent, "took": took, "left": sorted(ending.left), "spared": alive}))
