"""Which class an error is of, and what such an error usually means: a first hint for whoever was woken by it."""

from __future__ import annotations

from runner.agent.events import CANCELLED, LOST, OOM_KILLED, SIGNALED
from runner.agent.events import LIMIT as LIMIT_REACHED
from runner.agent.events import TIMEOUT as TIMED_OUT
from runner.analysis.failure import CRASHES, signal_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MEMORY, DISK, NETWORK, PERMISSION, DEPENDENCY = "memory", "disk", "network", "permission", "dependency"
TIMEOUT, DATA, SYNTAX, KILLED, CRASH = "timeout", "data", "syntax", "killed", "crash"
LIMIT, OTHER = "limit", "other"

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
    CRASH: "native code crashed or gave up, its own or a library's: see its core dump, or set PYTHONFAULTHANDLER=1",
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
        " SocketException ClientConnectorError ServerDisconnectedError",
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

#: Words of messages, in lower case, the telling ones first; a space at the beginning stands for that of a word.
_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (DISK, ("no space left on device", "disk quota exceeded", "disk full", "read-only file system",
            "input/output error", "database or disk is full", "disk i/o error", "errno 28")),
    (MEMORY, ("out of memory", "outofmemoryerror", "cannot allocate memory", "unable to allocate", "allocation failed",
              "bad_alloc", "memory limit", "allowed memory size", "oomkilled")),
    (DEPENDENCY, ("no module named", "command not found", "cannot find module", "cannot find package",
                  "cannot open shared object", "no such module", "could not find a version", "glibc",
                  "not recognized as an internal", "cannot load such file", " in @inc", "failed opening required",
                  "classnotfoundexception", "could not find or load main class", "unable to access jarfile")),
    (CRASH, ("segmentation fault", "sigsegv", "core dumped", " bus error", "illegal instruction",
             "floating point exception", "stack smashing", "double free", "heap corruption", "addresssanitizer",
             "fatal python error")),
    (PERMISSION, ("permission denied", "access denied", "operation not permitted", "authentication failed", "forbidden",
                  "unauthorized", "access is denied", "not authorized", "403 client error", "401 client error",
                  "readonly database")),
    (NETWORK, ("connection refused", "connection reset", "could not resolve host", "name or service not known",
               "temporary failure in name resolution", "network is unreachable", "no route to host",
               "connection timed out", "certificate verify failed", "server did not answer", "econnrefused",
               "getaddrinfo", "502 bad gateway", "503 service unavailable", "504 gateway", "could not connect",
               "can't connect", "cannot connect", "lost connection", "server has gone away",
               "server closed the connection", "could not translate host name")),
    (TIMEOUT, ("timed out", "timeout", "deadline exceeded", "database is locked", "table is locked", "deadlock")),
    (SYNTAX, ("syntax error", "unexpected token", "parse error")),
    (KILLED, (" killed",)),
    (DATA, ("no such file", "not a directory", "is a directory", "can't cd to", "invalid", "not found", "unexpected",
            "no such table", "no such column", "does not exist", "malformed", "unable to open database",
            "out of bounds", "out of range")),
)  # fmt: skip

#: Characters of a message that are looked at.
_LONGEST = 4000

#: How an attempt ended, where that says it all.
_REASONS = {
    TIMED_OUT: TIMEOUT, LIMIT_REACHED: LIMIT, OOM_KILLED: MEMORY, SIGNALED: KILLED, CANCELLED: KILLED, LOST: KILLED,
}  # fmt: skip
#: Signals that end a program which used up what it was allowed.
_USED_UP = ("SIGXCPU", "SIGXFSZ")
#: What shells make of the end of a command that they ran: 128 and the signal, or that there was nothing to run.
_BY_SIGNAL = {
    "exit:130": KILLED, "exit:132": CRASH, "exit:134": CRASH, "exit:135": CRASH, "exit:136": CRASH, "exit:137": KILLED,
    "exit:139": CRASH, "exit:143": KILLED,
}  # fmt: skip
_NOTHING_RUN = {"exit:126": PERMISSION, "exit:127": DEPENDENCY}


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
    name = _last_part(error_type or "")
    if name.startswith("signal:") and reason in ("", SIGNALED):
        return _of_signal(name)
    if reason in _REASONS:
        return _REASONS[reason]
    if name in _BY_SIGNAL:
        return _BY_SIGNAL[name]
    said = _by_words(f"{error_type or ''} {message or ''}")
    # An OSError or a RuntimeError says in words what it is; of a KeyError the words are the input's.
    by_type = _TYPES.get(name)
    if by_type == SYNTAX and " JSON" in (message or ""):
        return DATA  # JavaScript calls both so, code and input
    if by_type is not None and not (by_type in (DATA, NETWORK) and said in (MEMORY, DISK, PERMISSION)):
        return by_type
    if said is not None:
        return said
    if name.startswith("exit:") or not name:
        for line in reversed(list(output)):
            found = _by_words(line)
            if found is not None and found != DATA:
                return found
    return _NOTHING_RUN.get(name, OTHER)


def _last_part(name: str) -> str:
    """Return the name of a class without its module, its namespace or the class around it, in any language."""
    return name.replace("::", ".").replace("\\", ".").replace("$", ".").rpartition(".")[2]


def _of_signal(name: str) -> str:
    number = name.partition(":")[2]
    signal = signal_name(int(number)) if number.isdecimal() else ""
    return CRASH if signal in CRASHES else LIMIT if signal in _USED_UP else KILLED


def _by_words(text: str) -> str | None:
    lowered = f" {text[:_LONGEST].lower()}"
    for kind, words in _WORDS:
        if any(word in lowered for word in words):
            return kind
    return None
