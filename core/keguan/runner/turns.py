"""The turn of the year: promises that recur without end are wanted one year further on.

``Context.through`` is the end of next year, so at every new year the subjects of recurring plans are asked about
again. What year each city's plans are wanted from stands in the table ``turns``: whoever comes first makes the turn,
and a turn that was broken off is made again, which changes nothing that was done.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time

import structlog
from sqlalchemy import Connection, delete, insert, select

from keguan.installation import Installation
from keguan.model import Subject
from keguan.plans.planner import Planned, replan
from keguan.plans.recall import subjects_that_recur
from keguan.runner.ticks import cities_in_use
from keguan.store.schema import turns

__all__ = ["YearTurn"]

_CHUNK = 1000


@dataclass(slots=True)
class _Turn:
    """One city whose plans are wanted from an earlier year."""

    city: str
    year: int
    left: list[tuple[str, list[Subject]]]
    """Whom each plugin has still to be asked about, in chunks; the last comes first."""
    subjects: int
    planned: Planned = field(default_factory=Planned)


class YearTurn:
    """Makes the turn of the year in every city, chunk by chunk, so that its caller can see to other things between."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._quiet_until: datetime | None = None
        self._open: list[_Turn] = []
        self._log = structlog.get_logger("keguan.runner")

    def step(self) -> Planned | None:
        """Ask about the next chunk of subjects; ``None`` when there is nothing to turn.

        Free of the database until a year begins somewhere. Work before it returns ``None`` would be planned from
        the old year.
        """
        if not self._open:
            now = self._installation.clock.now()
            if self._quiet_until is not None and now < self._quiet_until:
                return None
            self._open = self._behind(now)
            self._quiet_until = self._installation.next_new_year(now)
            if not self._open:
                return None
        turn = self._open[-1]
        planned = Planned()
        if turn.left:
            plugin, subjects = turn.left[-1]
            planned = replan(self._installation, subjects, only=(plugin,))
            turn.left.pop()  # only now: what failed is tried again
            turn.planned.merge(planned)
            planned.events = 0  # none of them is new
        if not turn.left:
            self._note(turn)
            self._open.pop()
        return planned

    def _behind(self, now: datetime) -> list[_Turn]:
        """Return the turns to make; cities seen for the first time are written down where nothing is to do.

        A city without a row may have been planned for in an earlier year, by a daemon that had not seen it before.
        """
        behind: list[_Turn] = []
        fresh: list[tuple[str, int]] = []
        # Whoever plans from the old year has finished, or begins after this and sees the new one.
        with self._installation.planning(), self._installation.store.read() as connection:
            known = {row.city: row.year for row in connection.execute(select(turns.c.city, turns.c.year))}
            for city in cities_in_use(connection, self._installation):
                card = self._installation.city(city)
                year = card.today(now).year
                if known.get(city, 0) >= year:
                    continue
                begun = card.at(date(year, 1, 1), time())
                found = subjects_that_recur(connection, city, None if city in known else begun)
                if found or city in known:
                    count = len({subject for subjects in found.values() for subject in subjects})
                    behind.append(_Turn(city, year, list(_chunks(found)), count))
                else:
                    fresh.append((city, year))
        if fresh:
            with self._installation.store.write() as connection:
                for city, year in fresh:
                    _write(connection, city, year, now)
        return behind

    def _note(self, turn: _Turn) -> None:
        with self._installation.store.write() as connection:
            _write(connection, turn.city, turn.year, self._installation.clock.now())
        self._log.info(
            "new year", city=turn.city, year=turn.year, subjects=turn.subjects, planned=turn.planned.inserted
        )


def _chunks(found: dict[str, list[Subject]]) -> Iterator[tuple[str, list[Subject]]]:
    for plugin, subjects in found.items():
        for start in range(0, len(subjects), _CHUNK):
            yield plugin, subjects[start : start + _CHUNK]


def _write(connection: Connection, city: str, year: int, now: datetime) -> None:
    connection.execute(delete(turns).where(turns.c.city == city))
    connection.execute(insert(turns).values(city=city, year=year, at=now))
