"""Messages like real ones."""

from __future__ import annotations

from typing import Any

from runner.model.notification import CRITICAL, FIRE, Notification

#: Text with all that a format could take for its own.
HOSTILE = (
    "<b>&\"' \u202e *_`[x](http://y) @everyone <!channel> \x1b[31m ```\r\nBcc: eve@example.com\r\n\0 "
    "\U0001f600 %s {title} \u00e9"
)


def notification(**changes: Any) -> Notification:
    values: dict[str, Any] = {
        "id": "0123456789abcdef0123456789abcdef",
        "kind": FIRE,
        "severity": CRITICAL,
        "title": "backup.py failed: disk full",
        "alerts": [
            {"rule": "failed", "severity": CRITICAL, "kind": FIRE, "condition": "not success",
             "text": "exit code 1", "more": 3},
        ],
        "lines": ["backup.py --to /mnt took 4 min 05 s, usually 2 min"],
        "figures": [("wall", "4 min 05 s"), ("peak memory", "1.2 GB")],
        "metrics": {"execution_time_seconds": 245.0},
        "output": ["copying ...", "OSError: [Errno 28] No space left on device"],
        "curve": [(float(second), 100.0 + 50 * (second % 7)) for second in range(60)],
        "script": "backup.py",
        "script_key": "/srv/backup.py",
        "run_id": "0123456789ab",
        "host": "worker-7",
        "user": "alice",
        "command": "backup.py --to /mnt",
        "time": 1_769_860_800_000_000_000,
        "started": 1_769_860_500_000_000_000,
        "ended": 1_769_860_745_000_000_000,
        "success": False,
        "exit_code": 1,
        "reason": "exited",
        "error": "OSError: [Errno 28] No space left on device",
    }  # fmt: skip
    return Notification(**{**values, **changes})


def hostile() -> Notification:
    return notification(
        title=HOSTILE,
        alerts=[
            {"rule": HOSTILE, "severity": CRITICAL, "kind": FIRE, "condition": HOSTILE, "text": HOSTILE * 50, "more": 0}
            for _ in range(100)
        ],
        lines=[HOSTILE * 20] * 100,
        figures=[(HOSTILE, HOSTILE * 100)] * 60,
        output=[HOSTILE * 30] * 1000,
        script=HOSTILE,
        host=HOSTILE,
        user=HOSTILE,
        command=HOSTILE,
        error=HOSTILE,
    )


def bare() -> Notification:
    return Notification("0" * 32, FIRE, "INFO", "x")
