"""Takes secrets out of the line by which other users of the machine see this process."""

from __future__ import annotations


def hide(secrets: list[str]) -> bool:
    """Write asterisks over texts in this process's own command line, where the system lets us (Linux).

    Others can read the line for the few milliseconds before; an environment variable is never seen by them.

    Args:
        secrets: The texts.

    Returns:
        Whether all of them are gone.
    """
    wanted = [secret.encode("utf-8", "surrogateescape") for secret in secrets if secret]
    try:
        with open("/proc/self/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        # The 48th and 49th field of the file: where the arguments begin and end in our memory.
        start, end = int(fields[45]), int(fields[46])
        import ctypes

        line = ctypes.string_at(start, end - start) if 0 < start < end else b""
        for secret in wanted:
            at = line.find(secret)
            while at >= 0:
                ctypes.memset(start + at, ord("*"), len(secret))
                at = line.find(secret, at + len(secret))
        with open("/proc/self/cmdline", "rb") as file:
            shown = file.read()
    except (OSError, ValueError, IndexError, ImportError):
        return False
    return not any(secret in shown for secret in wanted)
