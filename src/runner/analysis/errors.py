"""Which class an error is of, and what such an error usually means: a first hint for whoever was woken by it."""

from __future__ import annotations

from runner.agent.events import CANCELLED, LOST, OOM_KILLED, SIGNALED
from runner.agent.events import LIMIT as LIMIT_REACHED
from runner.agent.events import TIMEOUT as TIMED_OUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MEMORY, DISK, NETWORK, PERMISSION, DEPENDENCY = "memory", "disk", "network", "permission", "dependency"
TIMEOUT, DATA, SYNTAX, KILLED, LIMIT, OTHER = "timeout", "data", "syntax", "killed", "limit", "other"

#: Class -> what it usually means and what to look at, in a few words.
MEANINGS: dict[str, str] = {
    MEMORY: "it needed more memory than there was: see its curve, give it more, or let it read in parts",
    DISK: "the disk or a quota is full, or broken: look at df and at the log of the kernel",
    NETWORK: "the other side did not answer or was not found: is it up, are name and port right?",
    PERMISSION: "this user may not do that: look at owner and mode, or at what the service allows",
    DEPENDENCY: "something it needs is not installed, or not where it looks: which environment ran it?",
    TIMEOUT: "it or what it waited for took too long: is it slower than usual, or stuck?",
    DATA: "the input is not as the code expects it: look at what was read",
    SYNTAX: "the code can't be read: was it edited by half, or meant for another version?",
    KILLED: "somebody or something ended it: a person, a supervisor, or the kernel for want of memory",
    LIMIT: "it crossed a limit that was set for it",
    OTHER: "",
}

#: Names of exceptions, without their modules.
_TYPES: dict[str, str] = {
    name: kind
    for kind, names in {
        MEMORY: "MemoryError OutOfMemoryError OOMError OutOfMemory ArrayMemoryError",
        NETWORK: "ConnectionError ConnectionRefusedError ConnectionResetError ConnectionAbortedError BrokenPipeError"
        " gaierror herror SSLError SSLCertVerificationError URLError MaxRetryError NewConnectionError ProxyError"
        " ConnectError RemoteDisconnected IncompleteRead NetworkError UnknownHostException ConnectException"
        " SocketException ClientConnectorError ServerDisconnectedError OperationalError",
        PERMISSION: "PermissionError AccessDenied AccessDeniedException Forbidden Unauthorized AuthenticationError"
        " SMTPAuthenticationError NoCredentialsError",
        DEPENDENCY: "ModuleNotFoundError ImportError DistributionNotFound PackageNotFoundError NoClassDefFoundError"
        " ClassNotFoundException LoadError",
        TIMEOUT: "TimeoutError ReadTimeout ConnectTimeout Timeout TimeoutExpired ReadTimeoutError DeadlineExceeded"
        " SocketTimeoutException",
        SYNTAX: "SyntaxError IndentationError TabError",
        DATA: "ValueError KeyError IndexError TypeError AttributeError UnicodeDecodeError UnicodeEncodeError"
        " JSONDecodeError ParserError ParseError LookupError ZeroDivisionError AssertionError NullPointerException"
        " NumberFormatException EOFError UnpicklingError BadZipFile IntegrityError DataError ValidationError"
        " OverflowError",
    }.items()
    for name in names.split()
}

#: Words of messages, in lower case, the telling ones first.
_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (DISK, ("no space left on device", "disk quota exceeded", "disk full", "read-only file system",
            "input/output error", "database or disk is full", "errno 28")),
    (MEMORY, ("out of memory", "cannot allocate memory", "unable to allocate", "heap out of memory",
              "allocation failed", "bad_alloc", "memory limit")),
    (DEPENDENCY, ("no module named", "command not found", "cannot find module", "cannot open shared object",
                  "no such module", "could not find a version", "not recognized as an internal", "glibc")),
    (PERMISSION, ("permission denied", "access denied", "operation not permitted", "authentication failed", "forbidden",
                  "unauthorized", "access is denied", "not authorized", "403 client error", "401 client error")),
    (NETWORK, ("connection refused", "connection reset", "could not resolve host", "name or service not known",
               "temporary failure in name resolution", "network is unreachable", "no route to host",
               "connection timed out", "certificate verify failed", "server did not answer", "econnrefused",
               "getaddrinfo", "502 bad gateway", "503 service unavailable", "504 gateway")),
    (TIMEOUT, ("timed out", "timeout", "deadline exceeded")),
    (SYNTAX, ("syntax error", "unexpected token", "parse error")),
    (DATA, ("no such file or directory", "not a directory", "is a directory", "invalid", "not found", "unexpected")),
)  # fmt: skip

#: How an attempt ended, where that says it all.
_REASONS = {
    TIMED_OUT: TIMEOUT, LIMIT_REACHED: LIMIT, OOM_KILLED: MEMORY, SIGNALED: KILLED, CANCELLED: KILLED, LOST: KILLED,
}  # fmt: skip


def classify(error_type: str | None, message: str | None, reason: str = "", output: Iterable[str] = ()) -> str:
    """Return the class of an error.

    Args:
        error_type: Exception class with or without its module, ``exit:N``, ``signal:N``, ``limit:memory`` and the like.
        message: What it said.
        reason: How the attempt ended (`agent.events`), "" if that is not known.
        output: Last lines of the output, looked at only where nothing else tells.

    Returns:
        One of the keys of `MEANINGS`; `OTHER` where nothing tells.
    """
    if reason in _REASONS:
        return _REASONS[reason]
    name = (error_type or "").rpartition(".")[2]
    said = _by_words(f"{error_type or ''} {message or ''}")
    # An OSError or a RuntimeError says in words what it is; of a KeyError the words are the input's.
    by_type = _TYPES.get(name)
    if by_type is not None and not (by_type in (DATA, NETWORK) and said in (MEMORY, DISK, PERMISSION)):
        return by_type
    if said is not None:
        return said
    if name.startswith("exit:") or not name:
        for line in reversed(list(output)):
            found = _by_words(line)
            if found is not None and found != DATA:
                return found
    return OTHER


def _by_words(text: str) -> str | None:
    lowered = text.lower()
    for kind, words in _WORDS:
        if any(word in lowered for word in words):
            return kind
    return None
