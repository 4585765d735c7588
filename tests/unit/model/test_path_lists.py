"""What differs between two lists of paths."""

from __future__ import annotations

import pytest

from runner.model.path_lists import list_change


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        ("/usr/bin:/bin", "/opt/bin:/usr/bin:/bin", "+ /opt/bin"),
        ("/usr/bin:/bin", "/usr/bin:/opt/bin", "+ /opt/bin, - /bin"),
        ("/usr/bin:/bin", "/bin", "- /usr/bin"),
        ("/usr/bin:/bin", "/bin:/usr/bin", "the same in another order"),
        ("/usr/bin:", "/usr/bin:/bin", "+ /bin, - ."),
        ("", "/usr/bin:/bin", "+ /usr/bin, + /bin"),
        ("/a:/b", ":".join(f"/{n}" for n in range(9)), "+ /0, + /1, + /2, + /3, + /4 and 6 more"),
        ("/usr/bin:/bin", "/usr/bin:/bin", ""),
        ("/usr/bin", "/bin", ""),
        ("a:b", "b:c", ""),
        ("http://one:80/x", "http://two:80/x", ""),
    ],
)
def test_lists_are_told_by_what_came_and_went(before: str, now: str, change: str) -> None:
    assert list_change(before, now) == change


def test_nothing_is_said_of_what_was_cut_off() -> None:
    before = ":".join(f"/usr/share/number-{n}" for n in range(200))[:1000]
    assert list_change(before, f"/opt/bin:{before}"[:1000]) == "+ /opt/bin"
