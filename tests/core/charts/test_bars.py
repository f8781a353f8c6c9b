"""Stacked bars over days: every number is drawn at its height, peaks are named, nothing is asked from a server."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keguan.charts.bars import Panel, Series, draw_bars
from keguan.charts.png import svg_to_png
from keguan.errors import UsageError

SVG = "{http://www.w3.org/2000/svg}"
START = date(2026, 3, 1)
COUNTS = st.lists(st.integers(0, 50_000), min_size=1, max_size=120)


def drawn(*series: Series, title: str = "Work") -> ET.Element:
    return ET.fromstring(draw_bars(title, "a city", START, [Panel("Messages", series)]))


def texts(picture: ET.Element) -> list[str]:
    return [each.text or "" for each in picture.iter(f"{SVG}text")]


def heights(path: str) -> list[float]:
    """Return how high each bar of a path is."""
    return [float(foot) - float(head) for foot, head in re.findall(r"M[\d.]+ ([\d.]+)V([\d.]+)h", path)]


def test_a_bar_is_as_high_as_its_number() -> None:
    picture = drawn(Series("SMS", [1, 0, 4, 2]))
    (path,) = picture.iter(f"{SVG}path")
    one, four, two = heights(path.attrib["d"])
    assert four == pytest.approx(4 * one, abs=0.2)
    assert two == pytest.approx(2 * one, abs=0.2)


def test_series_stand_on_each_other() -> None:
    first, second = drawn(Series("SMS", [3]), Series("e-mail", [2])).iter(f"{SVG}path")
    top_of_first = re.findall(r"V([\d.]+)h", first.attrib["d"])
    foot_of_second = re.findall(r"M[\d.]+ ([\d.]+)V", second.attrib["d"])
    assert top_of_first == foot_of_second


def test_the_busiest_day_is_named_with_its_number() -> None:
    assert "2026-03-03: 1,204" in texts(drawn(Series("SMS", [1, 200, 1204, 3])))


def test_days_that_lie_close_together_are_marked_once() -> None:
    marks = [each for each in texts(drawn(Series("SMS", [0] * 50 + [9, 8, 7] + [0] * 50))) if ": " in each]
    assert marks == ["2026-04-20: 9"]


def test_names_are_written_as_they_are() -> None:
    shown = texts(drawn(Series("<b>&客关", [1]), title="“A” & B"))
    assert "<b>&客关" in shown
    assert "“A” & B" in shown


@given(COUNTS)
def test_whatever_the_numbers_the_picture_is_sound(counts: list[int]) -> None:
    picture = drawn(Series("SMS", counts))
    bars = [height for path in picture.iter(f"{SVG}path") for height in heights(path.attrib["d"])]
    assert len(bars) == sum(count > 0 for count in counts)
    assert all(0 <= height <= 220.1 for height in bars)


def test_a_panel_without_series_is_an_empty_chart() -> None:
    assert "Messages" in texts(drawn())


def test_a_picture_as_png() -> None:
    pytest.importorskip("resvg_py")
    png = svg_to_png(draw_bars("Work", "a city", START, [Panel("Messages", [Series("SMS", [1, 2])])]))
    assert png.startswith(b"\x89PNG\r\n")


def test_chinese_needs_a_font_that_has_it(tmp_path: Path) -> None:
    resvg_py = pytest.importorskip("resvg_py")
    fonts = pytest.importorskip("pylopdf_fonts_zh_cn")
    font = Path(fonts.__file__).with_name("NotoSansSC-Regular.otf")
    svg = draw_bars("工作量", "虚构", START, [Panel("消息", [Series("短信", [1, 2])])])
    assert svg_to_png(svg, font) != svg_to_png(svg.replace("工", "业"), font)
    with pytest.MonkeyPatch.context() as patch:  # a machine without any such font
        without = lambda **options: resvg_py.svg_to_bytes(**options, skip_system_fonts=True)  # noqa: E731
        patch.setattr("keguan.charts.png._svg_to_bytes", lambda: without)
        with pytest.raises(UsageError, match=re.escape("(--png)")):
            svg_to_png(svg)
