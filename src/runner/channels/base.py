"""What a channel is: it hands one message to somebody, or says whether it is worth trying again."""

from __future__ import annotations

from runner.options import Unset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar, Protocol

    from runner.model.notification import Notification

    class Channel(Protocol):
        """A way to reach people.

        Attributes:
            SETTINGS: JSON Schema of its section in a configuration file.
            spawns: Whether it starts processes, which must not happen while a script is being measured.
        """

        SETTINGS: ClassVar[Mapping[str, Any]]
        spawns: ClassVar[bool]

        def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
            """Make a channel; nothing is connected to yet.

            Args:
                name: What alerts call it.
                settings: What its section says, checked against `SETTINGS`.

            Raises:
                UsageError: The settings can't work.
            """

        def send(self, notification: Notification, deadline: float) -> None:
            """Hand over one message; several threads may do so at once.

            Args:
                notification: The message.
                deadline: When to give up, by `time.monotonic`.

            Raises:
                Passing: It was not taken, and may be later.
                Permanent: It was not taken, and never will be as things are.
                Partly: Not everybody got it; it says whether it is to be sent to the others again.
            """


class Undelivered(Exception):
    """A message was not taken; the text says why in a few words, and holds no secret."""


class Passing(Undelivered):
    """It may be taken later.

    Args:
        reason: Why not now.
        retry_after: Seconds that the other side asks to wait, None where it does not say.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Permanent(Undelivered):
    """It will not be taken as long as nobody mends what is wrong."""


class Partly(Undelivered):
    """Some of those whom it is for have not got it, and with others nothing is left to be done.

    Args:
        reason: Who has not got it, and why.
        settled: Those with whom nothing is left to be done, and the code that each answered: the message waits for the
            others alone, and is handed over with these as `Notification.settled`. None where it waits for nobody, so
            that it is not sent again.
    """

    def __init__(self, reason: str, settled: Mapping[str, int] | None = None) -> None:
        super().__init__(reason)
        self.settled = settled


def left(deadline: float) -> float:
    """Return the seconds until a deadline.

    Raises:
        Passing: It is past.
    """
    from time import monotonic

    seconds = deadline - monotonic()
    if seconds <= 0:
        raise Passing("there was no time left")
    return seconds


def given(settings: Mapping[str, Any], key: str, default: Any) -> Any:
    """Return a setting; the default where it says nothing, or what it says can't be known (see `require`)."""
    value = settings.get(key)
    return default if value is None or isinstance(value, Unset) else value


def require(value: object, what: str) -> None:
    """See that no setting names an environment variable that is not set: without it, it means another thing.

    Args:
        value: The settings, or one of them.
        what: What messages call them.

    Raises:
        Permanent: One is not set; the text says which, and where it is named.
    """
    if isinstance(value, Unset):
        raise Permanent(f"{what}: the environment variable {value.name} is not set")
    if isinstance(value, dict):
        for key, inner in value.items():
            require(inner, f"{what}: {key}")
    elif isinstance(value, list):
        for inner in value:
            require(inner, what)


def reveal(value: object, what: str) -> str:
    """Return a secret: the text itself, or what it points to.

    Args:
        value: The text; ``file:PATH`` is what stands in that file, ``keyring:SERVICE/USER`` what the system's keyring
            holds.
        what: What messages call it.

    Raises:
        Permanent: It can't be had.
    """
    require(value, what)
    text = str(value or "")
    kind, colon, place = text.partition(":")
    if colon and kind == "file":
        from os.path import expanduser

        try:
            with open(expanduser(place), encoding="utf-8") as file:
                return file.read().strip()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise Permanent(f"{what}: {place} can't be read: {reason}") from None
    if colon and kind == "keyring":
        return _from_keyring(place, what)
    return text


def _from_keyring(place: str, what: str) -> str:
    service, _, user = place.rpartition("/")
    try:
        import keyring  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise Permanent(f"{what}: keyring:{place} needs the extra keyring (pip install 'python-script-runner[keyring]')"
                        ) from None  # fmt: skip
    try:
        found = keyring.get_password(service, user)
    except Exception as error:  # each backend has its own
        raise Permanent(f"{what}: the keyring can't be read ({type(error).__name__})") from None
    if found is None:
        raise Permanent(f"{what}: the keyring holds nothing for {user} of {service}")
    return str(found)


def clip(text: str, most: int) -> str:
    """Return a text of at most that many characters, the last one an ellipsis if it was cut."""
    return text if len(text) <= most else text[: most - 1] + "…"


def tail(lines: list[str], most: int) -> str:
    """Return the last lines that fit into so many characters."""
    kept: list[str] = []
    room = most
    for line in reversed(lines):
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    if not kept and lines:
        return lines[-1][-most:]
    return "\n".join(reversed(kept))
