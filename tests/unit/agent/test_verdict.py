"""Why an attempt ended."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from runner.agent import verdict

if TYPE_CHECKING:
    from pathlib import Path


def exited(code: int) -> int:
    return code << 8


@pytest.mark.parametrize(
    ("status", "came", "oom", "end", "expected"),
    [
        (exited(0), set(), False, b"", ("exited", 0, None)),
        (exited(3), {15}, False, b"", ("exited", 3, None)),
        (exited(143), {15}, False, b"", ("cancelled", 143, None)),
        (exited(143), set(), False, b"", ("exited", 143, None)),
        (exited(130), {15}, False, b"", ("exited", 130, None)),
        (exited(156), {28}, False, b"", ("exited", 156, None)),
        (exited(1), {2}, False, b"...\nKeyboardInterrupt\n", ("cancelled", 1, None)),
        (exited(1), {2}, False, b"...\nValueError\n", ("exited", 1, None)),
        (exited(1), set(), False, b"KeyboardInterrupt\n", ("exited", 1, None)),
        (15, {15}, False, b"", ("cancelled", 143, 15)),
        (15, {2}, False, b"", ("signaled", 143, 15)),
        (9, set(), False, b"", ("signaled", 137, 9)),
        (9, set(), True, b"", ("oom-killed", 137, 9)),
        (11 | 0x80, set(), True, b"", ("signaled", 139, 11)),
    ],
)
def test_judge(status: int, came: set[int], oom: bool, end: bytes, expected: tuple[object, ...]) -> None:
    assert verdict.judge(status, came, oom, end)[:3] == expected


@pytest.mark.parametrize(
    ("membership", "place"),
    [
        ("0::/user.slice/x\n", "user.slice/x/memory.events"),
        ("0::/only/on/the/host\n", "memory.events"),
        ("5:memory:/a/b\n0::/\n", "memory/a/b/memory.oom_control"),
        ("4:cpu,memory:/docker/1\n0::/\n", "memory/memory.oom_control"),
    ],
)
def test_the_kernels_count_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, membership: str, place: str
) -> None:
    counter = tmp_path / place
    counter.parent.mkdir(parents=True, exist_ok=True)
    counter.write_text("low 0\noom 7\noom_kill 3\n")
    (tmp_path / "cgroup").write_text(membership)
    monkeypatch.setattr(verdict, "_ROOT", str(tmp_path))
    real = verdict.open if hasattr(verdict, "open") else open

    def redirect(path: str, *args: object, **options: object) -> object:
        return real(str(tmp_path / "cgroup") if path.endswith("/cgroup") else path, *args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(verdict, "open", redirect, raising=False)
    oom = verdict.OomCounter(os.getpid())
    assert not oom.rose()
    counter.write_text("low 0\noom 9\noom_kill 4\n")
    assert oom.rose()


def test_without_a_count_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdict, "_places", lambda pid: ["/no/such/file"])
    assert not verdict.OomCounter(1).rose()
