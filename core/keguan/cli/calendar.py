"""``keguan calendar``: what the working-day calendar knows, and loading a new notice."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keguan.cli.app import App, pass_app

if TYPE_CHECKING:
    from keguan.calendar import WorkCalendar

__all__ = ["calendar_command"]


class _Day(click.ParamType[date]):
    """A business date as ISO 8601."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the date or say what a date looks like."""
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a date such as 2026-03-02", param, ctx)


_CITY = click.option("--city", help="The city whose calendar is meant: key, name or alias.")


@click.group("calendar")
def calendar_command() -> None:
    """Working days, holidays and make-up days, and which of them are not announced yet."""


@calendar_command.command("load")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_CITY
@pass_app
def load(app: App, file: Path, city: str | None) -> None:
    """Load a table of days (date,working,name): a year's notice or its amendment, or one city's own days.

    What hangs on the days is computed again: by a running daemon within seconds, else by this command.
    """
    from keguan.calendar import read_table
    from keguan.calendars import NATIONAL, store_table
    from keguan.plans.planner import replan, replay_ticks
    from keguan.plans.recall import subjects_by_calendar

    key = _key(app, city)
    table = read_table(file, scope="city" if key else "national")
    with app.store.write() as connection:
        store_table(connection, table, key or NATIONAL, app.clock.now())
    with app.store.read() as connection:
        subjects, ticks = subjects_by_calendar(connection)
    moved = replan(app.installation, subjects).moved + replay_ticks(app.installation, ticks).moved
    years = sorted(table.announced_years)
    app.answer(
        {"file": str(file), "days": len(table.rows), "scope": key or NATIONAL, "announced_years": years, "moved": moved}
    )
    app.say(
        "commands.calendar.loaded",
        days=len(table.rows),
        scope=key or NATIONAL,
        years=", ".join(map(str, years)) or "–",
        moved=moved,
    )


@calendar_command.command("day")
@click.argument("days", type=_Day(), nargs=-1, required=True)
@_CITY
@pass_app
def day(app: App, days: tuple[date, ...], city: str | None) -> None:
    """Say of each DAY whether it is worked, its name, and whether that may still change."""
    calendar = _calendar(app, city)
    infos = [calendar.day(one) for one in days]
    app.answer_rows(
        [
            {
                "date": info.date,
                "working": info.working,
                "name": info.name,
                "provisional": info.provisional,
                "source": info.source,
            }
            for info in infos
        ],
        ("date", "working", "name", "provisional", "source"),
        "commands.calendar",
    )


@calendar_command.command("add")
@click.argument("day", type=_Day())
@click.option("--workdays", type=int, required=True, help="How many working days after DAY; it does not count.")
@_CITY
@pass_app
def add(app: App, day: date, workdays: int, city: str | None) -> None:
    """Print the N-th working day after DAY."""
    calendar = _calendar(app, city)
    found = calendar.add_workdays(day, workdays)
    app.answer({"date": day, "workdays": workdays, "result": found, "provisional": calendar.is_provisional(day, found)})
    app.say("commands.calendar.added", day=found.isoformat())


@calendar_command.command("between")
@click.argument("first", type=_Day())
@click.argument("last", type=_Day())
@_CITY
@pass_app
def between(app: App, first: date, last: date, city: str | None) -> None:
    """Count the working days after FIRST up to and including LAST."""
    calendar = _calendar(app, city)
    count = calendar.workdays_between(first, last)
    app.answer({"from": first, "to": last, "workdays": count, "provisional": calendar.is_provisional(first, last)})
    app.say("commands.calendar.between", workdays=count)


def _key(app: App, city: str | None) -> str | None:
    """Return the key of a city given by key, name or alias; an unknown one is an error naming those known."""
    if city is None:
        return None
    from keguan.errors import UsageError

    key = app.settings.city_key(city)
    if key is None:
        raise UsageError("cli.unknown_city", city=city, known=", ".join(app.settings.cities) or "–")
    return key


def _calendar(app: App, city: str | None) -> WorkCalendar:
    """Return one city's calendar, the first configured city's unless named. Loads no plugin."""
    from keguan.calendars import load_calendar

    key = _key(app, city) or next(iter(app.settings.cities), "default")
    with app.store.read() as connection:
        return load_calendar(connection, app.settings, app.settings.city(key))
