"""A simulation's load as a picture and as a page that opens anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from keguan.charts.bars import Panel, Series, draw_bars
from keguan.demo.load import busiest_days
from keguan.texts import Language, text

__all__ = ["load_page", "load_picture"]

_TOUCHPOINTS = 20


def load_picture(document: Mapping[str, Any], language: Language) -> str:
    """Return the SVG of each day's messages by channel and tasks by department.

    ``document`` is what ``as_document`` returns.
    """
    start: date = document["from"]
    length = (document["to"] - start).days + 1
    days = {day["date"]: day for day in document["days"]}

    def series(kind: str, name: str, shown: str) -> Series:
        counts = (days.get(start + timedelta(days=n)) for n in range(length))
        return Series(shown, [0 if day is None else day[kind].get(name, 0) for day in counts])

    channels = [
        series("messages", row["channel"], text(language, f"words.channel.{row['channel']}"))
        for row in document["channels"]
    ]
    departments = [series("tasks", row["department"], row["department"]) for row in document["departments"]]
    return draw_bars(
        text(language, "rehearse.page.title"),
        _period(document, language),
        start,
        [
            Panel(text(language, "rehearse.page.messages_a_day"), channels),
            Panel(text(language, "rehearse.page.tasks_a_day"), departments),
        ],
    )


def load_page(document: Mapping[str, Any], language: Language) -> str:
    """Return the page: the picture, what it costs, and the tables behind it. It asks no server for anything."""
    return _template().render(
        language="zh-CN" if language == "zh" else language,
        period=_period(document, language),
        picture=Markup(load_picture(document, language)),  # noqa: S704 - made by a template that escapes
        busiest=busiest_days(document),
        touchpoints=document["touchpoints"][:_TOUCHPOINTS],
        say=lambda key, **values: text(language, key, **values),
        **{key: document[key] for key in ("channels", "departments", "sms", "open", "failures")},
    )


def _period(document: Mapping[str, Any], language: Language) -> str:
    values = {"start": document["from"], "end": document["to"], **document["contracts"]}
    return text(language, "rehearse.simulated", **values).strip()


@cache
def _template() -> Template:
    source = resources.files(__package__).joinpath("load_page.html.j2").read_text(encoding="utf-8")
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        source
    )
