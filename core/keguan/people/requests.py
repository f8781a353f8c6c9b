"""What was asked about people, and who saw them: the log that answers an inspector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import Integer, Text, cast, insert, literal, null, select, union_all

from keguan.queries.reader import Filters, Reader, pages
from keguan.store.engine import Store
from keguan.store.schema import accesses, privacy_log
from keguan.store.types import Instant

__all__ = ["KINDS", "list_requests", "record_request"]

KINDS = ("export", "erase", "purge", "rotate", "access")
"""What an entry can be; ``access`` is that somebody saw personal values unmasked."""


def record_request(
    store: Store, what: str, *, who: str, now: datetime, person: int | None = None, counts: Mapping[str, int]
) -> None:
    """Record an export or an erasure. ``counts`` say how much it was, never what."""
    with store.write() as connection:
        connection.execute(
            insert(privacy_log).values(at=now, who=who, what=what, person_id=person, counts=dict(counts))
        )


def list_requests(
    reader: Reader, filters: Filters, *, kinds: tuple[str, ...] = (), who: str | None = None, person: int | None = None
) -> Iterator[dict[str, Any]]:
    """Yield requests, purges, rotations and accesses in the order of time.

    Keys: ``at who what customer rows counts command``; ``rows`` and ``command`` are those of accesses, ``counts``
    of the others. Of ``filters`` period and limit count; ``person`` leaves out accesses, which name nobody.
    """
    a, p = accesses.c, privacy_log.c
    both = union_all(
        select(p.at, p.who, p.what, p.person_id, cast(null(), Integer).label("rows"), p.counts,
               cast(null(), Text).label("command")),
        select(a.at, a.who, literal("access").label("what"), cast(null(), Integer), a.rows,
               cast(null(), Text), a.what),
    ).subquery()  # fmt: skip  # the columns of the two under each other
    c = both.c
    statement = select(c.at, c.who, c.what, c.person_id, c.rows, c.counts, c.command).order_by(c.at)
    if kinds:
        statement = statement.where(c.what.in_(kinds))
    if who is not None:
        statement = statement.where(c.who == who)
    if person is not None:
        statement = statement.where(c.person_id == person)
    zone = reader.zone(None)
    if filters.since is not None:
        statement = statement.where(c.at >= literal(_instant(filters.since, zone), Instant()))
    if filters.until is not None:
        statement = statement.where(c.at < literal(_instant(filters.until, zone, end=True), Instant()))
    statement = statement if filters.limit is None else statement.limit(filters.limit)
    with reader.store.read() as connection:
        for page in pages(connection, statement):
            for row in page:
                yield {
                    "at": reader.local(row.at, None),
                    "who": row.who,
                    "what": row.what,
                    "customer": row.person_id,
                    "rows": row.rows,
                    "counts": _counts(row.counts),
                    "command": row.command,
                }


def _instant(when: date | datetime, zone: tzinfo, *, end: bool = False) -> datetime:
    """Return the instant at which a day begins, or has ended; an instant is one already."""
    if isinstance(when, datetime):
        return when
    return datetime.combine(when + timedelta(days=1) if end else when, time(), zone)


def _counts(counts: dict[str, Any] | None) -> dict[str, int] | None:
    """Leave out what a purge keeps for the next one."""
    return None if counts is None else {name: count for name, count in counts.items() if name != "reached"}
