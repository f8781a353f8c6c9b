"""Which subjects to ask about again, after something other than their own record changed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from keguan.model import Subject
from keguan.plans.wants import hook_for
from keguan.store.schema import deliveries, events, plans

__all__ = ["missed_by", "note_calendar_followed", "subjects_by_calendar", "subjects_since", "subjects_that_recur"]

_p = plans.c


def subjects_by_calendar(connection: Connection, loaded: datetime | None = None) -> tuple[list[Subject], list[int]]:
    """Return the subjects with open plans that were counted in working days, and the ticks to ask about again.

    The ticks, by their numbers, are the newest of each city in which a tick wanted such plans. With ``loaded`` only
    those count that were last computed before days were loaded then.
    """
    found = connection.execute(
        select(_p.subject_type, _p.subject_id, _p.kind == "tick", _p.city).where(_counted_before(loaded)).distinct()
    ).all()
    subjects = {Subject(kind, number) for kind, number, by_tick, _ in found if not by_tick}
    cities = sorted({city for *_, by_tick, city in found if by_tick})
    return sorted(subjects), [seq for city in cities for seq in _newest_tick(connection, city)]


def _newest_tick(connection: Connection, city: str) -> list[int]:
    e = events.c
    ticks = select(e.seq).where(e.subject_type == "day", e.city == city, e.type == "tick")
    return list(connection.execute(ticks.order_by(e.subject_id.desc()).limit(1)).scalars())


def subjects_that_recur(connection: Connection, city: str, before: datetime | None = None) -> dict[str, list[Subject]]:
    """Return by plugin whom it promised something in ``city`` that goes on year after year.

    What ticks wanted is left out: the next one says it anew. With ``before`` only promises first made before then
    count.
    """
    recurring = and_(_p.recurs, _p.city == city, _p.kind != "tick")
    if before is not None:
        recurring = and_(recurring, _p.created_at < before)
    rows = connection.execute(select(_p.plugin, _p.subject_type, _p.subject_id).where(recurring).distinct())
    found: dict[str, list[Subject]] = {}
    for plugin, kind, number in rows:
        found.setdefault(plugin, []).append(Subject(kind, number))
    return found


def note_calendar_followed(connection: Connection, loaded: datetime, now: datetime) -> None:
    """Note that open plans agree with the days loaded at ``loaded``, so that no later start computes them again."""
    connection.execute(update(plans).where(_counted_before(loaded)).values(changed_at=now))


def _counted_before(loaded: datetime | None) -> ColumnElement[bool]:
    counted = and_(_p.by_calendar, _p.status.in_(("planned", "held")))
    return counted if loaded is None else and_(counted, _p.changed_at <= loaded)


def subjects_since(connection: Connection, since: datetime | None) -> tuple[list[Subject], list[int]]:
    """Return the subjects of all events taken in since ``since`` (``None``: ever), and the numbers of ticks."""
    received = events.c.received_at >= since if since is not None else events.c.seq > 0
    subjects = connection.execute(
        select(events.c.subject_type, events.c.subject_id).where(received, events.c.type != "tick").distinct()
    )
    ticks = connection.execute(select(events.c.seq).where(received, events.c.type == "tick"))
    return [Subject(*row) for row in subjects], list(ticks.scalars())


def missed_by(connection: Connection, plugin: str, hooks: Collection[str]) -> tuple[list[Subject], list[int], int]:
    """Return what a plugin has not heard of: subjects, numbers of ticks, and how many events in all.

    Events count whose delivery was skipped while the plugin was off, and those that came in before it was
    ever installed.
    """
    own = and_(deliveries.c.event_seq == events.c.seq, deliveries.c.plugin == plugin)
    rows = connection.execute(
        select(events.c.seq, events.c.type, events.c.subject_type, events.c.subject_id)
        .select_from(events.outerjoin(deliveries, own))
        .where(events.c.state == "delivered", or_(deliveries.c.status.is_(None), deliveries.c.status == "skipped"))
    )
    subjects: set[Subject] = set()
    ticks: list[int] = []
    count = 0
    for row in rows:
        if hook_for(row.type) not in hooks:
            continue
        count += 1
        if row.type == "tick":
            ticks.append(row.seq)
        else:
            subjects.add(Subject(row.subject_type, row.subject_id))
    return sorted(subjects), ticks, count
