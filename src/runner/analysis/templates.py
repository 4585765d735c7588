"""Groups lines of logs by what they have in common: templates, mined as they come.

The method is Drain: He, Zhu, Zheng, Lyu, "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017.
Lines of one number of words and the same first words share a leaf of a tree; in it, a line joins the template it has
most words in common with, if these are enough, and the words that differ become ``<*>``.
"""

from __future__ import annotations

from runner.analysis.recurrence import fingerprint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

#: What stands for a word that differs from line to line.
ANY = "<*>"

#: First words that the tree goes by, share of common words that is enough, children of a node, templates in all.
DEPTH, SIMILARITY, CHILDREN, MOST = 2, 0.5, 100, 1000
#: Characters and words of a line that are looked at.
_LONGEST, _WORDS = 1000, 60


class Template:
    """What lines have in common.

    Attributes:
        words: The words, `ANY` where lines differ.
        count: How many lines there were.
        sources: Where they came from, in the order in which each was first seen.
    """

    __slots__ = ("count", "sources", "words")

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.count = 0
        self.sources: dict[str, int] = {}

    @property
    def text(self) -> str:
        """The template as one line, with `ANY` for each figure too: which it was is forgotten."""
        return " ".join(map(_shown, self.words))


def _shown(word: str) -> str:
    core = word.strip("()[]{}<>,;:'\"=")
    if "0" in core and not core.strip("0.:,-+/%"):
        return word.replace(core, ANY, 1)  # a figure, a date, a time
    return word.replace("0", ANY)


class Miner:
    """Finds templates; its memory is bounded, whatever it is fed."""

    def __init__(self) -> None:
        self.templates: list[Template] = []
        self._tree: dict[tuple[object, ...], list[Template]] = {}
        self._children: dict[tuple[object, ...], set[str]] = {}

    def add(self, line: str, source: str = "") -> Template | None:
        """Take a line.

        Args:
            line: The line.
            source: Where it came from, such as the id of a run.

        Returns:
            The template it belongs to; None for a blank line, and for one of yet another kind when there are `MOST`.
        """
        words = fingerprint(line[:_LONGEST]).split()[:_WORDS]
        if not words:
            return None
        leaf = self._tree.setdefault(self._path(words), [])
        found = self._nearest(leaf, words)
        if found is None:
            if len(self.templates) >= MOST:
                return None
            found = Template(words)
            leaf.append(found)
            self.templates.append(found)
        else:
            found.words = [mine if mine == other else ANY for mine, other in zip(found.words, words, strict=True)]
        found.count += 1
        found.sources[source] = found.sources.get(source, 0) + 1
        return found

    def feed(self, lines: Iterable[str], source: str = "") -> None:
        """Take many lines of one source."""
        for line in lines:
            self.add(line, source)

    def _path(self, words: list[str]) -> tuple[object, ...]:
        path: tuple[object, ...] = (len(words),)
        for word in words[:DEPTH]:
            # A word with a figure in it is a value rather than a kind.
            step = ANY if any(char.isdigit() for char in word) else word
            children = self._children.setdefault(path, set())
            if step not in children:
                if len(children) >= CHILDREN:
                    step = ANY
                children.add(step)
            path = (*path, step)
        return path

    @staticmethod
    def _nearest(leaf: list[Template], words: list[str]) -> Template | None:
        best, most = None, SIMILARITY * len(words)
        for template in leaf:
            same = sum(mine == other for mine, other in zip(template.words, words, strict=True))
            if same > most or (same == most and best is None):
                best, most = template, float(same)
        return best
