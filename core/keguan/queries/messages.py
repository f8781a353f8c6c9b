"""The outbox as people may see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select

from keguan.masking import mask_email, mask_name, mask_phone, mask_text
from keguan.queries.reader import Filters, Reader, pages, plain_why
from keguan.store.schema import messages, people

__all__ = ["list_messages", "masked_address"]

_m = messages.c


def list_messages(
    reader: Reader, filters: Filters, *, ids: Sequence[int] = (), unmask: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield messages in the order they fall due; the period is that of ``due_at``.

    Keys: ``id key plugin action clause channel to title body segments status due_at expires_at sent_at attempts
    error``. ``error`` is the last failure, else the rule that keeps the message back, in the reader's language.
    ``to`` is masked: where it was sent to, or would be sent to now; ``unmask`` gives the person's address as of
    now, and title and body as they leave.
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
            _m.due_at,
            _m.expires_at,
            _m.sent_at,
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
            for row in page:
                yield _shown(row, reader, unmask=unmask)


def masked_address(channel: str, address: str | None) -> str | None:
    """Return a person's address for ``channel`` as it may be shown."""
    if address is None:
        return None
    return mask_email(address) if channel == "email" else mask_phone(address)


def _shown(row: Any, reader: Reader, *, unmask: bool) -> dict[str, Any]:
    address = row.email if row.channel == "email" else row.phone

    def words(written: str) -> str:
        if unmask:
            return written
        known = written.replace(row.name, mask_name(row.name)) if row.name else written
        return mask_text(known)

    return {
        "id": row.id,
        "key": row.key,
        "plugin": row.plugin,
        "action": row.action,
        "clause": row.clause or None,
        "channel": row.channel,
        "to": address if unmask else row.to_masked or masked_address(row.channel, address),
        "title": words(row.title) or None,
        "body": words(row.body),
        "segments": row.segments,
        "status": row.status,
        "due_at": reader.local(row.due_at, row.city),
        "expires_at": reader.local(row.expires_at, row.city),
        "sent_at": reader.local(row.sent_at, row.city),
        "attempts": row.attempts,
        "error": _error(row, reader),
    }


def _error(row: Any, reader: Reader) -> str | None:
    """Return what went wrong last, masked, else why the message is not on its way."""
    return mask_text(row.error) if row.error else plain_why(reader.language, row.why)
