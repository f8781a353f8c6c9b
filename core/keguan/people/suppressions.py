"""Addresses that nothing is sent to any more: they bounced, or somebody answered from there that it is enough.

They are kept by their blind index, not by themselves. An answer holds for the address, whoever it stands beside: for
people who are imported later, or again after they were forgotten, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from keguan.errors import InputError
from keguan.store.schema import suppressions

__all__ = ["REFUSED", "accept_again", "lift", "suppress"]

REFUSED = "gate.opted_out"
"""The reason of an address from where somebody answered that it is enough; codes are sent there all the same."""
_s = suppressions.c


def suppress(
    connection: Connection,
    channel: str,
    address_index: str,
    *,
    why: str,
    now: datetime,
    detail: str | None = None,
    until: datetime | None = None,
) -> None:
    """Send nothing more to the address behind ``address_index`` (``people.phone_index`` or ``email_index``).

    ``why`` is a key of the catalogue, ``detail`` the other side's own word; ``until`` ends it by itself, else a
    person lifts it. An earlier entry for the address is replaced, but an answer from there outlives a bounce.
    """
    here = (_s.channel == channel, _s.address_index == address_index)
    answered = select(_s.id).where(*here, _s.why == REFUSED, _s.lifted_at.is_(None))
    if why != REFUSED and connection.execute(answered).first() is not None:
        return
    connection.execute(delete(suppressions).where(*here))
    connection.execute(
        insert(suppressions).values(
            channel=channel, address_index=address_index, why=why, detail=detail, at=now, until_at=until
        )
    )


def accept_again(
    connection: Connection, channel: str, address_indexes: Iterable[str], *, why: str, who: str | None, now: datetime
) -> None:
    """Take back that an address answered that it is enough: somebody who is reached there wants messages again.

    ``address_indexes`` are all under which it may stand, ``why`` says how we know, ``who`` entered it.
    """
    connection.execute(
        update(suppressions)
        .where(
            _s.channel == channel,
            _s.address_index.in_(list(address_indexes)),
            _s.why == REFUSED,
            _s.lifted_at.is_(None),
        )
        .values(lifted_at=now, lifted_by=who, lifted_why=why)
    )


def lift(connection: Connection, number: int, *, why: str, who: str, now: datetime) -> None:
    """Send to the address again, because ``who`` says so; number and reason stay on record.

    Raises ``InputError`` when there is no such suppression, or none any more.
    """
    lifted = connection.execute(
        update(suppressions)
        .where(_s.id == number, _s.lifted_at.is_(None))
        .values(lifted_at=now, lifted_by=who, lifted_why=why)
    ).rowcount
    if not lifted:
        raise InputError("customers.not_suppressed", number=number)
