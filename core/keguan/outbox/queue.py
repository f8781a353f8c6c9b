"""The outbox table: claim, start, mark, recover. Each a single statement that two workers cannot both win."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import Connection, Row, and_, bindparam, func, literal_column, or_, select, type_coerce, update

from keguan.outbox.gate import Left, Permissions
from keguan.outbox.retry import Next
from keguan.store.records import in_chunks
from keguan.store.schema import messages, permissions
from keguan.store.types import Instant

__all__ = [
    "WAITING",
    "KeptBack",
    "claim",
    "is_gone",
    "load_permissions",
    "mark",
    "put_back",
    "recently_left",
    "recover",
    "release",
    "start",
    "worker_name",
]

LEASE = timedelta(minutes=2)
"""Counted anew when a message is handed to its adapter, so it need only outlast one attempt of twenty seconds."""
_THIS_START = uuid4().hex[:8]
"""Tells this process from an earlier one of the same number: after a restart in place, or in a container."""

_m = messages.c
_MINE = update(messages).where(
    _m.id == bindparam("own_id"), _m.worker == bindparam("own_worker"), _m.status == "sending"
)
"""One message of one worker; what is set goes with the parameters, so that the statement is made once."""
WAITING = _m.status.in_((literal_column("'queued'"), literal_column("'held'")))
"""Written out: with parameters in the list SQLite does not see that ``ix_messages_next`` has the same condition."""


class KeptBack(NamedTuple):
    """A message that the gate did not let pass."""

    id: int
    status: str
    why: str
    next_at: datetime


def worker_name() -> str:
    """Return a name by which a later process can tell whether this one still lives."""
    return f"{socket.gethostname()}/{os.getpid()}/{_THIS_START}"


def claim(
    connection: Connection,
    channels: Collection[str],
    adapter: str,
    worker: str,
    now: datetime,
    limit: int,
    lease: timedelta = LEASE,
) -> Sequence[Row[Any]]:
    """Take up to ``limit`` messages of ``channels`` that are due at ``now`` and return their rows.

    They are ``sending`` under ``worker`` until the lease ends; nobody else gets them meanwhile. Why one was held
    before is forgotten, for it is judged anew.
    """
    due = (
        select(_m.id)
        .where(_m.channel.in_(channels), WAITING, _m.next_at <= now)
        .order_by(_m.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(messages)
        .where(_m.id.in_(due))
        .values(status="sending", why=None, worker=worker, lease_until=now + lease, adapter=adapter, started_at=None)
        .returning(messages)
    )
    # RETURNING promises no order
    return sorted(connection.execute(statement), key=lambda row: (row.next_at, row.id))


def start(connection: Connection, message_id: int, worker: str, now: datetime, lease: timedelta = LEASE) -> bool:
    """Record that the message is handed to its adapter now: from here on a crash means *in doubt*.

    Its lease begins anew. Returns ``False`` when the lease was lost meanwhile; the message must then not be sent.
    """
    values = {"own_id": message_id, "own_worker": worker, "started_at": now, "lease_until": now + lease}
    return connection.execute(_MINE, values).rowcount == 1


def mark(connection: Connection, message_id: int, worker: str, outcome: Next, to_masked: str | None) -> None:
    """Write what became of an attempt and end the lease."""
    values: dict[str, Any] = {
        "own_id": message_id,
        "own_worker": worker,
        "status": outcome.status,
        "attempts": outcome.attempts,
        "doubts": outcome.doubts,
        "error": outcome.error,
        "sent_at": outcome.sent_at,
        "provider_id": outcome.provider_id,
        "why": None,
        "worker": None,
        "lease_until": None,
        "to_masked": to_masked,
    }
    if outcome.next_at is not None:
        values["next_at"] = outcome.next_at
    connection.execute(_MINE, values)


def put_back(connection: Connection, worker: str, kept: Sequence[KeptBack]) -> None:
    """End the lease of messages that did not start: held, suppressed, expired."""
    connection.execute(
        _MINE,
        [
            {
                "own_id": one.id,
                "own_worker": worker,
                "status": one.status,
                "why": one.why,
                "next_at": one.next_at,
                "worker": None,
                "lease_until": None,
                "started_at": None,
            }
            for one in kept
        ],
    )


def release(connection: Connection, worker: str, ids: Iterable[int] | None = None) -> None:
    """Give back what was claimed and not started (``ids``, or all), so that a clean stop leaves nothing behind."""
    mine = [_m.worker == worker, _m.status == "sending", _m.started_at.is_(None)]
    if ids is not None:
        mine.append(_m.id.in_(list(ids)))
    connection.execute(update(messages).where(*mine).values(status="queued", worker=None, lease_until=None))


def recover(connection: Connection, now: datetime) -> tuple[int, list[Row[Any]]]:
    """Find messages whose worker died: queue those not started, return those in doubt.

    A worker counts as dead when its lease has ended, or when it ran on this host and its process is gone. This
    process's own are left alone: their threads know better, and may only be waiting to write an outcome. Returns
    how many were queued again, and the rows that had been handed to an adapter; their policy decides.
    """
    held = connection.execute(
        select(_m.id, _m.worker, _m.lease_until, _m.started_at).where(_m.status == "sending")
    ).all()
    own = f"{worker_name()}/"
    dead = [
        row
        for row in held
        if is_gone(row.worker) or (row.lease_until <= now and not (row.worker or "").startswith(own))
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


def is_gone(worker: str | None) -> bool:
    """Return whether the process behind a worker's name is certainly dead."""
    host, _, rest = (worker or "").partition("/")
    number, _, rest = rest.partition("/")
    if host != socket.gethostname() or not number.isdigit():
        return False
    if int(number) == os.getpid():
        return rest.partition("/")[0] != _THIS_START
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def load_permissions(connection: Connection, people: Collection[int]) -> dict[int, Permissions]:
    """Return what each of ``people`` granted or withdrew."""
    found: dict[int, Permissions] = {}
    c = permissions.c
    for row in connection.execute(
        select(c.person_id, c.channel, c.message_class, c.granted).where(c.person_id.in_(list(people)))
    ):
        found.setdefault(row.person_id, {})[row.channel, row.message_class] = row.granted
    return found


def recently_left(connection: Connection, people: Collection[int], since: datetime) -> dict[int, list[Left]]:
    """Return what left to each of ``people`` since ``since``, or is leaving; urgent messages and codes left out.

    A message in doubt counts: it may have arrived.
    """
    at = func.coalesce(_m.sent_at, _m.started_at)
    found: dict[int, list[Left]] = {}
    for chunk in in_chunks(people):
        rows = connection.execute(
            select(_m.person_id, type_coerce(at, Instant), _m.channel, _m.late).where(
                _m.person_id.in_(chunk),
                ~_m.urgent,
                _m.message_class != "code",
                or_(_m.sent_at >= since, and_(_m.status.in_(("sending", "in_doubt")), _m.started_at >= since)),
            )
        )
        for person, *left in rows:
            found.setdefault(person, []).append(Left(*left))
    return found
