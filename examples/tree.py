"""A job that leaves its work to others: three processes, each of which starts one more, burn CPU and hold memory."""

import subprocess
import sys
import time


def start(depth: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, __file__, str(depth)])


def worker(depth: int) -> None:
    child = start(depth - 1) if depth > 1 else None
    held = b"x" * (30 << 20)
    end = time.process_time() + 0.3
    while time.process_time() < end:
        held.count(b"y")
    if child:
        child.wait()


def main() -> None:
    began = time.perf_counter()
    for each in [start(2) for _ in range(3)]:
        each.wait()
    print(f"6 processes worked for {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        worker(int(sys.argv[1]))
    else:
        main()
