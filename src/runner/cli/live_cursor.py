"""Follows what a script does to the terminal's cursor, to know where a line may be drawn that leaves no trace."""

from __future__ import annotations

import re

#: Bytes of an escape sequence that may be unfinished; a longer one is none that is known here.
_LONGEST = 4096
_FAR = 1 << 30

#: What most coloured output consists of: colours, and clearing to the end of a line.
_PLAIN = rb"\x1b\[[\d;:]*[mK]"
_OTHER = re.compile(rb"\x1b(?!\[[\d;:]*[mK])|\x0e")
_COLOR = re.compile(rb"\x1b\[([\d;:]*)m")
#: Hints at a background colour: what is cleared or scrolled in then takes it, so order matters.
_PAPER = re.compile(rb"\x1b\[(?:[\d;:]*[;:])?(?:4\d|7|10\d)")
_LAST = re.compile(_PLAIN)
_NOTHING = b"\0\7\r"  # moves nothing, behind a newline
_SEQUENCE = re.compile(
    rb"\x1b(?:\[(?P<parameters>[0-?]*)[ -/]*(?P<final>[@-~])"
    rb"|\](?P<command>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    rb"|(?P<string>[PX^_])"
    rb"|(?P<middle>[ -/]+)(?P<set>[0-~])"
    rb"|(?P<simple>[0-Z\\`-~]))"
)

#: Changes nothing that matters here: keypad, reports, soft keys, tabs, cursor shapes.
_HARMLESS_CSI = b"cnqtxgpi"
_HARMLESS_ESC = b"=>\\Z"
#: Modes under which nothing is known of the cursor any more: columns, origin, margins, the saved cursor.
_STRANGE_MODES = {b"3", b"6", b"69", b"1048"}
_SCREENS = {b"47", b"1047", b"1049"}


