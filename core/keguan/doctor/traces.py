"""What the database tells of the past: when something was written last, and since when it is in use."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Connection, select

from keguan.store.schema import daemons, events, gateways, messages

__all__ = ["first_instant", "newest_instant"]

# By number, newest first: one entry of an index each, however much is stored.
_NEWEST: tuple[tuple[Column[datetime], Column[int]], ...] = (
    (events.c.received_at, events.c.seq),
    (messages.c.created_at, messages.c.id),
    (daemons.c.heartbeat_at, daemons.c.id),
)


def newest_instant(connection: Connection) -> datetime | None:
    """Return the latest instant at which this machine's clock was written down; ``None`` when it never was."""
    found = [connection.execute(select(at).order_by(number.desc()).limit(1)).scalar() for at, number in _NEWEST]
    found += [
        at
        for row in connection.execute(select(gateways.c.last_sent_at, gateways.c.last_error_at, gateways.c.polled_at))
        for at in row
    ]
    return max((at for at in found if at is not None), default=None)


def first_instant(connection: Connection) -> datetime | None:
    """Return when the first event was recorded; ``None`` when there is none."""
    return connection.execute(select(events.c.received_at).order_by(events.c.seq).limit(1)).scalar()
