"""What the gate judges by, read from the tables set by set.

Personal values are sealed, and opening one costs more than judging a message: whether there is an address, and
whether it bounced, is told by what stands beside them. Only ``load_people`` opens them, for what may leave.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    column,
    func,
    literal,
    or_,
    select,
    text,
    type_coerce,
    union_all,
)

from keguan.outbox.gate import Left, Permissions
from keguan.store.schema import messages, people, permissions, suppressions
from keguan.store.types import Instant, from_stored

__all__ = [
    "STAFF",
    "Reach",
    "load_bounced",
    "load_people",
    "load_permissions",
    "load_reach",
    "load_sharing",
    "recently_left",
]

STAFF = "keguan"
"""The plugin that work messages to staff carry: digests and warnings of the core itself."""
_m, _p, _s, _c = messages.c, people.c, suppressions.c, permissions.c


class Reach(NamedTuple):
    """Which addresses of a person are on file."""

    phone: bool
    email: bool


class _Statements(NamedTuple):
    """Made once for each kind of database: putting one together takes longer than running it."""

    reach: Select[Any]
    bounced: Select[Any]
    permissions: Select[Any]
    recent: Select[Any]
    people: Select[Any]
    sharing: CompoundSelect[Any]


@cache
def _statements(dialect: str) -> _Statements:
    def among(one: ColumnElement[int]) -> ColumnElement[bool]:
        if dialect == "sqlite":
            listed = text("SELECT value FROM json_each(:ids)").columns(column("value", BigInteger))
            return one.in_(listed)
        return one == func.any(bindparam("ids", type_=ARRAY(BigInteger)))

    channel = bindparam("channel", type_=Text)
    now, since = bindparam("now", type_=Instant), bindparam("since", type_=Instant)
    address = case((channel == "email", _p.email_index), else_=_p.phone_index)  # an OR would use half of the index
    other = people.alias()
    left_at = type_coerce(func.coalesce(_m.sent_at, _m.started_at), BigInteger)
    late = type_coerce(_m.late, Integer) if dialect == "sqlite" else _m.late
    return _Statements(
        reach=select(_p.id, _p.phone.is_not(None), _p.email.is_not(None)).where(among(_p.id)),
        bounced=select(_p.id, _s.why)
        .join(suppressions, and_(_s.channel == channel, _s.address_index == address))
        .where(among(_p.id), _s.lifted_at.is_(None), or_(_s.until_at.is_(None), _s.until_at > now)),
        permissions=select(_c.person_id, _c.channel, _c.message_class, _c.granted).where(among(_c.person_id)),
        recent=select(_m.person_id, left_at, _m.channel, late, _m.message_class).where(
            among(_m.person_id),
            _m.plugin != STAFF,
            or_(~_m.urgent, _m.message_class != "service"),
            or_(_m.sent_at >= since, and_(_m.status.in_(("sending", "in_doubt")), _m.started_at >= since)),
        ),
        people=select(_p.id, _p.name, _p.phone, _p.email).where(among(_p.id)),
        sharing=union_all(
            *(
                select(_p.id, other.c.id, literal(name == "email_index"))
                .join(other, and_(other.c[name] == _p[name], other.c.id != _p.id))
                .where(among(_p.id))
                for name in ("phone_index", "email_index")
            )
        ),
    )


def _rows(connection: Connection, name: str, ids: Iterable[int], **values: object) -> Sequence[Any]:
    dialect = connection.dialect.name
    statement = getattr(_statements(dialect), name)
    listed = json.dumps(list(ids)) if dialect == "sqlite" else list(ids)
    rows: Sequence[Any] = connection.execute(statement, {"ids": listed, **values}).all()
    return rows


def load_reach(connection: Connection, ids: Collection[int]) -> dict[int, Reach]:
    """Return which addresses there are of each of ``ids``, numbers of people."""
    return {row[0]: Reach(bool(row[1]), bool(row[2])) for row in _rows(connection, "reach", ids)}


def load_bounced(connection: Connection, ids: Collection[int], channel: str, now: datetime) -> dict[int, str]:
    """Return those of ``ids`` whose present address on ``channel`` nothing is sent to at ``now``, and why."""
    return {row[0]: row[1] for row in _rows(connection, "bounced", ids, channel=channel, now=now)}


def load_permissions(connection: Connection, ids: Collection[int]) -> dict[int, Permissions]:
    """Return what each of ``ids``, numbers of people, granted or withdrew."""
    found: dict[int, Permissions] = {}
    for person, channel, message_class, granted in _rows(connection, "permissions", ids):
        found.setdefault(person, {})[channel, message_class] = granted
    return found


def recently_left(connection: Connection, ids: Collection[int], since: datetime) -> dict[int, list[Left]]:
    """Return what left to each of ``ids`` since ``since``, or is leaving; urgent service and staff's work left out.

    A message in doubt counts: it may have arrived.
    """
    found: dict[int, list[Left]] = {}
    make = Left._make  # a third of the time of Left(…), for the most rows that the gate reads
    for person, at, channel, late, message_class in _rows(connection, "recent", ids, since=since):
        left = make((from_stored(at), channel, late == 1, message_class))
        if person in found:
            found[person].append(left)
        else:
            found[person] = [left]
    return found


def load_sharing(connection: Connection, ids: Collection[int]) -> dict[int, list[tuple[int, bool]]]:
    """Return who else has an address of each of ``ids``, numbers of people: their number, and whether it is the mail's.

    Families share a telephone, and one telephone gets no more messages because two names stand beside it.
    """
    found: dict[int, list[tuple[int, bool]]] = {}
    for person, other, by_mail in _rows(connection, "sharing", ids):
        found.setdefault(person, []).append((other, bool(by_mail)))
    return found


def load_people(connection: Connection, ids: Collection[int]) -> list[tuple[int, str | None, str | None, str | None]]:
    """Return number, name, phone and e-mail of each of ``ids``: the personal values, opened."""
    return [tuple(row) for row in _rows(connection, "people", ids)]