class Cursor:
    """What is known of the cursor after the output so far.

    Attributes:
        clean: Whether the cursor stands at the beginning of a line on which there is nothing.
        began: Whether the script has begun a line of its own: below that there is nothing that is not known of.
        lost: Whether it can't be known any more: the script places the cursor by means that are not followed.
    """

    def __init__(self) -> None:
        self.clean = True
        self.began = False
        self.lost = False
        self._first = True  # known to be in the first column
        #: Lines below the cursor's that may hold something, at most.
        self._below = 0
        self._unfinished = b""
        self._paper = False  # a background colour is on
        self._shifted = False  # another set of characters is on
        self._narrow = False  # lines do not wrap, or scroll in a part of the screen only
        self._blank = False  # nothing was written since the whole screen was cleared
        self._alternate: tuple[bool, int] | None = None

    @property
    def alternate(self) -> bool:
        """Whether the script shows its other screen."""
        return self._alternate is not None

    @property
    def free(self) -> bool:
        """Whether a line may be drawn where the cursor stands, and taken back without a trace."""
        doubt = self.lost or self._paper or self._shifted or self._narrow or self._alternate or self._unfinished
        return self.clean and not doubt

    def feed(self, data: bytes) -> None:
        """Follow the next bytes of output."""
        if self.lost:
            return
        plain = not (self._unfinished or self._alternate or self._paper)
        if plain and b"\x1b" not in data and b"\x0e" not in data:
            self._write(data)
            return
        if plain and _OTHER.search(data) is None and _PAPER.search(data) is None:
            self._feed_plain(data)
            return
        data = self._unfinished + data
        self._unfinished = b""
        at = 0
        while True:
            escape = data.find(b"\x1b", at)
            self._write(data[at:] if escape < 0 else data[at:escape])
            if escape < 0:
                return
            match = _SEQUENCE.match(data, escape)
            if match is None:
                self._unfinished = data[escape:]
                # What follows is no beginning of a sequence, or far too long for one.
                again = data.find(b"\x1b", escape + 2) > 0 and data[escape + 1 : escape + 2] != b"]"
                self.lost = again or len(self._unfinished) > _LONGEST
                return
            self._obey(match)
            at = match.end()

    def _feed_plain(self, data: bytes) -> None:
        """Follow text without any sequence but those of `_PLAIN`."""
        start = max(data.rfind(b"\x1b[m"), data.rfind(b"\x1b[0m"))
        for parameters in _COLOR.findall(data, max(start, 0)):
            self._set_color(parameters)
        text = data.rstrip(_NOTHING)
        while text[-1:] in (b"m", b"K"):
            escape = text.rfind(b"\x1b")
            if escape < 0 or _LAST.fullmatch(text, escape) is None:
                break
            text = text[:escape].rstrip(_NOTHING)
        if text:
            self._move(text)

    def _write(self, text: bytes) -> None:
        if b"\x0e" in text or b"\x0f" in text:
            self._shifted = text.rfind(b"\x0e") > text.rfind(b"\x0f")
        text = text.rstrip(_NOTHING + b"\x0e\x0f")
        if text:
            self._move(text)

    def _move(self, text: bytes) -> None:
        self._first = text.endswith(b"\n")
        self.began = self.began or self._first or b"\n" in text
        down = text.count(b"\n") if self._below else self._first
        self.clean = self._first and self._below < down and not self._paper
        self._below = max(0, self._below - down)
        self._blank = False

    def _obey(self, match: re.Match[bytes]) -> None:
        final = match["final"]
        if final is not None:
            self._control(match["parameters"], final)
        elif match["command"] is not None:
            self.lost = match["command"].startswith(b"1337;File")  # a picture
        elif match["string"] is not None:
            self.lost = True  # pictures, macros
        elif match["set"] is not None:
            if match["middle"] in b"()":
                self._shifted = match["set"] != b"B"
            else:
                self.lost = match["middle"] != b"%"
        else:
            self._simple(match["simple"])

    def _simple(self, final: bytes) -> None:
        if final in _HARMLESS_ESC:
            return
        if final == b"c":
            self.__init__()  # type: ignore[misc]
        elif final == b"M":
            self._up(1)
        elif final == b"E":
            self._move(b"\n")
        else:
            self.lost = True  # among them the saved cursor: there is one place for it, and it is needed here

    def _control(self, parameters: bytes, final: bytes) -> None:
        if final == b"m":
            self._set_color(parameters)
        elif final in b"hl":
            self._set_modes(parameters, final == b"h")
        elif final == b"K":
            self.clean = not self._paper and (self.clean or (self._first and parameters != b"1"))
        elif final in _HARMLESS_CSI or (final == b"u" and parameters[:1] in (b">", b"<", b"=", b"?")):
            return
        elif final in b"AF":
            self._up(_number(parameters))
        elif final in b"BE":
            self._below = max(0, self._below - _number(parameters))
            self.clean = False
        elif final in b"CDGIPX@Z`a":
            self.clean = self._first = False
        elif final in b"LT":
            self._up(_number(parameters))
        elif final in b"MSd":
            self._somewhere()
        elif final in b"Hf":
            self._go_to(parameters)
        elif final == b"J":
            self._clear(parameters)
        elif final == b"r":
            self._narrow = parameters not in (b"", b"0")
            self._somewhere()
        else:
            self.lost = True

    def _up(self, lines: int) -> None:
        self._below = min(_FAR, self._below + lines)
        self.clean = False

    def _somewhere(self) -> None:
        self._up(_FAR)

    def _go_to(self, parameters: bytes) -> None:
        blank = self._blank
        self._somewhere()
        if blank:
            self._below = 0
        self._blank = blank
        self._first = parameters.partition(b";")[2] in (b"", b"1", b"0")
        self.clean = blank and self._first

    def _clear(self, parameters: bytes) -> None:
        if self._paper:
            self._somewhere()
            self._blank = False
        elif parameters in (b"", b"0", b"2"):
            self._below = 0
            self._blank = parameters == b"2"
            self.clean = self.clean or self._first
        elif parameters not in (b"1", b"3"):
            self.lost = True

    def _set_modes(self, parameters: bytes, on: bool) -> None:
        if not parameters.startswith(b"?"):
            self.lost = self.lost or parameters in (b"4", b"20")
            return
        for mode in parameters[1:].split(b";"):
            if mode in _SCREENS:
                self._switch(on, mode == b"1049")
            elif mode == b"7":
                self._narrow = not on
            elif mode in _STRANGE_MODES:
                self.lost = True

    def _switch(self, alternate: bool, comes_back: bool) -> None:
        if alternate and self._alternate is None:
            self._alternate = self.clean, self._below
        elif not alternate and self._alternate is not None:
            self.clean, self._below = self._alternate
            self._alternate = None
            self._narrow = False
            if not comes_back:
                self._somewhere()

    def _set_color(self, parameters: bytes) -> None:
        codes = parameters.replace(b":", b";").split(b";")
        skip = 0
        for at, code in enumerate(codes):
            if skip:
                skip -= 1
            elif code in (b"38", b"48", b"58"):
                skip = 4 if codes[at + 1 : at + 2] == [b"2"] else 2
                self._paper = self._paper or code == b"48"
            elif code.lstrip(b"0") in (b"", b"49", b"27"):
                self._paper = False
            elif code == b"7" or (code[:1] == b"4" and len(code) == 2) or (code[:2] == b"10" and len(code) == 3):
                self._paper = True


def _number(parameters: bytes) -> int:
    return max(1, int(parameters)) if parameters.isdigit() else 1
