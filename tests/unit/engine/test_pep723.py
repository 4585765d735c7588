from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.engine.pep723 import find_block, fits, parse
from runner.model.errors import UsageError

#: The reference implementation's expression, from the specification.
SPECIFIED = r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$"


def specified(text: str) -> list[str]:
    blocks = [match for match in re.finditer(SPECIFIED, text) if match.group("type") == "script"]
    return [
        "".join(
            line[2:] if line.startswith("# ") else line[1:] for line in match.group("content").splitlines(keepends=True)
        )
        for match in blocks
    ]


def block_of(text: str) -> str | None:
    return find_block(text.encode(), "s.py")


def test_a_block_is_what_stands_between_its_marks() -> None:
    text = "#!/usr/bin/env python\n# /// script\n# dependencies = [\n#   'a',\n# ]\n#\n# ///\nprint()\n"
    assert block_of(text) == "dependencies = [\n  'a',\n]\n\n"
    assert block_of(text.replace("\n", "\r\n")) == "dependencies = [\n  'a',\n]\n\n"


@pytest.mark.parametrize(
    "text",
    [
        "print('x')\n",
        "# /// script\n# dependencies = []\n",  # never closed
        "# /// script\n#dependencies = []\n# ///\n",
        "  # /// script\n  # x = 1\n  # ///\n",
        "# /// pyproject\n# x = 1\n# ///\n",
        "# /// script\nprint()\n# ///\n",
        "",
    ],
)
def test_what_only_looks_like_a_block_is_none(text: str) -> None:
    assert block_of(text) is None


def test_two_blocks_are_refused() -> None:
    block = "# /// script\n# dependencies = []\n# ///\n"
    with pytest.raises(UsageError, match="2 blocks of script metadata, and one is allowed"):
        block_of(block + "\n" + block)


lines = st.sampled_from(["# /// script", "# ///", "#", "# x = 1", "#y", "z = 2", "", "# /// other", "# /// script "])


@given(st.lists(lines, max_size=12))
def test_blocks_are_found_where_the_specification_finds_them(text: list[str]) -> None:
    content = "\n".join(text) + "\n"
    expected = specified(content)
    if len(expected) > 1:
        with pytest.raises(UsageError):
            block_of(content)
    else:
        assert block_of(content) == (expected[0] if expected else None)


def test_metadata_is_read() -> None:
    dependencies = "['a', ' b[c]>=1; python_version>\"3\" ', 'd @ https://x/y']"
    read = parse("s.py", f"requires-python = '>=3.9'\ndependencies = {dependencies}\n")
    assert read.requires_python == ">=3.9"
    assert read.dependencies == ["a", 'b[c]>=1; python_version>"3"', "d @ https://x/y"]
    assert read.for_uv == ""
    assert "alpha" in parse("s.py", "[tool.uv]\nindex = [{name = 'alpha'}]\n").for_uv


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("dependencies = [", "is no TOML"),
        ("dependencies = 'a'", "must be a list of texts"),
        ("dependencies = [1]", "must be a list of texts"),
        ("dependencies = ['--index-url=http://x']", "is no requirement"),
        ("dependencies = ['./here']", "is no requirement"),
        ("dependencies = ['a b']", "is no requirement"),
        ("requires-python = 3", "must be a text"),
        ("requires-python = 'newest'", "is no version specifier"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_way_out(block: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        parse("s.py", block)
    assert str(refused.value).endswith("--no-script-deps runs it without")


@pytest.mark.parametrize(
    ("version", "specifier", "answer"),
    [
        ("3.11.2", "", True),
        ("3.11.2", ">=3.9", True),
        ("3.8.18", ">=3.9", False),
        ("3.11.2", ">=3.9,<3.11", False),
        ("3.11.2", "==3.11.*", True),
        ("3.12.0", "!=3.12.*", False),
        ("3.11.0", "==3.11", True),
        ("3.11.2", "==3.11", False),
        ("3.11.2", "~=3.9", True),
        ("4.0.0", "~=3.9", False),
        ("3.12.0", "~=3.11.1", False),
        ("3.13.0rc1", ">=3.13", True),
        ("3.9.16", "> 3.9", True),
        ("3.9.16", "===3.9.16", True),
    ],
)
def test_versions_fit_as_specified(version: str, specifier: str, answer: bool) -> None:
    assert fits(version, specifier) is answer


@pytest.mark.parametrize("specifier", ["3.9", ">=", "~=3", "<=3.*", "=>3.9", "^3.9"])
def test_no_specifier_is_none(specifier: str) -> None:
    with pytest.raises(ValueError, match="no version specifier"):
        fits("3.11.2", specifier)
