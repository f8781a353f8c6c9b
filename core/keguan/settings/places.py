"""``[company]`` and ``[cities.KEY]``: who speaks, where, and when people work there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time

from pydantic import Field

from keguan.settings.codes import WebAddress
from keguan.settings.section import Section
from keguan.settings.values import Clock, Days, OfficeHours, Window, WorkWeek, Zone

__all__ = ["CitySettings", "CompanySettings", "WorkRules"]


class _WorkSection(Section):
    """Working time, for the company and, where a city differs, for the city."""

    office_hours: OfficeHours | None = None
    work_week: WorkWeek | None = None
    holidays: Days = Field(default_factory=dict)
    """Days off beside the national ones, with what they are called."""
    workdays: Days = Field(default_factory=dict)
    """Days worked although they would be off."""


class CompanySettings(_WorkSection):
    """``[company]``: who speaks in messages, and when people work unless their city says otherwise."""

    name: str = ""
    hotline: str = ""
    signature: str = ""
    """What stands in 【…】 of an SMS; the name unless given."""
    web: WebAddress = ""
    """Where customers enter a code they were sent: ``https://care.example.com/s``."""


class CitySettings(_WorkSection):
    """``[cities.KEY]``: a city's names, its zone and its hours."""

    name: str = ""
    """As people read it; the key unless given."""
    aliases: tuple[str, ...] = ()
    """Other spellings in files that come in."""
    time_zone: Zone = "Asia/Shanghai"
    quiet_hours: Window = (time(20), time(9))
    """Local time in which no message leaves; the same time twice means no quiet hours."""
    promotion_hours: Window = (time(8), time(20))
    """Local time in which promotion leaves, outside quiet hours; the same time twice: quiet hours alone count."""
    tick_at: Clock = time(6)
    """Local time of the daily tick."""


@dataclass(frozen=True, slots=True)
class WorkRules:
    """When people work in one city: its own rules where it has some, else the company's, else the defaults."""

    office_hours: tuple[tuple[time, time], ...]
    work_week: frozenset[int]
    """0 for Monday to 6 for Sunday."""
    holidays: Mapping[date, str]
    workdays: Mapping[date, str]
