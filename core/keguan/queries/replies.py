"""What customers answered, and what gateways told of messages that had left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select, update

from keguan.errors import InputError
from keguan.masking import mask_name, mask_phone, mask_text
from keguan.queries.reader import Reader
from keguan.store.engine import Store
from keguan.store.schema import people, receipts, replies

__all__ = ["list_receipts", "list_replies", "note_read"]

_r = replies.c


def list_replies(
    reader: Reader, *, unread: bool = False, limit: int | None = None, unmask: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield ``{id, at, adapter, phone, customer, text, meaning, read_at, read_by}``, the newest first.

    ``meaning`` is ``opt_out``, ``opt_in`` or ``null``: then a person has to read it, and ``unread`` gives only those
    that nobody has. ``customer`` is the person's number. Phone, text and who read it are masked unless ``unmask``.
    """
    statement = select(replies, people.c.name).outerjoin(people, people.c.id == _r.person_id)
    if unread:
        statement = statement.where(_r.meaning.is_(None), _r.read_at.is_(None))
    with reader.store.read() as connection:
        for row in connection.execute(statement.order_by(_r.at.desc(), _r.id.desc()).limit(limit)):
            said = row.text if unmask else mask_text(_without_name(row.text, row.name))
            yield {
                "id": row.id,
                "at": reader.local(row.at, None),
                "adapter": row.adapter,
                "phone": row.phone if unmask else mask_phone(row.phone),
                "customer": row.person_id,
                "text": said,
                "meaning": row.meaning,
                "read_at": reader.local(row.read_at, None),
                "read_by": row.read_by if unmask or row.read_by is None else mask_name(row.read_by),
            }


def _without_name(said: str, name: str | None) -> str:
    return said.replace(name, mask_name(name)) if name else said


def note_read(store: Store, ids: Sequence[int], now: Any, by: str) -> None:
    """Note that a person has read these replies; the first time is kept.

    Raises ``InputError`` for a number that no reply has; then nothing is noted.
    """
    with store.write() as connection:
        known = set(connection.execute(select(_r.id).where(_r.id.in_(list(ids)))).scalars())
        unknown = [key for key in ids if key not in known]
        if unknown:
            raise InputError("replies.unknown", reply=unknown[0])
        connection.execute(
            update(replies).where(_r.id.in_(known), _r.read_at.is_(None)).values(read_at=now, read_by=by)
        )


def list_receipts(reader: Reader, message: int | None = None, limit: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield ``{id, at, received_at, adapter, provider_id, status, code, message}``, the newest first.

    ``message`` is the outbox number, ``null`` when nobody knows the message; given, only its receipts come.
    """
    c = receipts.c
    statement = select(receipts).order_by(c.at.desc(), c.id.desc()).limit(limit)
    if message is not None:
        statement = statement.where(c.message_id == message)
    with reader.store.read() as connection:
        for row in connection.execute(statement):
            yield {
                "id": row.id,
                "at": reader.local(row.at, None),
                "received_at": reader.local(row.received_at, None),
                "adapter": row.adapter,
                "provider_id": row.provider_id,
                "status": row.status,
                "code": row.code,
                "message": row.message_id,
            }
