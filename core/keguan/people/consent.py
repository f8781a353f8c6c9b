"""What a person allows: opting out and in. It counts at the moment of sending, for messages queued before as well.

``permissions`` holds the answers in force; ``permission_log`` every answer there ever was, for consent must be
proved months after somebody took it back.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from keguan.people.suppressions import accept_again
from keguan.store.schema import people, permission_log, permissions

__all__ = ["ALL", "opt_in", "opt_out"]

ALL = "*"
"""Every channel, or every class of message."""
_c = permissions.c


def opt_out(
    connection: Connection,
    person: int,
    *,
    channel: str = ALL,
    message_class: str = ALL,
    source: str,
    now: datetime,
    who: str | None = None,
) -> None:
    """Note that the person wants no more messages of this class on this channel.

    ``source`` says how we know, ``who`` entered it; nobody did when the person answered or clicked.
    """
    _answer(connection, person, channel, message_class, granted=False, source=source, now=now, who=who)


def opt_in(
    connection: Connection,
    person: int,
    *,
    channel: str = ALL,
    message_class: str | None = None,
    source: str,
    now: datetime,
    who: str | None = None,
) -> None:
    """Note that the person wants messages of this class on this channel.

    Without a class they are the ones that need no consent of their own (``service`` and ``code``), so that taking
    back an opt-out never agrees to promotion, which the law wants to be said in words. What was answered from the
    person's address before is taken back with it.
    """
    if message_class != "code":
        _free_addresses(connection, person, channel, source=source, now=now, who=who)
    for each in (message_class,) if message_class is not None else ("service", "code"):
        _answer(connection, person, channel, each, granted=True, source=source, now=now, who=who)


def _free_addresses(
    connection: Connection, person: int, channel: str, *, source: str, now: datetime, who: str | None
) -> None:
    row = connection.execute(select(people.c.phone_index, people.c.email_index).where(people.c.id == person)).first()
    for each, index in (("sms", row.phone_index), ("email", row.email_index)) if row is not None else ():
        if index is not None and channel in (ALL, each):
            accept_again(connection, each, [index], why=source, who=who, now=now)


def _answer(
    connection: Connection,
    person: int,
    channel: str,
    message_class: str,
    *,
    granted: bool,
    source: str,
    now: datetime,
    who: str | None,
) -> None:
    """Store an answer in place of the narrower ones that it covers: of two answers the narrower would win."""
    covered = delete(permissions).where(_c.person_id == person)
    if channel != ALL:
        covered = covered.where(_c.channel == channel)
    if message_class != ALL:
        covered = covered.where(_c.message_class == message_class)
    connection.execute(covered)
    answer = {
        "person_id": person,
        "channel": channel,
        "message_class": message_class,
        "granted": granted,
        "at": now,
        "source": source,
    }
    connection.execute(insert(permissions).values(answer))
    connection.execute(insert(permission_log).values(**answer, who=who))
