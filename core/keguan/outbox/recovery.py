"""Take up again what a dead process, or an adapter that is gone, left behind in the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, case, select, update

from keguan.outbox import queue
from keguan.outbox.routes import Routes
from keguan.store.listed import among
from keguan.store.schema import messages

__all__ = ["recover", "reroute"]

_m = messages.c


def reroute(connection: Connection, routes: Routes, limit: int = 1000) -> int:
    """Let what waits for an adapter that its channel has no longer begin anew at the first, ``limit`` at most.

    What may have left through such an adapter is in doubt for a person instead. Returns how many there were.
    """
    changed = 0
    for channel, names in routes.by_channel.items():
        lost = select(_m.id).where(_m.channel == channel, queue.WAITING, _m.via.is_not(None), _m.via.not_in(names))
        ids = list(connection.execute(lost.limit(limit - changed)).scalars())
        if ids:
            state = case((_m.doubts > 0, "in_doubt"), else_=_m.status)
            mine = update(messages).where(among(_m.id, ids), queue.WAITING)
            connection.execute(mine.values(via=None, status=state))
            changed += len(ids)
    return changed


def recover(connection: Connection, now: datetime) -> tuple[int, list[Row[Any]]]:
    """Find messages whose worker died: queue those not started, return those in doubt.

    A worker counts as dead when its lease has ended, or when it ran on this host and its process is gone. This
    process's own are left alone: their threads know better, and may only be waiting to write an outcome. Returns
    how many were queued again, and the rows that had been handed to an adapter; their policy decides.
    """
    held = connection.execute(
        select(_m.id, _m.worker, _m.lease_until, _m.started_at).where(_m.status == "sending")
    ).all()
    own = f"{queue.worker_name()}/"
    dead = [
        row
        for row in held
        if queue.is_gone(row.worker) or (row.lease_until <= now and not (row.worker or "").startswith(own))
    ]
    idle = [row.id for row in dead if row.started_at is None]
    if idle:
        connection.execute(
            update(messages)
            .where(_m.id.in_(idle), _m.status == "sending")
            .values(status="queued", worker=None, lease_until=None)
        )
    started = [row.id for row in dead if row.started_at is not None]
    if not started:
        return len(idle), []
    return len(idle), list(connection.execute(select(messages).where(_m.id.in_(started), _m.status == "sending")))
