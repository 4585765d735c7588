"""Charts as files: what is in them holds, whatever is drawn."""

from __future__ import annotations

import builtins
import json
import re
import struct
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from runner.exporters.charts import write_chart
from runner.exporters.charts_html import page
from runner.exporters.charts_svg import svg
from runner.exporters.charts_text import cut, text_width
from runner.model.chart import BARS, INDEX, POINTS, SECONDS, TIME, Chart, Panel, Series
from runner.model.errors import UsageError
from tests import support

if TYPE_CHECKING:
    from pathlib import Path

EVIL = "<script>alert(1)</script>&\"'\033[2J\x00\udcff]]>"
SVG = "{http://www.w3.org/2000/svg}"


def many(count: int) -> Chart:
    xs = [at * 0.1 for at in range(count)]
    cpu = Series("CPU", xs, [float(at % 101) for at in range(count)], marks=[0] if count else [])
    memory = Series("Memory", xs, [None if at % 7 == 3 else 10.0 + at for at in range(count)], xs, xs)
    read = Series("read", xs, [float(at) for at in range(count)])
    return Chart("nightly.py, run 0123456789ab", SECONDS, [
        Panel("CPU", "percent", [cpu], [("limit", 90.0)]), Panel("Memory", "MB", [memory]),
        Panel("I/O", "bytes/s", [read, Series("written", xs, [None] * count)]),
    ], "a note")  # fmt: skip


KINDS = Chart("Sixty days", TIME, [
    Panel("Wall", "seconds", [Series("wall", [1e18, 2e18], [1.0, 2.0], style=BARS)]),
    Panel("Runs", "count", [Series("runs", [1e18, 2e18], [1.0, None], style=POINTS)]),
])  # fmt: skip
CHARTS = [many(5000), many(3), many(1), many(0), KINDS, Chart("", INDEX, []),
          Chart(EVIL, SECONDS, [Panel(EVIL, "MB", [Series(EVIL, [0.0], [1.0]), Series("b", [0.0], [2.0])],
                                      [(EVIL, 1.0)])], EVIL)]  # fmt: skip
NAMES = ["5000", "3", "1", "0", "kinds", "empty", "evil"]


@pytest.mark.parametrize("chart", CHARTS, ids=NAMES)
@pytest.mark.parametrize("width", [960, 300])
def test_an_svg_is_well_formed_and_keeps_within_its_width(chart: Chart, width: int) -> None:
    root = ElementTree.fromstring(svg(chart, width).encode("utf-8"))
    assert root.get("width") == str(width)
    ids = [node.get("id") for node in root.iter() if node.get("id")]
    assert len(ids) == len(set(ids))
    for node in root.iter(SVG + "text"):
        x, wide = float(node.get("x", 0)), text_width(node.text or "")
        x -= {"end": wide, "middle": wide / 2}.get(node.get("text-anchor", ""), 0)
        if "rc-title" not in node.get("class", ""):
            assert x >= -1 and x + wide <= width + 12, node.text
    for node in root.iter(SVG + "path"):
        if "rc-line" in node.get("class", ""):
            numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", node.get("d", ""))]
            assert all(-5 <= number <= max(width, float(root.get("height", 0))) + 5 for number in numbers)


def test_what_is_said_of_a_band_is_what_it_shows(tmp_path: Path) -> None:
    band = Series("wall", [0.0, 1.0], [5.0, 6.0], [1.0, 2.0], [7.0, 90.0])
    told = "min 1.00 s, mean 6.00 s, max 1 min 30 s"
    chart = Chart("", SECONDS, [Panel("wall", "seconds", [band])])
    assert told in svg(chart)
    assert "<td>1.00 s</td><td>6.00 s</td><td>1 min 30 s</td>" in page(chart)


