"""A job that needs a second chance: the first two times it can't reach its server, the third time it can."""

import pathlib
import sys

STATE = pathlib.Path("flaky.attempts")
FAILURES = 2


def fetch() -> str:
    attempts = int(STATE.read_text()) if STATE.exists() else 0
    if attempts < FAILURES:
        STATE.write_text(str(attempts + 1))
        raise ConnectionError(f"server did not answer (attempt {attempts + 1})")
    STATE.unlink()
    return "42 records"


if __name__ == "__main__":
    print("fetching ...", file=sys.stderr)
    print(f"fetched {fetch()}")
