"""The small values that a configuration is written in: times of day, windows, weekdays, zones, lists of days."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, time
from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BeforeValidator, StringConstraints
from pydantic_core import PydanticCustomError

from keguan.nearest import nearest

__all__ = [
    "Clock",
    "Days",
    "Identifier",
    "OfficeHours",
    "Window",
    "WorkWeek",
    "Zone",
    "mistake",
]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")


def mistake(key: str, **values: object) -> PydanticCustomError:
    """Return an error that pydantic carries to ``mistakes.py``, which turns it into the sentence ``key``."""
    return PydanticCustomError(key, key, values)


def _clock(value: object) -> time:
    """``"09:30"``, or TOML's own local time; a number would silently be read as seconds, so it is refused."""
    if isinstance(value, time):
        return value
    if isinstance(value, str):
        match = _CLOCK.fullmatch(unicodedata.normalize("NFKC", value).strip())
        if match and int(match[1]) < 24 and int(match[2]) < 60:
            return time(int(match[1]), int(match[2]))
    raise mistake("config.clock_time", value=value)


def _window(value: object) -> tuple[time, time]:
    """``"20:00-09:00"``: from the first minute on, until just before the second."""
    if isinstance(value, str):
        ends = re.split(r"[-–—~]", unicodedata.normalize("NFKC", value))  # en dash and em dash are typed too
        if len(ends) == 2:
            return _clock(ends[0]), _clock(ends[1])
    raise mistake("config.window", value=value)


def _office_hours(value: object) -> tuple[tuple[time, time], ...]:
    """One window or a list of windows, sorted; each ends after it starts and none overlaps another."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not texts:
        raise mistake("config.office_hours", value=value)
    windows = sorted(_window(text) for text in texts)
    if any(start >= end for start, end in windows):
        raise mistake("config.office_hours_backwards", value=value)
    if any(before[1] > after[0] for before, after in pairwise(windows)):
        raise mistake("config.office_hours_overlap", value=value)
    return tuple(windows)


def _work_week(value: object) -> frozenset[int]:
    """A list of English weekday names (three letters are enough), as 0 for Monday to 6 for Sunday."""
    if not isinstance(value, list | tuple | set | frozenset) or not value:
        raise mistake("config.work_week", value=value)
    days = set()
    for name in value:
        short = str(name).strip().lower()[:3]
        if short not in WEEKDAYS:
            raise mistake("config.work_week", value=name)
        days.add(WEEKDAYS.index(short))
    return frozenset(days)


def _days(value: object) -> dict[date, str]:
    """A list of dates, or a table from dates to what the day is called."""
    if isinstance(value, Mapping):
        pairs: list[tuple[Any, Any]] = list(value.items())
    elif isinstance(value, list | tuple):
        pairs = [(day, "") for day in value]
    else:
        raise mistake("config.days", value=value)
    days = {}
    for day, name in pairs:
        if isinstance(day, date) and not isinstance(day, datetime):
            days[day] = str(name)
            continue
        try:
            days[date.fromisoformat(str(day))] = str(name)
        except ValueError:
            raise mistake("config.days", value=day) from None
    return days


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = nearest(value, available_timezones())
        if near:
            raise mistake("config.time_zone_near", value=value, near=near) from None
        raise mistake("config.time_zone", value=value) from None
    return value


def _identifier(value: str) -> str:
    # Two underscores part the levels of an environment variable, so a name cannot hold them.
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", value):
        raise mistake("config.identifier", value=value)
    return value


Clock = Annotated[time, BeforeValidator(_clock)]
Window = Annotated[tuple[time, time], BeforeValidator(_window)]
OfficeHours = Annotated[tuple[tuple[time, time], ...], BeforeValidator(_office_hours)]
WorkWeek = Annotated[frozenset[int], BeforeValidator(_work_week)]
Days = Annotated[dict[date, str], BeforeValidator(_days)]
Zone = Annotated[str, AfterValidator(_zone)]
Identifier = Annotated[str, StringConstraints(max_length=40), AfterValidator(_identifier)]
"""Names of cities, plugins, adapters and channels: small letters, digits, single underscores."""
