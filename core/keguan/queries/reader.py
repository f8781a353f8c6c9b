"""How the lists read: pages of rows in bounded memory, narrowed by the same filters, in each city's own time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Select, Table, case, literal, select

from keguan.errors import InputError
from keguan.nearest import nearest
from keguan.store.schema import projects
from keguan.store.types import Instant
from keguan.texts import Language, text

if TYPE_CHECKING:
    from keguan.settings import Settings
    from keguan.store.engine import Store

__all__ = ["Filters", "Reader", "by_key", "is_rule", "pages", "plain_why"]

PAGE = 1000
_KEY = re.compile(r"[a-z_]+(\.[a-z_]+)+")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; everything is optional."""

    statuses: tuple[str, ...] = ()
    plugin: str | None = None
    project: str | None = None
    """A project's name."""
    city: str | None = None
    """A city's key, name or alias."""
    since: date | datetime | None = None
    """From the beginning of that day in the row's own city, or from that instant (aware) on."""
    until: date | datetime | None = None
    """To the end of that day in the row's own city, or up to that instant (aware), which is not in it."""
    limit: int | None = None
    """At most so many rows; ``None``: all."""


class Reader:
    """One database seen at one instant, with the time zones and the language to show it in."""

    def __init__(self, store: Store, settings: Settings, now: datetime, language: Language) -> None:
        self.store = store
        self.settings = settings
        self.now = now
        self.language = language
        self._zones: dict[str | None, ZoneInfo] = {}

    # --- Showing ---------------------------------------------------------------------------------------------

    def zone(self, city: str | None) -> ZoneInfo:
        """Return the time zone of a city; ``None`` gives the zone of cities that are not configured."""
        zone = self._zones.get(city)
        if zone is None:
            zone = self._zones[city] = self.settings.city(city or "").zone
        return zone

    def local(self, instant: datetime | None, city: str | None) -> datetime | None:
        """Return ``instant`` as the clocks of ``city`` show it."""
        return None if instant is None else instant.astimezone(self.zone(city))

    # --- Narrowing -------------------------------------------------------------------------------------------

    def narrow(
        self, connection: Connection, statement: Select[Any], table: Table, instant: str, filters: Filters
    ) -> Select[Any]:
        """Return ``statement`` over ``table`` narrowed to ``filters``, the period by its column ``instant``.

        Raises ``InputError`` for a project or a city that nobody knows.
        """
        c = table.c
        if filters.statuses:
            statement = statement.where(c.status.in_(filters.statuses))
        if filters.plugin is not None:
            statement = statement.where(c.plugin == filters.plugin)
        if filters.project is not None:
            statement = statement.where(c.project_id == self.project_id(connection, filters.project))
        return self.narrow_place_and_time(connection, statement, table, instant, filters)

    def narrow_place_and_time(
        self, connection: Connection, statement: Select[Any], table: Table, instant: str, filters: Filters
    ) -> Select[Any]:
        """Return ``statement`` narrowed to the city, the period and the number of rows in ``filters``."""
        c = table.c
        if filters.city is not None:
            statement = statement.where(c.city == self.city_key(connection, filters.city))
        if filters.since is not None:
            statement = statement.where(c[instant] >= self._bound(filters.since, c.city, end=False))
        if filters.until is not None:
            statement = statement.where(c[instant] < self._bound(filters.until, c.city, end=True))
        return statement if filters.limit is None else statement.limit(filters.limit)

    def project_id(self, connection: Connection, name: str) -> int:
        """Return the number of the project called ``name``; raises ``InputError`` when there is none."""
        found = connection.execute(select(projects.c.id).where(projects.c.name == name)).scalar()
        if found is not None:
            return int(found)
        near = nearest(name, connection.execute(select(projects.c.name)).scalars())
        raise InputError("queries.project_unknown", project=name, near=near or "–")

    def city_key(self, connection: Connection, written: str) -> str:
        """Return the key of the city written so; raises ``InputError`` for one that no configuration or project has."""
        key = self.settings.city_key(written)
        if key is not None:
            return key
        used = set(connection.execute(select(projects.c.city).distinct()).scalars())
        if written in used:
            return written
        near = nearest(written, [*self.settings.cities, *used])
        raise InputError("queries.city_unknown", city=written, near=near or "–")

    def _bound(self, when: date | datetime, city: ColumnElement[Any], *, end: bool) -> ColumnElement[Any]:
        """Return the instant at which a day begins (or has ended) in a row's city, as an expression."""
        if isinstance(when, datetime):
            return literal(when, Instant())
        day = when + timedelta(days=1) if end else when

        def midnight(zone: ZoneInfo) -> ColumnElement[Any]:
            return literal(datetime.combine(day, time(), tzinfo=zone), Instant())

        others = [(city == key, midnight(zone)) for key, zone in self._odd_zones.items()]
        return case(*others, else_=midnight(self.zone(None))) if others else midnight(self.zone(None))

    @cached_property
    def _odd_zones(self) -> dict[str, ZoneInfo]:
        """Configured cities whose clocks differ from the default."""
        usual = self.zone(None)
        return {key: self.zone(key) for key in self.settings.cities if self.zone(key) != usual}


def pages(connection: Connection, statement: Select[Any], size: int = PAGE) -> Iterator[Sequence[Any]]:
    """Yield the rows of ``statement`` in pages, never more than ``size`` in memory."""
    yield from connection.execute(statement, execution_options={"yield_per": size}).partitions()


def plain_why(language: Language, why: str | None) -> str | None:
    """Return the reason stored in ``why``, a catalogue key or a person's own words, as a sentence."""
    if why and _KEY.fullmatch(why):
        try:
            return text(language, why)
        except (KeyError, FileNotFoundError):
            return why
    return why or None


def is_rule(why: str | None) -> bool:
    """Return whether the reason stored in ``why`` is a rule of ours, a catalogue key, and no person's own words."""
    return bool(why and _KEY.fullmatch(why))


def by_key(rows: Sequence[Any], key: Callable[[Any], int]) -> dict[int, list[Any]]:
    """Return ``rows`` grouped by ``key``, in their order."""
    groups: dict[int, list[Any]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups
