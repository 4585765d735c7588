"""Checks an installation: ``python runner.py test_script.py`` prints a few lines, works a little, and ends well."""

import os
import sys
import tempfile
import time


def main() -> int:
    print(f"Python {sys.version.split()[0]}, process {os.getpid()}")

    end = time.process_time() + 0.2
    rounds = 0
    while time.process_time() < end:
        rounds += sum(range(1000)) > 0
    print("CPU: worked for 0.2 s")

    held = bytearray(32 << 20)
    held[::4096] = b"x" * len(held[::4096])
    print(f"Memory: held {len(held) >> 20} MB")

    with tempfile.TemporaryFile() as file:
        file.write(bytes(1 << 20))
        file.flush()
        os.fsync(file.fileno())
    print("Disk: wrote 1 MB")

    print("This line goes to standard error", file=sys.stderr)
    print("Done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
