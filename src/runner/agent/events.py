"""What an agent tells about an attempt while it lasts: typed, versioned, raw counters only.

The panel, alerts during a run, ``logs --follow``, the dashboard and the store read this one stream. In one process the
objects are handed over as they are; across processes each is one JSON line (`encode`, `decode`). What the counters
mean to a person is the metric catalog's business.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Union

VERSION = 1

# How an attempt ended (`Ended.reason`).
EXITED = "exited"
SIGNALED = "signaled"
TIMEOUT = "timeout"
LIMIT = "limit"
CANCELLED = "cancelled"  # the script died of a signal that came to the runner
OOM_KILLED = "oom-killed"
LOST = "lost"
FAILED_TO_START = "failed-to-start"
SKIPPED = "skipped"  # not started, since a run that excludes it was running

#: Gauges and counters of one sample, for the whole tree. Counters only ever rise.
SAMPLE_FIELDS = (
    "cpu_seconds",  # counter: user and system CPU of the tree so far
    "cpu_percent",  # rate since the previous sample, 100 = one core
    "memory_bytes",  # resident (or proportional) memory of the tree at this moment
    "memory_peak_bytes",  # as above, with each process whose high-water mark rose since the last sample counted at it
    "processes",
    "threads",
    "fds",
    "read_bytes",  # counter: fetched from storage
    "write_bytes",  # counter: sent to storage
    "read_chars",  # counter: passed through read calls, page cache and pipes included
    "write_chars",
)


class Event:
    """One thing that happened; `name` says which, `t` when, in seconds since the script was started."""

    __slots__ = ("t",)
    name = ""
    t: float

    def fields(self) -> dict[str, Any]:
        """Return everything but the name, as data that JSON can carry."""
        return {slot: getattr(self, slot) for slot in ("t", *self.__slots__)}


class Started(Event):
    """The script runs.

    Attributes:
        time: Wall clock at the start, in nanoseconds since the epoch, UTC.
        pid: Process id of the script.
        ticks: Start of the process in clock ticks since boot (with `boot_id` it identifies a process for good).
        boot_id: Identity of this boot of the host, or "" where the system has none.
        host: Facts of the machine: ``hostname``, ``kernel``, ``platform``, ``machine``, ``cores``, ``memory_bytes``.
        streams: Where output goes: ``{"stdout": kind, "stderr": kind, "merged": bool}``; kinds ``pty``, ``pipe``,
            ``file``, ``direct`` and ``closed``.
    """

    __slots__ = ("boot_id", "host", "pid", "streams", "ticks", "time")
    name = "started"

    def __init__(
        self, t: float, time: int, pid: int, ticks: int, boot_id: str, host: dict[str, Any], streams: dict[str, Any]
    ) -> None:
        self.t = t
        self.time = time
        self.pid = pid
        self.ticks = ticks
        self.boot_id = boot_id
        self.host = host
        self.streams = streams


class Sample(Event):
    """The tree at one moment; `values` follows `SAMPLE_FIELDS`, None where the system does not tell."""

    __slots__ = ("span", "values")
    name = "sample"

    def __init__(self, t: float, span: float, values: list[float | None]) -> None:
        self.t = t
        #: Seconds since the previous sample: the weight of this one in an average.
        self.span = span
        self.values = values


class Output(Event):
    """New output of the script, told at most once a tick.

    Attributes:
        stream: ``"stdout"`` or ``"stderr"``; merged output is ``"stdout"``.
        offset: Position of `data` in the stream, in bytes. What lies between two events was not kept.
        data: The bytes, as the script wrote them.
        size: Bytes of the stream so far.
        lines: Newlines in the stream so far.
    """

    __slots__ = ("data", "lines", "offset", "size", "stream")
    name = "output"

    def __init__(self, t: float, stream: str, offset: int, data: bytes, size: int, lines: int) -> None:
        self.t = t
        self.stream = stream
        self.offset = offset
        self.data = data
        self.size = size
        self.lines = lines


class Signal(Event):
    """A signal came to the agent, or was sent by it.

    Attributes:
        number: The signal.
        sender: Process id of the sender, 0 for the kernel or the terminal.
        action: ``forwarded`` to the script, ``seen`` (the script had it already, or sent it), ``refused`` (the script
            is another user's) or ``sent`` (timeout, limit, cancel).
    """

    __slots__ = ("action", "number", "sender")
    name = "signal"

    def __init__(self, t: float, number: int, sender: int, action: str) -> None:
        self.t = t
        self.number = number
        self.sender = sender
        self.action = action


class Ended(Event):
    """The attempt is over; `t` is its wall time by the monotonic clock.

    Attributes:
        reason: One of the constants above.
        exit_code: As a shell would show it: the script's own, 128+N after signal N, 124 after a timeout or limit,
            126 or 127 where it could not be started.
        signal: The signal that ended the script, or None.
        message: What ended it, where the agent knows: the timeout, the system's error.
        usage: Final counters of the tree, by the names in `USAGE_FIELDS`; None where the system does not tell.
        output: ``{"stdout": [bytes, lines] | None, "stderr": ... | None, "merged": bool}``; None means not captured.
        survivors: Descendants that outlived the script and were left alone.
        weaker: Why a counter is worth less than its usual kind: ``{field: [kind, reason]}``.
        limit: The limit that ended it: which (see `runner.agent.limits`), what it allows, and with what it was reached,
            in bytes or seconds; None for no limit.
    """

    __slots__ = ("exit_code", "limit", "message", "output", "reason", "signal", "survivors", "usage", "weaker")
    name = "ended"

    def __init__(
        self,
        t: float,
        reason: str,
        exit_code: int | None,
        signal: int | None = None,
        message: str | None = None,
        usage: dict[str, float | None] | None = None,
        output: dict[str, Any] | None = None,
        survivors: int = 0,
        weaker: dict[str, list[str]] | None = None,
        limit: list[Any] | None = None,
    ) -> None:
        self.t = t
        self.reason = reason
        self.exit_code = exit_code
        self.signal = signal
        self.message = message
        self.usage = usage or {}
        self.output = output or {"stdout": None, "stderr": None, "merged": False}
        self.survivors = survivors
        self.weaker = weaker or {}
        self.limit = limit


#: Final counters of the whole tree (`Ended.usage`).
USAGE_FIELDS = (
    "user_seconds",
    "system_seconds",
    "max_process_bytes",  # peak resident memory of the largest process
    "faults_minor",
    "faults_major",
    "switches_voluntary",
    "switches_involuntary",
    "read_bytes",
    "write_bytes",
    "read_chars",
    "write_chars",
)

EVENTS: dict[str, type[Event]] = {cls.name: cls for cls in (Started, Sample, Output, Signal, Ended)}

if TYPE_CHECKING:
    Tell = Callable[[Event], None]
    Json = Union[None, bool, int, float, str, list[Any], dict[str, Any]]


def _refuse(value: Any) -> Any:
    raise TypeError(f"{value!r} is no plain data")


def _make_dumps() -> Callable[[Any], str]:
    # `import json` costs 6 ms (it compiles regular expressions); its C encoder alone costs nothing.
    try:
        from _json import encode_basestring_ascii, make_encoder

        # (markers, default, encoder, indent, separators, sort_keys, skipkeys, allow_nan)
        encode_object = make_encoder(None, _refuse, encode_basestring_ascii, None, ":", ",", False, False, True)
        encode_object({"probe": [1, 0.5, None, True]}, 0)
    except (ImportError, TypeError):
        import json

        return json.JSONEncoder(separators=(",", ":")).encode
    return lambda data: "".join(encode_object(data, 0))


#: ``json.dumps`` without its import: compact, ASCII only.
dumps: Callable[[Any], str] = _make_dumps()


def _make_loads() -> Callable[[Any], Any]:
    try:
        from _json import make_scanner

        class Context:
            strict = True
            object_hook = object_pairs_hook = None
            parse_float, parse_int = float, int
            parse_constant = {name: float(name) for name in ("NaN", "Infinity", "-Infinity")}.__getitem__
            memo: dict[str, str] = {}

        scan = make_scanner(Context())  # type: ignore[arg-type]
        scan('{"probe": [1, 0.5, null, true]}', 0)
    except (ImportError, TypeError, AttributeError):
        import json

        return json.loads

    def loads(text: Any) -> Any:
        data = (text if isinstance(text, str) else str(text, "utf-8")).strip(" \t\r\n")
        try:
            value, end = scan(data, 0)
        except StopIteration as stop:
            raise ValueError(f"no JSON at position {stop.value}") from None
        if end != len(data):
            raise ValueError(f"more than one JSON value, from position {end} on")
        return value

    return loads


#: ``json.loads`` without its import, which costs 3 ms.
loads: Callable[[Any], Any] = _make_loads()


def encode(event: Event) -> str:
    """Return one event as one line of JSON, without the newline."""
    data = event.fields()
    if isinstance(event, Output):
        from binascii import b2a_base64

        data["data"] = b2a_base64(event.data, newline=False).decode("ascii")
    data["event"] = event.name
    data["v"] = VERSION
    return dumps(data)


def decode(line: str) -> Event:
    """Build an event from one line of `encode`.

    Raises:
        ValueError: The line is no event, or one of a newer version.
    """
    import json

    data = json.loads(line)
    if not isinstance(data, dict) or data.pop("v", None) != VERSION:
        raise ValueError(f"not an event of version {VERSION}: {line[:80]!r}")
    cls = EVENTS.get(data.pop("event", ""))
    if cls is None:
        raise ValueError(f"unknown event: {line[:80]!r}")
    if cls is Output:
        from binascii import a2b_base64

        data["data"] = a2b_base64(data["data"])
    try:
        return cls(**data)
    except TypeError as error:
        raise ValueError(f"incomplete event: {error}") from None
