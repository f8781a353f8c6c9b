"""Who is away from when to when, and who stands in meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import delete, insert, update

from keguan.errors import InputError
from keguan.settings.staff import DepartmentSettings
from keguan.staff.roster import Absence, Member, load_roster
from keguan.store.engine import Store
from keguan.store.schema import absences

__all__ = ["away", "back"]


def away(
    store: Store,
    who: str,
    deputy: str,
    *,
    from_on: date,
    until_on: date,
    today: date,
    now: datetime,
    by: str,
    leading: Mapping[str, DepartmentSettings],
) -> Absence:
    """Record that ``who`` is away from the first to the last day and that ``deputy`` stands in.

    Both are numbers or names on file. Raises ``InputError`` for people who are not known or have left, for days
    that are over or in the wrong order, for an absence that overlaps another one, and for one's own deputy.
    """
    with store.write() as connection:
        roster = load_roster(connection, leading)
        member, other = roster.find(who, today), roster.find(deputy, max(from_on, today), where="--deputy")
        if until_on < from_on or until_on < today:
            raise InputError("staff.period", start=from_on, end=until_on)
        if member.id == other.id:
            raise InputError("staff.own_deputy", staff=member.id)
        for known in roster.absences.get(member.id, ()):
            if known.from_on <= until_on and from_on <= known.until_on:
                raise InputError("staff.away_already", staff=member.id, start=known.from_on, end=known.until_on)
        number = connection.execute(
            insert(absences)
            .values(staff_id=member.id, deputy_id=other.id, from_on=from_on, until_on=until_on, at=now, who=by)
            .returning(absences.c.id)
        ).scalar_one()
        return Absence(number, member.id, other.id, from_on, until_on)


def back(store: Store, who: str, *, today: date, leading: Mapping[str, DepartmentSettings]) -> Member:
    """End the absence of ``who`` with yesterday; one that begins later stays.

    Raises ``InputError`` when the person is not known, or not away.
    """
    with store.write() as connection:
        roster = load_roster(connection, leading)
        member = roster.find(who, today)
        absence = roster.absence(member.id, today)
        if absence is None:
            raise InputError("staff.not_away", staff=member.id)
        same = absences.c.id == absence.id
        if absence.from_on == today:
            connection.execute(delete(absences).where(same))
        else:
            connection.execute(update(absences).where(same).values(until_on=today - timedelta(days=1)))
        return member
