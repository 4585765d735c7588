"""Reads how programs in other languages than Python tell of the error that ended them: roughly, from a line or two."""

from __future__ import annotations

from runner.analysis.fault import Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Lines that a message may go on for before its stack begins; lines that both together may have.
_MESSAGE, _STACK = 8, 100
#: Parts of places that belong to the language, not to the program.
_NODE_OWN = ("node:", "internal/", "<", "native")
_JAVA_OWN = ("java.", "javax.", "jdk.", "sun.", "com.sun.")
_RUBY_OWN = ("<internal:", "/gems/", "/lib/ruby/")
_ENDINGS = ("Error", "Exception", "Rejection")


def _below(lines: list[str], at: int, begin: tuple[str, ...], more: int = _MESSAGE) -> Iterator[str]:
    """Yield the lines of the stack below a message, which may go on for some more lines; without their margins."""
    begun = False
    for number in range(at + 1, min(at + 1 + _STACK, len(lines))):
        line = lines[number]
        if line.startswith(begin):
            begun = True
            yield line.strip()
        elif begun or not line.strip() or number > at + more:
            return


def _go(lines: list[str], at: int, line: str) -> Fault | None:
    kind, _, message = line.partition(": ")
    if kind not in ("panic", "fatal error"):
        return None
    near = lines[at + 1 : at + 7]
    if not any(each.startswith(("goroutine ", "[signal ", "runtime stack:")) for each in near):
        return None
    place = ""
    for each in lines[at + 1 : at + 1 + _STACK]:
        if each.startswith("\t") and ".go:" in each and "/src/runtime/" not in each:
            place = each.strip().partition(" ")[0]
            break
    return Fault("go", kind, message, place, at)


def _rust(lines: list[str], at: int, line: str) -> Fault | None:
    _, found, said = line.partition(" panicked at ")
    if not found or not line.startswith("thread '"):
        return None
    if said.endswith(":"):
        message = lines[at + 1].strip() if at + 1 < len(lines) else ""
        return Fault("rust", "panic", message, said[:-1], at)
    message, _, place = said.rpartition(", ")  # before Rust 1.73
    return Fault("rust", "panic", message.removeprefix("'").removesuffix("'"), place, at)


def _java(lines: list[str], at: int, line: str) -> Fault | None:
    words = line.partition('" ')[2] if line.startswith('Exception in thread "') else line
    cause = line.startswith("Caused by: ")
    sure = cause or words is not line
    name, _, message = words.removeprefix("Caused by: ").partition(": ")
    known = "." in name or name.endswith(_ENDINGS) or sure
    if not known or not name.replace(".", "").replace("$", "").replace("_", "").isalnum():
        return None
    stack = list(_below(lines, at, ("\tat ", "\t... "), _MESSAGE if sure else 0))
    if not stack and not sure:
        return None
    if stack and stack[-1].startswith("... "):
        # The last frames of a cause are those of what it caused, and are told only there.
        common = stack.pop().split()[1]
        above = at - 1
        while above >= max(0, at - _STACK) and lines[above].startswith("\tat "):
            above -= 1
        enclosing = [each.strip() for each in lines[above + 1 : at]]
        stack += enclosing[-int(common) :] if common.isdecimal() and 0 < int(common) <= len(enclosing) else []
    frames = [each[3:].rpartition("/")[2] for each in stack if each.startswith("at ")]
    own = [each for each in frames if not each.startswith(_JAVA_OWN)] or frames
    place = own[0].rpartition("(")[2].partition(")")[0] if own else ""
    return Fault("java", name, message, place if ":" in place else "", at, cause)


def _node(lines: list[str], at: int, line: str) -> Fault | None:
    if line.startswith("FATAL ERROR: "):
        return Fault("node", "FATAL ERROR", line[13:], "", at)
    header = _thrown_at(lines, at)
    words = line.removeprefix("Uncaught ")
    name, colon, message = words.partition(": ")
    name = name.partition(" [")[0]  # Error [ERR_MODULE_NOT_FOUND]
    plain = name.replace(".", "").replace("_", "").replace("$", "").isalnum()
    named = plain and (bool(colon) or name.endswith(_ENDINGS))
    if not header and not named:
        return None
    more = _MESSAGE if header or lines[at + 1 : at + 2] == ["Require stack:"] else 0
    stack = [_node_place(each) for each in _below(lines, at, ("    at ",), more)]
    if not header and not stack:
        return None
    own = [place for place in (*stack, header) if not place.startswith(_NODE_OWN)]
    return Fault("node", name if named else "", message if named else words, own[0] if own else "", at)


def _node_place(frame: str) -> str:
    """Return the place in ``at main (/srv/app.js:3:5)`` and ``at async file:///srv/app.mjs:3:5``."""
    text = frame.removesuffix(" {").removeprefix("at ")
    place = text.partition(" (")[2].removesuffix(")") if text.endswith(")") else text.removeprefix("async ")
    return place.removeprefix("file://")


def _thrown_at(lines: list[str], at: int) -> str:
    """Return where Node shows that something was thrown: above a line of code and the mark below that; else ""."""
    mark = at - 1 if at > 0 and lines[at - 1].strip() else at - 2
    if mark < 2 or not lines[mark].strip() or lines[mark].strip("\t ^"):
        return ""
    header = lines[mark - 2]
    return header.removeprefix("file://") if header.rpartition(":")[2].isdecimal() else ""


def _ruby(lines: list[str], at: int, line: str) -> Fault | None:
    place, found, rest = line.partition(":in ")
    quote, told, said = rest.partition("': ")
    if not found or not told or quote[:1] not in ("'", "`") or not place.rpartition(":")[2].isdecimal():
        return None
    message, _, name = said.rpartition(" (")
    if not name.endswith(")"):
        if said != "unhandled exception":
            return None
        message, name = said, ""
    for each in _below(lines, at, ("\tfrom ",)):
        if not any(part in place for part in _RUBY_OWN):
            break
        place = each[5:].partition(":in ")[0]
    return Fault("ruby", name.rstrip(")"), message, place, at)


#: What reads a line, the first that knows it: of all lines, which, and what it says.
READERS = (_go, _rust, _java, _node, _ruby)
