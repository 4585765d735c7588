"""How the environments that are kept for scripts are listed."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest

from runner.cli.commands.cache import list_environments
from runner.engine.query_options import QueryOptions

KEPT: dict[str, Any] = {
    "path": "/c/envs/1", "dependencies": ["numpy>=2", "requests"], "script": "/srv/load.py", "made": 1_790_000_000,
    "used": 1_790_000_000, "by": "venv", "packages": 9, "bytes": 90 << 20,
}  # fmt: skip


@pytest.mark.parametrize("width", [0, 80, 60, 40])
def test_a_list_fits_the_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setattr("runner.engine.environments.Environments.listing", lambda self: [dict(KEPT)])
    monkeypatch.setattr("runner.cli.tables.terminal_width", lambda out: width)
    out = StringIO()
    list_environments(QueryOptions(), out)
    assert all(text in " ".join(out.getvalue().split()) for text in ("load.py", "numpy>=2, requests"))
    assert ("PACKAGES" in out.getvalue()) == (width != 40)
    assert not width or max(map(len, out.getvalue().splitlines())) <= width
