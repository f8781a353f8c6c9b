"""What mails tell beside files: addresses that do not exist, and people who want no more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from keguan.adapters.mime import message_id
from keguan.intake.mail.reading import Bounce
from keguan.people.consent import opt_out
from keguan.people.suppressions import suppress
from keguan.people.unsubscribe import Unsubscribe
from keguan.store.schema import messages, people
from keguan.store.sealed import digest, indexed

__all__ = ["hear_bounces", "hear_wish"]

_MONTH = timedelta(days=31)
_LEFT = ("sent", "in_doubt", "undelivered")
_m = messages.c


def hear_wish(connection: Connection, unsubscribe: Unsubscribe, token: str, now: datetime) -> bool:
    """End the kind of message that ``token`` names; ``False`` when it is not one of ours."""
    wish = unsubscribe.read(token)
    if wish is None or connection.execute(select(people.c.id).where(people.c.id == wish.person)).first() is None:
        return False
    opt_out(connection, wish.person, channel=wish.channel, message_class=wish.message_class, source="mail", now=now)
    return True


def hear_bounces(connection: Connection, bounces: Iterable[Bounce], now: datetime) -> int:
    """Note which of our mails came back, and send nothing more to addresses that are gone; return how many.

    Anybody can write a mail that looks like a server's report. Only one that names a mail of ours, which went to
    that very address in the last month, is believed.
    """
    count = 0
    for bounce in bounces:
        message = _returned(connection, bounce, now)
        if message is None:
            continue
        count += 1
        connection.execute(
            update(messages)
            .where(_m.id == message, _m.status.in_(("sent", "in_doubt")))
            .values(status="undelivered", error=f"DSN {bounce.status}")
        )
        index = digest(connection, "email", bounce.address)
        if bounce.gone and index is not None:
            suppress(connection, "email", index, why="gate.bounced", detail=bounce.status, now=now)
    return count


def _returned(connection: Connection, bounce: Bounce, now: datetime) -> int | None:
    """Return the message that came back; people are looked up by the blind index of their address."""
    if bounce.message_id is None:
        return None
    mine = select(people.c.id).where(indexed(connection, people.c.email_index, [bounce.address]))
    recent = connection.execute(
        select(_m.id, _m.key).where(
            _m.person_id.in_(mine), _m.channel == "email", _m.status.in_(_LEFT), _m.started_at > now - _MONTH
        )
    )
    domain = bounce.message_id.strip("<>").rpartition("@")[2]
    return next((row.id for row in recent if message_id(row.key, domain) == bounce.message_id), None)
