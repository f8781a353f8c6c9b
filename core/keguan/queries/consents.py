"""What customers allow, and which addresses nothing is sent to: as people may see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import and_, or_, select

from keguan.masking import mask_text
from keguan.queries.messages import masked_address
from keguan.queries.reader import Reader, pages, plain_why
from keguan.store.schema import people, permission_log, permissions, suppressions

__all__ = ["list_answers", "list_suppressions"]

_s = suppressions.c


def list_answers(reader: Reader, person: int) -> Iterator[dict[str, Any]]:
    """Yield every answer of a customer, the oldest first.

    Keys: ``at channel message_class granted source who in_force``. ``who`` is empty for the customer's own reply or
    click; an answer is no more in force once a later one covers it.
    """
    c, log = permissions.c, permission_log.c
    same = and_(c.person_id == log.person_id, c.channel == log.channel, c.message_class == log.message_class)
    statement = (
        select(permission_log, c.id.label("kept"))
        .outerjoin(permissions, same)
        .where(log.person_id == person)
        .order_by(log.at, log.id)
    )
    with reader.store.read() as connection:
        rows = connection.execute(statement).all()
    newest = {(row.channel, row.message_class): row.id for row in rows}
    for row in rows:
        in_force = row.kept is not None and newest[row.channel, row.message_class] == row.id
        yield {
            "at": reader.local(row.at, None),
            "channel": row.channel,
            "message_class": row.message_class,
            "granted": row.granted,
            "source": row.source,
            "who": row.who,
            "in_force": in_force,
        }


def list_suppressions(reader: Reader, *, everything: bool = False, unmask: bool = False) -> Iterator[dict[str, Any]]:
    """Yield the addresses that nothing is sent to, the newest first; with ``everything`` also those that may be again.

    Keys: ``id channel customer to why rule detail at until lifted_at lifted_by lifted_why``. ``customer`` is the
    number of a customer who has that address today, ``null`` when nobody has; so is then ``to``, for the address
    itself is not kept.
    """
    index = [
        and_(_s.channel == "email", people.c.email_index == _s.address_index),
        and_(_s.channel != "email", people.c.phone_index == _s.address_index),
    ]
    statement = (
        select(suppressions, people.c.id.label("customer"), people.c.phone, people.c.email)
        .outerjoin(people, or_(*index))
        .order_by(_s.at.desc(), _s.id.desc(), people.c.id)
    )
    if not everything:
        statement = statement.where(_s.lifted_at.is_(None), or_(_s.until_at.is_(None), _s.until_at > reader.now))
    last = None
    with reader.store.read() as connection:
        for page in pages(connection, statement):
            for row in page:
                if row.id == last:  # several customers share the address: one line is enough
                    continue
                last = row.id
                address = row.email if row.channel == "email" else row.phone
                yield {
                    "id": row.id,
                    "channel": row.channel,
                    "customer": row.customer,
                    "to": address if unmask else masked_address(row.channel, address),
                    "why": plain_why(reader.language, row.why),
                    "rule": row.why,
                    "detail": mask_text(row.detail) if row.detail else None,
                    "at": reader.local(row.at, None),
                    "until": reader.local(row.until_at, None),
                    "lifted_at": reader.local(row.lifted_at, None),
                    "lifted_by": row.lifted_by,
                    "lifted_why": row.lifted_why,
                }
