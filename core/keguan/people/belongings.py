"""What hangs on a person: contracts and homes, from when until when, and whether somebody else shares them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from keguan.store.schema import owners, people

__all__ = ["Belonging", "about", "belongings"]

_o = owners.c


@dataclass(frozen=True, slots=True)
class Belonging:
    """A contract or a home of a person."""

    type: str
    """``contract`` or ``home``."""
    id: int
    since: date | None
    until: date | None
    """``None``: still."""
    shared: bool
    """Whether it was somebody else's at the same time, who is not erased."""


def belongings(connection: Connection, person: int) -> list[Belonging]:
    """Return the contracts and homes of a person, past ones included."""
    mine = connection.execute(select(owners).where(_o.person_id == person).order_by(_o.id)).all()
    found: dict[tuple[str, int], Belonging] = {}
    for row in mine:
        for kind, column, number in (("contract", _o.contract_id, row.contract_id), ("home", _o.home_id, row.home_id)):
            if number is not None:
                found[kind, number] = Belonging(
                    kind, number, row.since, row.until, _is_shared(connection, column, number, row)
                )
    return list(found.values())


def _is_shared(connection: Connection, column: Any, number: int, mine: Any) -> bool:
    others = (
        select(_o.id)
        .join_from(owners, people, people.c.id == _o.person_id)
        .where(column == number, _o.person_id != mine.person_id, people.c.erased_at.is_(None))
    )
    if mine.until is not None:
        others = others.where(or_(_o.since.is_(None), _o.since < mine.until))
    if mine.since is not None:
        others = others.where(or_(_o.until.is_(None), _o.until > mine.since))
    return connection.execute(others.limit(1)).first() is not None


def about(
    table: Table, person: int, owned: Sequence[Belonging], at: ColumnElement[Any], zone: tzinfo
) -> ColumnElement[bool]:
    """Return the condition that a row of ``table`` is about the person, or about something while it was theirs.

    ``at`` is the instant of the row, ``zone`` the one that dates of ownership are in. What concerns a home before
    or after the person owned it is somebody else's.
    """
    c = table.c
    conditions = [and_(c.subject_type == "customer", c.subject_id == person)]
    for one in owned:
        of = [c.subject_type == one.type, c.subject_id == one.id]
        if one.type == "home":
            of += [] if one.since is None else [at >= _midnight(one.since, zone)]
            of += [] if one.until is None else [at < _midnight(one.until, zone)]
        conditions.append(and_(*of))
    return or_(*conditions)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)
