"""What runs and what is said: plugins, templates with their registry, staff, and the calendar of each city."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from keguan.building import build_templates
from keguan.calendars import load_calendar
from keguan.doctor.found import Found, ill, notice, well, wrong
from keguan.outbox.registry import read_registry
from keguan.plugins import attempt_plugins
from keguan.plugins.recorded import suspended_names
from keguan.staff.examination import examine_staff

if TYPE_CHECKING:
    from keguan.plugins import Plugins
    from keguan.plugins.loading import Attempt
    from keguan.settings import Settings
    from keguan.store.engine import Store

__all__ = ["calendars", "load", "plugins", "staff", "templates"]

_AHEAD = timedelta(days=400)


def load(settings: Settings, store: Store | None) -> tuple[Attempt, set[str]]:
    """Return the plugins that are on, and the names of those that are suspended, as far as the database tells."""
    suspended: set[str] = set()
    if store is not None:
        with store.read() as connection:
            suspended = suspended_names(connection)
    return attempt_plugins(settings, suspended=suspended), suspended


def plugins(attempt: Attempt, suspended: set[str]) -> Iterator[Found]:
    """Each that is on must load, and none should be suspended."""
    for name in sorted(attempt.failures):
        yield from wrong("plugins", attempt.failures[name])
    for name in sorted(suspended):
        yield ill("plugins", "doctor.plugin_suspended", name=name)
    if not attempt.failures:
        yield well("plugins", "doctor.plugins", names=", ".join(attempt.plugins.names) or "–")


def templates(settings: Settings, loaded: Plugins) -> Iterator[Found]:
    """Each template must hold together, and what gateways approved must be what is sent."""
    texts = build_templates(settings, loaded)
    for error in (*texts.check_all(), *read_registry(settings, texts).mistakes):
        yield from wrong("templates", error)


def staff(settings: Settings, store: Store, today: date) -> Iterator[Found]:
    """Heads whom nobody knows, and staff whom nobody can reach."""
    with store.read() as connection:
        for ok, key, values in examine_staff(settings, connection, today):
            yield Found("staff", ok, key, values)


def calendars(settings: Settings, store: Store, now: datetime) -> Iterator[Found]:
    """The next four hundred days of every city: what is not announced yet gives provisional dates."""
    by_years: dict[tuple[int, ...], list[str]] = {}
    with store.read() as connection:
        for key in list(settings.cities) or ["default"]:
            city = settings.city(key)
            calendar = load_calendar(connection, settings, city)
            today = city.today(now)
            last = today + _AHEAD
            provisional = tuple(
                year
                for year in range(today.year, last.year + 1)
                if calendar.is_provisional(max(today, date(year, 1, 1)), min(last, date(year, 12, 31)))
            )
            by_years.setdefault(provisional, []).append(key)
    until = now.date() + _AHEAD
    for years, keys in by_years.items():
        cities = ", ".join(keys) if settings.cities else "–"
        if years:
            listed = ", ".join(map(str, years))
            yield notice("calendar", "doctor.calendar_provisional", years=listed, cities=cities)
        else:
            yield well("calendar", "doctor.calendar", until=until, cities=cities)
