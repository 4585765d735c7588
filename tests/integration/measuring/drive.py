"""Run one command as the agent's main loop would, measure it, and print what came of it as JSON."""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time

from runner.agent import portable, proc
from runner.agent.sampler import Sampler

PR_SET_CHILD_SUBREAPER = 36


def ended_child() -> int:
    if hasattr(os, "waitid"):
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        return found.si_pid if found else 0
    from runner.agent import tree

    zombies = [pid for pid in tree.children(os.getpid()) if tree.is_zombie(pid)]
    return zombies[0] if zombies else 0


def start(argv: list) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            os.execvp(argv[0], argv)
        finally:
            os._exit(127)
    return pid


def measure(argv: list, interval: float, memory: str, backend: str, survivors: str) -> dict:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    begin = time.monotonic()
    script = start(argv)
    sampler = Sampler(os.getpid(), memory, set(), backend={"proc": proc, "portable": portable}[backend])
    samples = []
    spent = slots = taken = 0
    due = interval
    status = rusage = None
    while rusage is None:
        pid = ended_child()
        if pid:
            sampler.last_look(pid)
            _, its_status, its_rusage = os.wait4(pid, 0)
            if pid == script:
                status, rusage = its_status, its_rusage
            else:
                sampler.reaped(its_rusage, pid)
            continue
        now = time.monotonic() - begin
        if now >= due:
            before = time.process_time_ns()
            samples.append((now, *sampler.take(now)))
            spent += time.process_time_ns() - before
            slots += 1
            taken += now < due + interval
            due += interval * max(1, int((now - due) / interval) + 1)
        time.sleep(max(min(due - (time.monotonic() - begin), 0.005), 0))
    wall = time.monotonic() - begin
    left = sampler.survivors()
    usage, weaker = sampler.finish(rusage)
    for pid in left if survivors == "kill" else ():
        os.kill(pid, 9)
    return {
        "status": status, "wall": wall, "usage": usage, "weaker": weaker, "survivors": len(left), "samples": samples,
        "rusage": {"cpu": rusage.ru_utime + rusage.ru_stime, "maxrss": rusage.ru_maxrss * 1024}, "spent": spent / 1e9,
    }  # fmt: skip


if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    with open(options.pop("out"), "w") as file:
        json.dump(measure(**options), file)
