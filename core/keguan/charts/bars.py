"""Stacked bars over days, with the busiest days marked, as one SVG that asks nobody for anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from math import floor, log10

from jinja2 import Environment, StrictUndefined, Template

__all__ = ["FONTS", "Panel", "Series", "draw_bars"]

FONTS = (
    "'Noto Sans CJK SC', 'Noto Sans SC', 'Source Han Sans SC', 'PingFang SC', 'Microsoft YaHei', "
    "'WenQuanYi Micro Hei', 'DejaVu Sans', sans-serif"
)
"""The families that the text is set in: the first that the machine has."""
_WIDTH, _LEFT, _RIGHT = 1080, 64, 24
_HEAD, _HEIGHT, _LEGEND, _AXIS, _GAP = 72, 220, 62, 26, 28
_PEAKS, _WORTH_MARKING = 3, 0.5
"""How many days are marked at most, and from which part of the highest on."""
_APART = 0.12
"""Peaks are marked that lie so far apart, as a part of the width: nearer ones would be written over each other."""
_COLOURS = (
    *("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7f7f7f", "#b8a300", "#6a3d9a", "#8c510a"),
)


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of the bars: a number for each day."""

    name: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart of the picture."""

    title: str
    series: Sequence[Series]


@dataclass(frozen=True, slots=True)
class _Mark:
    x: float
    y: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class _Drawn:
    title: str
    top: float
    floor: float
    bars: list[tuple[str, str]]
    """Colour and path."""
    legend: list[tuple[float, str, str]]
    levels: list[_Mark]
    days: list[_Mark]
    peaks: list[_Mark]


def draw_bars(title: str, subtitle: str, start: date, panels: Sequence[Panel]) -> str:
    """Return the picture of ``panels`` one below the other, as an SVG document.

    The series of all panels begin on ``start`` and have a number for each day; at least one day.
    """
    each = _HEIGHT + _LEGEND + _AXIS + _GAP
    drawn = [_panel(panel, start, _HEAD + number * each) for number, panel in enumerate(panels)]
    height = _HEAD + each * len(panels)
    size = {"width": _WIDTH, "height": height, "left": _LEFT, "right": _WIDTH - _RIGHT}
    return _template().render(title=title, subtitle=subtitle, panels=drawn, fonts=FONTS, **size)


@cache
def _template() -> Template:
    source = resources.files(__package__).joinpath("bars.svg.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(source)


def _panel(panel: Panel, start: date, top: float) -> _Drawn:
    days = len(panel.series[0].values) if panel.series else 1
    totals = [sum(day) for day in zip(*(each.values for each in panel.series), strict=True)] or [0]
    step, most = _scale(max(totals))
    ceiling, ground = top + _LEGEND, top + _LEGEND + _HEIGHT
    each = (_WIDTH - _LEFT - _RIGHT) / days

    def height(value: float) -> float:
        return ground - value / most * (ground - ceiling)

    return _Drawn(
        title=panel.title,
        top=top,
        floor=ground,
        bars=_bars(panel.series, each, height),
        legend=_legend(panel.series),
        levels=[_Mark(_LEFT, height(n * step), f"{n * step:,}", "end") for n in range(most // step + 1)],
        days=[_Mark(_LEFT + each * n, ground, text) for n, text in _dates(start, days)],
        peaks=list(_peaks(totals, start, each, height)),
    )


def _bars(series: Sequence[Series], width: float, height: Callable[[float], float]) -> list[tuple[str, str]]:
    """Return colour and path of each series, every bar standing on those of the series before."""
    found = []
    below = [0] * (len(series[0].values) if series else 0)
    for number, one in enumerate(series):
        path = []
        for day, value in enumerate(one.values):
            if value:
                foot, head = height(below[day]), height(below[day] + value)
                path.append(f"M{_LEFT + day * width:.1f} {foot:.1f}V{head:.1f}h{max(width, 0.6):.2f}V{foot:.1f}z")
                below[day] += value
        found.append((_COLOURS[number % len(_COLOURS)], "".join(path)))
    return found


def _legend(series: Sequence[Series]) -> list[tuple[float, str, str]]:
    """Return where each name stands, its colour and itself."""
    found, x = [], float(_LEFT)
    for number, one in enumerate(series):
        found.append((x, _COLOURS[number % len(_COLOURS)], one.name))
        x += 30 + sum(13 if character > "\u2e7f" else 7.5 for character in one.name)
    return found


def _scale(most: int) -> tuple[int, int]:
    """Return the distance of the lines and the highest one: 1, 2 or 5 times a power of ten, four to eight lines."""
    rough = max(most, 4) / 5
    power = 10 ** floor(log10(rough))
    step = next(int(power * factor) or 1 for factor in (1, 2, 5, 10) if power * factor >= rough)
    return step, -(-max(most, 1) // step) * step


def _dates(start: date, days: int) -> Iterator[tuple[int, str]]:
    """Yield at which days the axis is labelled, and how: years, months or days, as there is room."""
    end = start + timedelta(days=days)
    months = 12 if days > 1500 else 6 if days > 700 else 3 if days > 300 else 1
    if days <= 45:
        yield from ((n, f"{start + timedelta(days=n):%m-%d}") for n in range(0, days, 7))
        return
    for year in range(start.year, end.year + 1):
        for month in range(1, 13, months):
            day = date(year, month, 1)
            if start <= day < end:
                yield (day - start).days, f"{day:%Y}" if months == 12 else f"{day:%Y-%m}"


def _peaks(totals: Sequence[int], start: date, width: float, height: Callable[[float], float]) -> Iterator[_Mark]:
    """Yield the marks of the busiest days that lie apart."""
    taken: list[int] = []
    for day in sorted(range(len(totals)), key=lambda n: (-totals[n], n)):
        if len(taken) == _PEAKS or not totals[day] or totals[day] < _WORTH_MARKING * max(totals):
            return
        if all(abs(day - other) >= _APART * len(totals) for other in taken):
            taken.append(day)
            share = day / len(totals)
            anchor = "start" if share < _APART / 2 else "end" if share > 1 - _APART / 2 else "middle"
            x = _LEFT + (day + 0.5) * width
            yield _Mark(x, height(totals[day]), f"{start + timedelta(days=day)}: {totals[day]:,}", anchor)
