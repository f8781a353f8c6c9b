"""The calendars of an installation: what operators loaded, under what the configuration says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, union_all

from keguan.calendar import CalendarTable, DayRow, Scope, WorkCalendar
from keguan.model import City
from keguan.settings import Settings
from keguan.store.schema import calendar_days, calendar_years

__all__ = ["load_calendar", "newest_change", "store_table"]

_NEWEST = union_all(select(func.max(calendar_days.c.loaded_at)), select(func.max(calendar_years.c.loaded_at)))
NATIONAL = "national"
"""The scope of rows that hold for every city; other scopes are keys of cities."""


def newest_change(connection: Connection) -> datetime | None:
    """Return when days were last loaded, ``None`` if never: a cheap way to notice a change."""
    return max((at for at in connection.execute(_NEWEST).scalars() if at is not None), default=None)


def load_calendar(connection: Connection, settings: Settings, city: City) -> WorkCalendar:
    """Return the working days of ``city``: loaded rows over the library, the configuration's own days over both."""
    rules = settings.work_rules(city.key)
    c = calendar_days.c
    rows = [
        DayRow(row.day, row.working, row.name, _scope(row.scope))
        for row in connection.execute(
            select(c.scope, c.day, c.working, c.name).where(c.scope.in_((NATIONAL, city.key)))
        )
    ]
    rows += [DayRow(day, False, name or None, "company") for day, name in rules.holidays.items()]
    rows += [DayRow(day, True, name or None, "company") for day, name in rules.workdays.items()]
    return WorkCalendar(
        zone=city.zone,
        rows=rows,
        announced_years=frozenset(connection.execute(select(calendar_years.c.year)).scalars()),
        work_week=rules.work_week,
        office_hours=rules.office_hours,
    )


def store_table(connection: Connection, table: CalendarTable, scope: str, now: datetime) -> None:
    """Replace the loaded days of ``scope`` that ``table`` speaks about, and note the years it announces."""
    days = [row.date for row in table.rows]
    c = calendar_days.c
    for start in range(0, len(days), 500):
        chunk = days[start : start + 500]
        connection.execute(delete(calendar_days).where(c.scope == scope, c.day.in_(chunk)))
    _insert_days(connection, table.rows, scope, now)
    if scope == NATIONAL:
        for year in sorted(table.announced_years):
            connection.execute(delete(calendar_years).where(calendar_years.c.year == year))
            connection.execute(insert(calendar_years).values(year=year, loaded_at=now))


def _insert_days(connection: Connection, rows: Sequence[DayRow], scope: str, now: datetime) -> None:
    if rows:
        connection.execute(
            insert(calendar_days),
            [
                {"scope": scope, "day": row.date, "working": row.working, "name": row.name, "loaded_at": now}
                for row in {row.date: row for row in rows}.values()
            ],
        )


def _scope(stored: str) -> Scope:
    return "national" if stored == NATIONAL else "city"
