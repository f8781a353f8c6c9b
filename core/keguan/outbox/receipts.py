"""What gateways tell after a message left: whether it arrived, and what the customer answered.

Receipts come twice, late, before our own record of the sending is on disk, and for messages nobody knows. Each is
kept once; what it says is applied to its message as soon as that is known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, func, insert, literal, select, update

from keguan.adapters.base import Heard, Receipt, Reply
from keguan.people.answers import meaning
from keguan.people.consent import opt_in, opt_out
from keguan.people.lookup import by_phone, phone_indexes
from keguan.people.suppressions import REFUSED, accept_again, suppress
from keguan.store.schema import messages, people, receipts, replies
from keguan.store.sealed import digest

__all__ = ["Noted", "apply_waiting", "record_heard"]

_EARLY = timedelta(days=3)
"""How long a receipt may be ahead of our own record of its message; afterwards the message is not ours."""
_STOPS = ("service", "promotion")
"""What an answer such as R stops; codes, which the person asks for each time, go on (a decision of ours)."""

_m, _r = messages.c, receipts.c
_MESSAGE = (_m.id.label("message"), _m.status.label("message_status"), _m.channel, _m.person_id)


@dataclass(slots=True)
class Noted:
    """What one call or poll of a gateway brought."""

    delivered: int = 0
    undelivered: int = 0
    unknown: int = 0
    """Receipts whose message is not known, or not yet."""
    repeated: int = 0
    opted_out: int = 0
    opted_in: int = 0
    unread: int = 0
    """Replies that a person has to read."""

    @property
    def anything(self) -> bool:
        """Whether there was anything at all."""
        return any(getattr(self, each.name) for each in fields(self))


def record_heard(connection: Connection, adapter: str, heard: Heard, now: datetime) -> Noted:
    """Keep what ``adapter`` heard and do what follows from it; hearing it again changes nothing."""
    noted = Noted()
    for receipt in heard.receipts:
        _take_receipt(connection, adapter, receipt, now, noted)
    for reply in heard.replies:
        _take_reply(connection, adapter, reply, now, noted)
    return noted


def apply_waiting(connection: Connection, now: datetime, limit: int = 1000) -> int:
    """Apply receipts that were faster than our own record of the sending; return how many found their message."""
    of_known = _m.id == _r.message_id
    of_number = and_(_r.message_id.is_(None), _m.provider_id == _r.provider_id, _m.adapter == _r.adapter)
    count = 0
    for belongs in (of_known, of_number):
        waiting = (
            select(receipts, *_MESSAGE)
            .join_from(receipts, messages, belongs)
            .where(~_r.applied, _r.received_at > now - _EARLY, _m.status != "sending")
            .order_by(_r.at, _r.id)
            .limit(limit)
        )
        for row in connection.execute(waiting).all():
            connection.execute(update(receipts).where(_r.id == row.id).values(message_id=row.message, applied=True))
            _apply(connection, row, row, now)
            count += 1
    return count


# --- Receipts ----------------------------------------------------------------------------------------------------


def _take_receipt(connection: Connection, adapter: str, receipt: Receipt, now: datetime, noted: Noted) -> None:
    row = _message_of(connection, adapter, receipt)
    known = connection.execute(
        select(_r.id).where(_r.adapter == adapter, _r.provider_id == receipt.provider_id, _r.status == receipt.status)
    ).first()
    if known is not None:
        noted.repeated += 1
        return
    applied = row is not None and row.message_status != "sending"  # what is being sent is marked first
    connection.execute(
        insert(receipts).values(
            adapter=adapter,
            provider_id=receipt.provider_id,
            status=receipt.status,
            code=receipt.code,
            at=receipt.at,
            received_at=now,
            bounces=receipt.bounces,
            message_id=None if row is None else row.message,
            applied=applied,
        )
    )
    if not applied:
        noted.unknown += 1
        return
    _apply(connection, row, receipt, now)
    noted.delivered += receipt.status == "delivered"
    noted.undelivered += receipt.status == "undelivered"


def _message_of(connection: Connection, adapter: str, receipt: Receipt) -> Any:
    """Return the message that a receipt names: by the gateway's number, else by our own key that it gives back."""
    by_number = select(*_MESSAGE).where(_m.provider_id == receipt.provider_id, _m.adapter == adapter)
    found = connection.execute(by_number.order_by(_m.id.desc()).limit(1)).first()
    if found is None and receipt.key is not None:
        by_key = select(*_MESSAGE).where(_m.key == receipt.key, _m.adapter == adapter)
        found = connection.execute(by_key).first()
    return found


