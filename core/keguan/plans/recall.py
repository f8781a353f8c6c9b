"""Which subjects to ask about again, after something other than their own record changed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from keguan.model import Subject
from keguan.plans.wants import hook_for
from keguan.store.schema import deliveries, events, plans

__all__ = ["missed_by", "note_calendar_followed", "subjects_by_calendar", "subjects_since"]


def subjects_by_calendar(connection: Connection, loaded: datetime | None = None) -> list[Subject]:
    """Return the subjects with open plans that were counted in working days.

    With ``loaded`` only those whose plans were last computed before days were loaded then.
    """
    rows = connection.execute(
        select(plans.c.subject_type, plans.c.subject_id).where(_counted_before(loaded)).distinct()
    )
    return [Subject(*row) for row in rows]


def note_calendar_followed(connection: Connection, loaded: datetime, now: datetime) -> None:
    """Note that open plans agree with the days loaded at ``loaded``, so that no later start computes them again."""
    connection.execute(update(plans).where(_counted_before(loaded)).values(changed_at=now))


def _counted_before(loaded: datetime | None) -> ColumnElement[bool]:
    counted = and_(plans.c.by_calendar, plans.c.status.in_(("planned", "held")))
    return counted if loaded is None else and_(counted, plans.c.changed_at <= loaded)


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
