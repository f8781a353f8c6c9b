"""The outbox table: claim, start, mark. Each a single statement that two workers cannot both win."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import Connection, Row, Select, bindparam, literal_column, not_, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from keguan.outbox.retry import Next
from keguan.outbox.routes import Source
from keguan.store.listed import listed
from keguan.store.schema import messages
from keguan.store.types import to_stored

__all__ = [
    "WAITING",
    "KeptBack",
    "claim",
    "is_gone",
    "look",
    "mark",
    "mark_all",
    "postpone",
    "put_back",
    "release",
    "start",
    "take",
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

_TAKE = update(messages).where(listed(_m.id), WAITING).values(status="sending")
"""What else is set goes with the parameters."""


class KeptBack(NamedTuple):
    """A message that the gate did not let pass."""

    id: int
    status: str
    why: str | None
    next_at: datetime
    via: str | None = None


def worker_name() -> str:
    """Return a name by which a later process can tell whether this one still lives."""
    return f"{socket.gethostname()}/{os.getpid()}/{_THIS_START}"


def claim(
    connection: Connection,
    sources: Sequence[Source],
    adapter: str,
    worker: str,
    now: datetime,
    limit: int,
    lease: timedelta = LEASE,
) -> Sequence[Row[Any]]:
    """Take up to ``limit`` messages of ``sources`` that are due at ``now``; return their rows, the longest due first.

    Sources named first come before the others. The messages are ``sending`` under ``worker`` until the lease ends;
    nobody else gets them meanwhile. Why one was held before is forgotten, for it is judged anew.
    """
    taken = {"new_worker": worker, "new_lease": now + lease, "new_adapter": adapter, "asked_at": now}
    found: list[Row[Any]] = []
    for source in sources:
        asked = {"asked_channel": source.channel, "asked_via": source.via, "asked_limit": limit - len(found)}
        found += connection.execute(_CLAIMS[source.via is None, source.standing_in], taken | asked)
        if len(found) >= limit:
            break
    return sorted(found, key=lambda row: (row.next_at, row.id))  # RETURNING promises no order


def look(connection: Connection, now: datetime, limit: int, sources: Sequence[Source]) -> list[Row[Any]]:
    """Return the rows that ``claim`` would take, locked until the transaction ends and otherwise as they are."""
    found: list[Row[Any]] = []
    for source in sources:
        asked = {"asked_channel": source.channel, "asked_via": source.via, "asked_at": now}
        statement = _LOOKS[source.via is None, source.standing_in]
        found += connection.execute(statement, asked | {"asked_limit": limit - len(found)})
        if len(found) >= limit:
            break
    return found


def take(
    connection: Connection,
    ids: Sequence[int],
    adapter: str,
    worker: str,
    now: datetime,
    lease: timedelta = LEASE,
    *,
    started: bool,
    note: str | None = None,
) -> None:
    """Claim messages that this very transaction looked at; ``started`` if they leave once it is committed.

    Claimed, started and marked they would be written three times, and the disk is what delivery waits for.
    """
    if ids:
        values = {"worker": worker, "lease_until": now + lease, "adapter": adapter, "why": None, "note": note}
        at = now if started else None
        connection.execute(_TAKE, {"numbers": ids, "started_at": at, **values})


def _due(columns: Sequence[Any], *, of_nobody: bool, standing_in: bool) -> Select[Any]:
    """Each walks one range of ``ix_messages_next`` from its beginning, however many messages wait."""
    due = select(*columns).where(
        _m.channel == bindparam("asked_channel"),
        _m.via.is_(None) if of_nobody else _m.via == bindparam("asked_via"),
        WAITING,
        _m.next_at <= bindparam("asked_at"),
    )
    if standing_in:
        due = due.where(_m.doubts == 0)
    return due.order_by(_m.via, _m.next_at).limit(bindparam("asked_limit")).with_for_update(skip_locked=True)


def _claiming(*, of_nobody: bool, standing_in: bool) -> ReturningUpdate[Any]:
    due = _due([_m.id], of_nobody=of_nobody, standing_in=standing_in)
    return (
        update(messages)
        .where(_m.id.in_(due))
        .values(
            status="sending",
            why=None,
            started_at=None,
            worker=bindparam("new_worker"),
            lease_until=bindparam("new_lease"),
            adapter=bindparam("new_adapter"),
        )
        .returning(messages)
    )


_KINDS = [(of_nobody, standing_in) for of_nobody in (True, False) for standing_in in (True, False)]
_CLAIMS = {kind: _claiming(of_nobody=kind[0], standing_in=kind[1]) for kind in _KINDS}
_UNREAD = ("created_at", "due_at", "lease_until", "worker", "sent_at", "delivered_at", "to_masked", "error")
"""What nobody asks of a message that leaves."""
_LOOKS = {
    kind: _due([each for each in _m if each.name not in _UNREAD], of_nobody=kind[0], standing_in=kind[1])
    for kind in _KINDS
}


def start(
    connection: Connection,
    message_id: int,
    worker: str,
    now: datetime,
    lease: timedelta = LEASE,
    note: str | None = None,
) -> bool:
    """Record that the message is handed to its adapter now: from here on a crash means *in doubt*.

    Its lease begins anew; ``note`` is the rule that was set aside for it. Returns ``False`` when the lease was lost
    meanwhile; the message must then not be sent.
    """
    values = {"own_id": message_id, "own_worker": worker, "started_at": now, "lease_until": now + lease, "note": note}
    return connection.execute(_MINE, values).rowcount == 1


def mark(connection: Connection, message_id: int, worker: str, outcome: Next, to_masked: str | None) -> None:
    """Write what became of an attempt and end the lease."""
    mark_all(connection, worker, [(message_id, outcome, to_masked)])


_MARK = (
    "UPDATE messages SET status = ?, attempts = ?, doubts = ?, error = ?, sent_at = ?, provider_id = ?, via = ?, "
    "to_masked = ?, next_at = COALESCE(?, next_at), why = NULL, worker = NULL, lease_until = NULL "
    "WHERE id = ? AND worker = ? AND status = 'sending'"
)
_MARKS = {"sqlite": _MARK, "postgresql": _MARK.replace("?", "%s")}


def mark_all(connection: Connection, worker: str, ended: Iterable[tuple[int, Next, str | None]]) -> None:
    """Write what became of many attempts (number, new state, masked address) at the speed of the driver."""
    rows = [
        (
            outcome.status,
            outcome.attempts,
            outcome.doubts,
            outcome.error,
            None if outcome.sent_at is None else to_stored(outcome.sent_at),
            outcome.provider_id,
            outcome.via,
            to_masked,
            None if outcome.next_at is None else to_stored(outcome.next_at),
            number,
            worker,
        )
        for number, outcome, to_masked in ended
    ]
    if rows:
        connection.exec_driver_sql(_MARKS[connection.dialect.name], rows)


def put_back(connection: Connection, worker: str, kept: Sequence[KeptBack]) -> None:
    """End the lease of messages that did not start: held, suppressed, expired."""
    if not kept:
        return
    connection.execute(
        _MINE,
        [
            {
                "own_id": one.id,
                "own_worker": worker,
                "status": one.status,
                "why": one.why,
                "next_at": one.next_at,
                "via": one.via,
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


def postpone(connection: Connection, row: Row[Any], adapter: str, until: datetime) -> None:
    """Let the other messages to the same person wait as long as this one: the other side takes no more for them.

    Urgent ones and codes try for themselves, and so does what waits for another adapter.
    """
    if row.person_id is None:
        return
    others = update(messages).where(_m.person_id == row.person_id, _m.channel == row.channel, WAITING)
    through = or_(_m.via == adapter, _m.via.is_(None)) if row.via in (None, adapter) else _m.via == row.via
    mine = others.where(through, _m.next_at < until, not_(_m.urgent), _m.message_class != "code")
    connection.execute(mine.values(next_at=until))


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