def _apply(connection: Connection, message: Any, told: Any, now: datetime) -> None:
    """Note what ``told``, a receipt or its row, says of a message; that it arrived is the last word."""
    arrived = told.status == "delivered"
    from_status = ("sent", "undelivered", "in_doubt") if arrived else ("sent", "in_doubt")
    values = {"status": "delivered", "delivered_at": told.at, "error": None, "why": None}
    connection.execute(
        update(messages)
        .where(_m.id == message.message, _m.status.in_(from_status))
        .values(
            sent_at=func.coalesce(_m.sent_at, literal(told.at, _m.sent_at.type)),
            **(values if arrived else {"status": "undelivered", "error": told.code}),
        )
    )
    if told.bounces and not arrived:
        _suppress(connection, message, told.code, now)


def _suppress(connection: Connection, message: Any, code: str | None, now: datetime) -> None:
    if message.person_id is None:
        return
    column = people.c.email_index if message.channel == "email" else people.c.phone_index
    index = connection.execute(select(column).where(people.c.id == message.person_id)).scalar()
    if index is not None:
        suppress(connection, message.channel, index, why="gate.bounced", detail=code, now=now)


# --- Replies -----------------------------------------------------------------------------------------------------


def _take_reply(connection: Connection, adapter: str, reply: Reply, now: datetime, noted: Noted) -> None:
    key = reply.id or _number(connection, reply)
    known = connection.execute(
        select(replies.c.id).where(replies.c.adapter == adapter, replies.c.reply_id == key)
    ).first()
    if known is not None:
        noted.repeated += 1
        return
    persons = sorted(by_phone(connection, reply.address))
    said = meaning(reply.text)
    connection.execute(
        insert(replies).values(
            adapter=adapter,
            reply_id=key,
            phone=reply.address,
            text=reply.text,
            person_id=persons[0] if persons else None,
            meaning=said,
            at=reply.at,
            received_at=now,
        )
    )
    if said is None:
        noted.unread += 1
    elif said == "opt_out":
        noted.opted_out += 1
        _answer(connection, persons, reply.address, adapter, now, granted=False)
    else:
        noted.opted_in += 1
        _answer(connection, persons, reply.address, adapter, now, granted=True)


def _answer(
    connection: Connection, persons: Sequence[int], address: str, adapter: str, now: datetime, *, granted: bool
) -> None:
    """Everybody with that number answered: one telephone is one voice. An opt-in never agrees to promotion.

    The number itself is kept as well, by its digest, for whoever will stand beside it later.
    """
    source = f"sms:{adapter}"
    indexes = phone_indexes(connection, address)
    if granted:
        accept_again(connection, "sms", indexes, why=source, who=None, now=now)
    elif indexes:
        suppress(connection, "sms", indexes[0], why=REFUSED, detail=source, now=now)
    for person in persons:
        if granted:
            opt_in(connection, person, channel="sms", message_class="service", source=source, now=now)
            continue
        for message_class in _STOPS:
            opt_out(connection, person, channel="sms", message_class=message_class, source=source, now=now)


def _number(connection: Connection, reply: Reply) -> str:
    """Return a number for a reply whose gateway gives it none; nobody can work out the phone number from it."""
    who = digest(connection, "phone", reply.address)
    return hashlib.sha256(f"{who}\x1f{reply.at.isoformat()}\x1f{reply.text}".encode()).hexdigest()[:32]
