"""The outbox as people may see it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, select

from keguan.masking import mask_email, mask_name, mask_phone, mask_text
from keguan.queries.reader import Filters, Reader, is_rule, pages, plain_why
from keguan.store.records import in_chunks
from keguan.store.schema import codes, messages, people

__all__ = ["list_messages", "masked_address"]

_m = messages.c
_DIGITS = re.compile(r"\d{4,8}")
"""What a message of the class ``code`` is sent for."""


def list_messages(
    reader: Reader, filters: Filters, *, ids: Sequence[int] = (), unmask: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield messages in the order they fall due; the period is that of ``due_at``.

    Keys: ``id key plugin action clause channel to title body segments status due_at expires_at sent_at attempts
    error message_class urgent department adapter rule held_until note delivered_at``. ``error`` is the last failure,
    else the rule that keeps the message back, in the reader's language. ``rule`` is that rule's own name
    (``gate.quiet_hours``) and ``held_until`` when a held message is judged again. ``note`` is the rule that was set
    aside when it left.
    ``to`` is masked: where it was sent to, or would be sent to now, else the department; ``unmask`` gives the
    person's address as of now, and title and body as they leave; without it codes are masked too.
    """
    statement = (
        select(
            _m.id,
            _m.key,
            _m.plugin,
            _m.action,
            _m.clause,
            _m.city,
            _m.channel,
            _m.to_masked,
            _m.title,
            _m.body,
            _m.segments,
            _m.status,
            _m.why,
            _m.note,
            _m.message_class,
            _m.urgent,
            _m.department,
            _m.person_id,
            _m.adapter,
            _m.next_at,
            _m.due_at,
            _m.expires_at,
            _m.sent_at,
            _m.delivered_at,
            _m.attempts,
            _m.error,
            people.c.name,
            people.c.phone,
            people.c.email,
        )
        .select_from(messages)
        .outerjoin(people, people.c.id == _m.person_id)
        .order_by(_m.due_at, _m.id)
    )
    if ids:
        statement = statement.where(_m.id.in_(ids))
    with reader.store.read() as connection:
        for page in pages(connection, reader.narrow(connection, statement, messages, "due_at", filters)):
            codes_of = (
                {} if unmask else _codes(connection, {row.person_id for row in page if row.person_id is not None})
            )
            for row in page:
                yield _shown(row, reader, codes_of.get(row.person_id, ()), unmask=unmask)


def masked_address(channel: str, address: str | None) -> str | None:
    """Return a person's address for ``channel`` as it may be shown."""
    if address is None:
        return None
    return mask_email(address) if channel == "email" else mask_phone(address)


def _codes(connection: Connection, persons: Collection[int]) -> dict[int, list[str]]:
    """Return the short codes that people were sent: whoever reads one opens what it stands for."""
    found: dict[int, list[str]] = {}
    for chunk in in_chunks(sorted(persons)):
        for code, person in connection.execute(
            select(codes.c.code, codes.c.person_id).where(codes.c.person_id.in_(chunk))
        ):
            found.setdefault(person, []).append(code)
    return found


def _shown(row: Any, reader: Reader, its_codes: Sequence[str], *, unmask: bool) -> dict[str, Any]:
    address = row.email if row.channel == "email" else row.phone

    def words(written: str) -> str:
        if unmask:
            return written
        known = written.replace(row.name, mask_name(row.name)) if row.name else written
        for code in its_codes:
            known = known.replace(code, f"{code[:2]}****")
        if row.message_class == "code":
            known = _DIGITS.sub(lambda found: "*" * len(found[0]), known)
        return mask_text(known)

    return {
        "id": row.id,
        "key": row.key,
        "plugin": row.plugin,
        "action": row.action,
        "clause": row.clause or None,
        "channel": row.channel,
        "to": (address if unmask else row.to_masked or masked_address(row.channel, address)) or row.department,
        "title": words(row.title) or None,
        "body": words(row.body),
        "segments": row.segments,
        "status": row.status,
        "due_at": reader.local(row.due_at, row.city),
        "expires_at": reader.local(row.expires_at, row.city),
        "sent_at": reader.local(row.sent_at, row.city),
        "attempts": row.attempts,
        "error": _error(row, reader),
        "message_class": row.message_class,
        "urgent": row.urgent,
        "department": row.department,
        "adapter": row.adapter,
        "rule": row.why if is_rule(row.why) else None,
        "held_until": reader.local(row.next_at, row.city) if row.status == "held" else None,
        "note": row.note,
        "delivered_at": reader.local(row.delivered_at, row.city),
    }


def _error(row: Any, reader: Reader) -> str | None:
    """Return what went wrong last, masked, else why the message is not on its way.

    A rule that holds it now comes before a failure of earlier.
    """
    held = row.status == "held" and row.why
    return mask_text(row.error) if row.error and not held else plain_why(reader.language, row.why)