def test_all_lines_of_a_panel_can_be_told_apart() -> None:
    names = [f"line {number}" for number in range(10)]
    lines = [Series(name, [0.0, 1.0], [1.0, float(at)]) for at, name in enumerate(names)]
    root = ElementTree.fromstring(svg(Chart("", SECONDS, [Panel("Many", "count", lines)])))
    drawn = [node for node in root.iter(SVG + "path") if "rc-line" in node.get("class", "")]
    looks = [(node.get("class"), node.get("stroke-dasharray")) for node in drawn]
    assert (len(drawn), len(set(looks))) == (20, 10)
    assert looks[:10] == looks[10:]  # in the legend and in the panel


def test_a_legend_begins_behind_the_title_and_leaves_out_what_has_no_room() -> None:
    lines = [Series(name, [0.0, 1.0], [1.0, 2.0]) for name in ("median", "stddev")]
    chart = Chart("", SECONDS, [Panel("memory_max_mb", "MB", lines)])
    root = ElementTree.fromstring(svg(chart))
    title, entry = (next(node for node in root.iter(SVG + "text") if (node.text or "").startswith(text))
                    for text in ("memory_max_mb", "median"))  # fmt: skip
    # In bold Verdana, the widest of usual fonts, a letter takes 9 pixels of 12 in the mean.
    assert float(entry.get("x", 0)) - 22 - float(title.get("x", 0)) > 9 * len("memory_max_mb")
    assert "median: min 1 MB, max 2 MB" in svg(chart, 300)


def test_an_svg_serves_light_and_dark_and_those_who_cannot_see_it() -> None:
    text = svg(many(3))
    assert "prefers-color-scheme:dark" in text
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img"
    described = root.findtext(SVG + "desc") or ""
    assert "CPU: min 0.0 %, mean 1.5 %, max 2.0 %" in described and "written: no values" in described


def test_many_samples_make_no_huge_file() -> None:
    assert len(svg(many(5000))) < 300_000
    assert len(page(many(5000))) < 700_000


@pytest.mark.parametrize("chart", CHARTS, ids=NAMES)
def test_a_page_needs_nothing_else_and_runs_nothing_of_a_chart(chart: Chart) -> None:
    text = page(chart)
    assert not re.search(r"""(?:src|href)=|url\((?!#)|@import|https?://(?!www\.w3\.org/2000/svg)""", text)
    assert text.count("<script") == 2
    assert "alert(1)</" not in text
    assert "default-src 'none'" in text
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    for drawing in json.loads(data[1]).values():
        for series in drawing["series"]:
            assert len(series["x"]) == len(series["y"]) == len(series["at"])
            assert series["x"] == sorted(series["x"])


@pytest.mark.parametrize("chart", CHARTS, ids=NAMES)
def test_a_png_is_one(chart: Chart, tmp_path: Path) -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        support.missing("matplotlib is not installed")
    path = tmp_path / "chart.png"
    write_chart(chart, str(path))
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    assert width == 1440 and height > 200


def test_the_ending_says_what_is_written(tmp_path: Path) -> None:
    for name, begin in (("a.svg", b"<svg"), ("a.HTML", b"<!DOCTYPE html>")):
        write_chart(KINDS, str(tmp_path / name))
        assert (tmp_path / name).read_bytes().startswith(begin)
    for name in ("a.gif", "a", ""):
        with pytest.raises(UsageError, match=r"--plot: .* has to end with \.svg, \.html or \.png"):
            write_chart(KINDS, name)
    with pytest.raises(UsageError, match=r"--show-plot: the folder .* does not exist"):
        write_chart(KINDS, str(tmp_path / "gone" / "a.svg"), "--show-plot")


def test_without_matplotlib_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    real = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", lambda name, *rest: _refuse(name) or real(name, *rest))
    with pytest.raises(UsageError, match=r"pip install 'python-script-runner\[plot\]'"):
        write_chart(KINDS, str(tmp_path / "a.png"))
    write_chart(KINDS, str(tmp_path / "a.svg"))


def _refuse(name: str) -> None:
    if name.startswith("matplotlib"):
        raise ImportError(name)


def test_a_text_is_cut_to_its_room() -> None:
    assert cut("short", 100) == "short"
    assert cut("x" * 100, 67) == "x" * 8 + "…"
    assert text_width("日本") > text_width("abc")
