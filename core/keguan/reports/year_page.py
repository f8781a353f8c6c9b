"""The yearly plan as a page: for each project and the company its year, month by month."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keguan.calendar import WorkCalendar
from keguan.reports.journey_page import state_of
from keguan.reports.pages import render
from keguan.reports.year_grid import NOBODY, colours_of, places_of
from keguan.texts import Language

__all__ = ["year_page"]


def year_page(plan: Mapping[str, Any], calendars: Mapping[str, WorkCalendar], language: Language) -> str:
    """Return the page of ``plan`` (what ``read_year_plan`` returns); ``calendars`` are those of its cities, by key."""
    colours = colours_of(plan["entries"])
    return render(
        "year_page",
        language,
        year=plan["year"],
        places=places_of(plan, calendars),
        colours=colours,
        colour_of=lambda entry: colours.get(entry["department"], NOBODY),
        state_of=state_of,
    )
