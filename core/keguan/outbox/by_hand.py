"""What a person decides about messages: retry what is dead, release what is held, drop what shall not leave.

Each works on numbered messages (all of them, or none and every reason) or on all of a status, in short
transactions. A message that is being sent at this moment is nobody's to touch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from keguan.errors import InputError, KeguanError, Refusals
from keguan.store.engine import Store
from keguan.store.records import in_chunks
from keguan.store.schema import messages

__all__ = ["DROPPABLE", "RELEASABLE", "RETRIABLE", "Retried", "drop", "release", "release_all", "retry", "retry_all"]

RETRIABLE = ("dead", "in_doubt", "undelivered")
RELEASABLE = ("held", "in_doubt")
DROPPABLE = ("queued", "held", "in_doubt", "dead", "undelivered")
_BATCH = 1000
_m = messages.c


@dataclass(frozen=True, slots=True)
class Retried:
    """How many messages are queued again, and how many stay because their window has passed."""

    queued: int
    expired: int = 0


def _again(now: datetime) -> dict[str, Any]:
    """A message as if it had just been queued; the last error stays visible until the next attempt."""
    return {
        "status": "queued",
        "attempts": 0,
        "next_at": now,
        "why": None,
        "worker": None,
        "lease_until": None,
        "started_at": None,
        "sent_at": None,
        "provider_id": None,
        "via": None,
    }


def _open_window(now: datetime) -> ColumnElement[bool]:
    return or_(_m.expires_at.is_(None), _m.expires_at > now)


def retry(store: Store, ids: Sequence[int], now: datetime) -> Retried:
    """Queue these messages again, due now. Raises ``Refusals`` for what never failed or whose window has passed."""
    with store.write() as connection:
        rows = _rows(connection, ids, RETRIABLE, "outbox.not_retriable")
        _refuse(
            InputError("outbox.window_passed", message=row.id)
            for row in rows
            if row.expires_at is not None and row.expires_at <= now
        )
        _set(connection, ids, RETRIABLE, _again(now))
    return Retried(len(rows))


def retry_all(store: Store, status: str, now: datetime) -> Retried:
    """Queue all messages of ``status`` again whose window is open; the others stay as they are."""
    queued = _set_all(store, status, _again(now), _open_window(now))
    with store.read() as connection:
        left = connection.execute(
            select(func.count()).select_from(messages).where(_m.status == status, ~_open_window(now))
        ).scalar_one()
    return Retried(queued, left)


def release(store: Store, ids: Sequence[int], now: datetime) -> int:
    """Queue held messages now, to be judged again, and messages in doubt, to be sent again on a person's word.

    Returns how many. Raises ``Refusals``.
    """
    with store.write() as connection:
        rows = _rows(connection, ids, RELEASABLE, "outbox.not_releasable")
        _set(connection, ids, RELEASABLE, _again(now))
    return len(rows)


def release_all(store: Store, status: str, now: datetime) -> int:
    """Release all messages of ``status`` (``held`` or ``in_doubt``); return how many."""
    return _set_all(store, status, _again(now))


def drop(store: Store, ids: Sequence[int], reason: str) -> int:
    """Take messages out of the outbox for good, with the reason. Returns how many; raises ``Refusals``."""
    with store.write() as connection:
        rows = _rows(connection, ids, DROPPABLE, "outbox.not_droppable")
        _set(connection, ids, DROPPABLE, {"status": "dropped", "why": reason})
    return len(rows)


def _rows(connection: Connection, ids: Sequence[int], statuses: Sequence[str], key: str) -> list[Any]:
    """Return the rows of these messages, locked; raises ``Refusals`` with ``key`` for those of other statuses."""
    found: dict[int, Any] = {}
    for chunk in in_chunks(ids):
        statement = select(_m.id, _m.status, _m.expires_at).where(_m.id.in_(chunk)).with_for_update()
        found.update((row.id, row) for row in connection.execute(statement))
    wrong: list[KeguanError] = []
    for number in dict.fromkeys(ids):
        if number not in found:
            wrong.append(InputError("outbox.unknown", message=number))
        elif found[number].status not in statuses:
            wrong.append(InputError(key, message=number, status=found[number].status))
    _refuse(wrong)
    return list(found.values())


def _refuse(wrong: Iterable[KeguanError]) -> None:
    errors = list(wrong)
    if errors:
        raise Refusals(errors)


def _set(connection: Connection, ids: Sequence[int], statuses: Sequence[str], values: dict[str, Any]) -> None:
    for chunk in in_chunks(ids):
        connection.execute(update(messages).where(_m.id.in_(chunk), _m.status.in_(statuses)).values(values))


def _set_all(store: Store, status: str, values: dict[str, Any], *conditions: ColumnElement[bool]) -> int:
    total = 0
    while True:
        with store.write() as connection:
            some = select(_m.id).where(_m.status == status, *conditions).order_by(_m.id).limit(_BATCH)
            changed = connection.execute(
                update(messages).where(_m.id.in_(some), _m.status == status).values(values)
            ).rowcount
        total += changed
        if changed < _BATCH:
            return total
