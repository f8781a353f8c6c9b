"""What a person allows: opting out and in. It counts at the moment of sending, for messages queued before as well."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert

from keguan.store.schema import permissions

__all__ = ["ALL", "opt_in", "opt_out"]

ALL = "*"
"""Every channel, or every class of message."""
_c = permissions.c


def opt_out(
    connection: Connection, person: int, *, channel: str = ALL, message_class: str = ALL, source: str, now: datetime
) -> None:
    """Note that the person wants no more messages of this class on this channel; ``source``: how we know."""
    _answer(connection, person, channel, message_class, granted=False, source=source, now=now)


def opt_in(
    connection: Connection,
    person: int,
    *,
    channel: str = ALL,
    message_class: str | None = None,
    source: str,
    now: datetime,
) -> None:
    """Note that the person wants messages of this class on this channel.

    Without a class they are the ones that need no consent of their own (``service`` and ``code``), so that taking
    back an opt-out never agrees to promotion, which the law wants to be said in words.
    """
    for each in (message_class,) if message_class is not None else ("service", "code"):
        _answer(connection, person, channel, each, granted=True, source=source, now=now)


def _answer(
    connection: Connection,
    person: int,
    channel: str,
    message_class: str,
    *,
    granted: bool,
    source: str,
    now: datetime,
) -> None:
    """Store an answer in place of the narrower ones that it covers: of two answers the narrower would win."""
    covered = delete(permissions).where(_c.person_id == person)
    if channel != ALL:
        covered = covered.where(_c.channel == channel)
    if message_class != ALL:
        covered = covered.where(_c.message_class == message_class)
    connection.execute(covered)
    connection.execute(
        insert(permissions).values(
            person_id=person, channel=channel, message_class=message_class, granted=granted, at=now, source=source
        )
    )
