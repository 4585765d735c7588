"""Finds the package's own modules in less time than Python's general search takes.

A run imports some hundred of them, and each search tries endings, lists folders and asks for what is known here: the
folder, the name, and where the compiled file is. What is not just as expected is left to the general search. It saves
a run about a millisecond; only the command uses it.
"""

from __future__ import annotations

import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader
from marshal import loads
from os import O_RDONLY, close, read, stat
from os import open as open_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType

_PACKAGE = __name__.partition(".")[0] + "."
_ENDING = f".{sys.implementation.cache_tag}.pyc"
#: What a compiled file begins with: its version, and that it is held against time and size of its source.
_HEAD = MAGIC_NUMBER + bytes(4)
#: Bytes of a compiled file; a larger one is left to the general search.
_MOST = 100_000
_MASK = 0xFFFFFFFF


class _Loader(SourceFileLoader):
    code: CodeType | None = None

    def get_code(self, fullname: str) -> CodeType | None:
        code, self.code = self.code, None  # executed again, it may have changed
        return super().get_code(fullname) if code is None else code


class OwnModules:
    """A finder for ``sys.meta_path``."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        """Return where a module of the package is and what it holds; None leaves it to the finders that follow."""
        if path is None or not name.startswith(_PACKAGE):
            return None
        folder, last = path[0], name.rpartition(".")[2]
        source, cached = f"{folder}/{last}.py", f"{folder}/__pycache__/{last}{_ENDING}"
        try:
            descriptor = open_file(cached, O_RDONLY)
            try:
                data = read(descriptor, _MOST)
            finally:
                close(descriptor)
            status = stat(source)
        except OSError:
            return None
        stamp = (int(status.st_mtime) & _MASK).to_bytes(4, "little") + (status.st_size & _MASK).to_bytes(4, "little")
        if len(data) == _MOST or data[:8] != _HEAD or data[8:16] != stamp:
            return None
        loader = _Loader(name, source)
        loader.code = loads(memoryview(data)[16:])
        spec = ModuleSpec(name, loader, origin=source)
        spec.cached, spec.has_location = cached, True
        return spec


def install() -> None:
    """Have it search first, unless compiled files are kept elsewhere or compiled in another way."""
    if sys.pycache_prefix is None and not sys.flags.optimize and OwnModules not in sys.meta_path:
        sys.meta_path.insert(0, OwnModules)
