"""A job that holds on to memory: 20 MB more with every batch, released only at the end.

Usage: leaky.py [BATCHES]
"""

import sys
import time

MB = 1 << 20


def main() -> None:
    batches = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    kept = []
    for number in range(1, batches + 1):
        kept.append(b"x" * (20 * MB))  # writes to every page, so that the memory is really used
        print(f"batch {number}: {20 * number} MB in use", flush=True)
        time.sleep(0.1)


if __name__ == "__main__":
    main()
