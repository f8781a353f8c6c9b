"""Staff's day: what the hour asks for, done once. The daemon, `dispatch` and rehearsals all call this."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection, select

from keguan.errors import TemplateError
from keguan.runner.ticks import cities_in_use
from keguan.staff.digests import morning_of, write_digests
from keguan.staff.hours import next_digest
from keguan.staff.ladder import climb, next_climb
from keguan.staff.leaving import hand_over, waiting_for_hand_over
from keguan.staff.roster import load_roster
from keguan.store.schema import staff

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["look_after_staff", "next_look"]

_SOMEBODY = select(staff.c.id).limit(1)
_AGAIN = timedelta(minutes=15)
"""When what could not be done is tried again."""


def look_after_staff(installation: Installation) -> int:
    """Hand over what people who left had to do, let overdue tasks climb, write digests; return how much was done.

    What was done before is not done again, whoever calls this and however often: each part finds in the tables
    what is left to do. Call it again until it returns 0. Cheap when there is nothing. A template of the company that
    is wrong is told in the log and holds up nothing else.
    """
    now = installation.clock.now()
    with installation.store.read() as connection:
        if not _anybody(installation, connection):
            return 0
        cities = cities_in_use(connection, installation)
        earliest = min((installation.city(key).today(now) for key in cities), default=None)
        leaving = [] if earliest is None else waiting_for_hand_over(connection, earliest)
        mornings = {key: morning_of(installation, connection, key, now) for key in cities}
        climbing = next_climb(installation, connection, cities, now)
        due = any(morning.due for morning in mornings.values())
        if not (leaving or due or (climbing is not None and climbing <= now)):
            return 0
        roster = load_roster(connection, installation.settings.departments)
    parts: dict[str, Callable[[], int]] = {
        "handed over": partial(hand_over, installation, leaving, roster, now),
        "climbed": partial(climb, installation, cities, roster, now),
        "digests": partial(write_digests, installation, mornings, roster, now),
    }
    return sum(_do(name, part) for name, part in parts.items())


def _do(name: str, part: Callable[[], int]) -> int:
    log = structlog.get_logger("keguan.staff")
    try:
        count = part()
    except TemplateError as error:
        log.error("staff not told", what=name, error=str(error))
        return 0
    if count:
        log.info("staff's day", what=name, count=count)
    return count


def next_look(installation: Installation) -> datetime | None:
    """Return when staff's day next asks for something, always later than now; ``None`` when it never will."""
    now = installation.clock.now()
    at = installation.settings.staff.digest_at
    with installation.store.read() as connection:
        if not _anybody(installation, connection):
            return None
        cities = cities_in_use(connection, installation)
        climbing = next_climb(installation, connection, cities, now)
    instants = [next_digest(installation.city(key), installation.calendar(key), at, now) for key in cities]
    if climbing is not None:
        instants.append(climbing if climbing > now else now + _AGAIN)
    return min(instants, default=None)


def _anybody(installation: Installation, connection: Connection) -> bool:
    """Return whether there is anybody to tell; where nobody is known, nothing climbs and waits for whoever comes."""
    return bool(installation.settings.departments) or connection.execute(_SOMEBODY).first() is not None
