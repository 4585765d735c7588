"""Process trees that are hard to end: ``trees.py KIND MARK``; each process has MARK among its arguments."""

import os
import signal
import sys
import time

kind = sys.argv[1]


def stand():
    """Say that the tree stands, and stay."""
    os.write(9, b"!")
    time.sleep(60)


def ignore_term():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


if kind == "polite":
    # Tidies up when it is asked to end, with the help of another process.
    def tidy(number, frame):
        os.system("sleep 0.2; touch " + sys.argv[3])
        os._exit(0)

    signal.signal(signal.SIGTERM, tidy)
    stand()
elif kind == "scattered":
    # Processes that left their group and session, orphans among them, all deaf to TERM.
    ignore_term()
    for number in range(40):
        if os.fork() == 0:
            if number % 2:
                os.setsid()
            if number % 3 == 0 and os.fork():
                os._exit(0)
            os.fork()
            time.sleep(60)
            os._exit(0)
    time.sleep(0.2)
    stand()
elif kind == "fleeing":
    # Four that replace themselves every 3 ms.
    ignore_term()
    for _ in range(4):
        if os.fork() == 0:
            os.setsid()
            while True:
                if os.fork():
                    os._exit(0)
                time.sleep(0.003)
    time.sleep(0.05)
    stand()
elif kind == "stopped":
    if os.fork() == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(60)
    time.sleep(0.1)
    os.write(9, b"!")
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(60)
elif kind == "headless":
    # The root is gone, what it started is not.
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            ignore_term()
            stand()
    time.sleep(0.1)
