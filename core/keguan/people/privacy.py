"""What is held about a person, in one document, and forgetting them while the counts stay."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select, update

from keguan.errors import InputError
from keguan.queries.reader import Reader
from keguan.store.engine import Store
from keguan.store.schema import (
    contracts,
    departments,
    events,
    homes,
    messages,
    owners,
    people,
    permissions,
    plans,
    projects,
    staff,
    tasks,
)

__all__ = ["erase_person", "export_person"]

_OPEN = ("queued", "held", "in_doubt", "dead", "undelivered")
_ERASED = "*"
"""What stands where a rendered text stood."""


def export_person(reader: Reader, person: int) -> dict[str, Any]:
    """Return everything held about a person, unmasked.

    Keys: ``customer consents ownerships staff messages plans tasks events exported_at``. Instants are in the time
    of the row's city, else of cities that are not configured. Raises ``InputError`` for a number nobody has.
    """
    with reader.store.read() as connection:
        row = connection.execute(select(people).where(people.c.id == person)).mappings().first()
        if row is None:
            raise InputError("customers.unknown")
        about = {"subject_type": "customer", "subject_id": person}
        return {
            "customer": _plain(reader, row, {"version"}),
            "consents": _rows(reader, connection, permissions, permissions.c.person_id == person),
            "ownerships": _ownerships(reader, connection, person),
            "staff": _staff(reader, connection, person),
            "messages": _rows(reader, connection, messages, messages.c.person_id == person),
            "plans": _rows(reader, connection, plans, _match(plans, about)),
            "tasks": _rows(reader, connection, tasks, _match(tasks, about)),
            "events": _rows(reader, connection, events, _match(events, about)),
            "exported_at": reader.local(reader.now, None),
        }


_INTERNAL = {"person_id", "plan_id", "worker", "lease_until", "lease", "next_at", "project_id", "version", "state"}


def _rows(reader: Reader, connection: Connection, table: Table, condition: ColumnElement[bool]) -> list[dict[str, Any]]:
    key = next(iter(table.primary_key))
    found = connection.execute(select(table).where(condition).order_by(key)).mappings()
    return [_plain(reader, row, _INTERNAL) for row in found]


def _match(table: Table, values: Mapping[str, object]) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in values.items()))


def _plain(reader: Reader, row: Any, without: set[str]) -> dict[str, Any]:
    city = row.get("city")
    return {
        name: reader.local(value, city) if isinstance(value, datetime) else value
        for name, value in row.items()
        if name not in without
    }


def _ownerships(reader: Reader, connection: Connection, person: int) -> list[dict[str, Any]]:
    place = or_(projects.c.id == contracts.c.project_id, projects.c.id == homes.c.project_id)
    statement = (
        select(
            owners.c.since,
            owners.c.until,
            owners.c.position,
            projects.c.name.label("project"),
            homes.c.building,
            homes.c.unit,
            homes.c.room,
            homes.c.handed_over_on,
            homes.c.move_in_on,
            contracts.c.contract_no,
            contracts.c.status.label("contract_status"),
            contracts.c.deposit_on,
            contracts.c.signed_on,
            contracts.c.planned_handover_on,
            contracts.c.price_fen,
        )
        .select_from(owners)
        .outerjoin(contracts, contracts.c.id == owners.c.contract_id)
        .outerjoin(homes, homes.c.id == owners.c.home_id)
        .outerjoin(projects, place)
        .where(owners.c.person_id == person)
        .order_by(owners.c.id)
    )
    return [_plain(reader, row, set()) for row in connection.execute(statement).mappings()]


def _staff(reader: Reader, connection: Connection, person: int) -> dict[str, Any] | None:
    statement = (
        select(staff.c.id, departments.c.name.label("department"), staff.c.left_on)
        .join_from(staff, departments, departments.c.id == staff.c.department_id)
        .where(staff.c.person_id == person)
    )
    row = connection.execute(statement).mappings().first()
    return None if row is None else _plain(reader, row, set())


def erase_person(store: Store, person: int, now: datetime) -> dict[str, int]:
    """Forget a person: their values, the texts of their messages; return ``{messages, dropped, plans}``.

    What was planned, sent and done stays as counts; opt-outs stay, so that nobody is written to again. Messages
    that have not left are dropped, open plans that hang on the person are cancelled. Raises ``InputError`` for a
    number nobody has, and while a message to the person is being sent.
    """
    m = messages.c
    with store.write() as connection:
        if store.is_sqlite:
            connection.exec_driver_sql("PRAGMA secure_delete = ON")  # else the values stay in freed pages
        known = connection.execute(select(people.c.id).where(people.c.id == person).with_for_update()).first()
        if known is None:
            raise InputError("customers.unknown")
        if connection.execute(select(m.id).where(m.person_id == person, m.status == "sending")).first():
            raise InputError("privacy.sending")
        dropped = connection.execute(
            update(messages)
            .where(m.person_id == person, m.status.in_(_OPEN))
            .values(status="dropped", why="privacy.erased")
        ).rowcount
        emptied = connection.execute(
            update(messages)
            .where(m.person_id == person)
            .values(title=_ERASED, body=_ERASED, html=None, attachments=None, to_masked=_ERASED, error=None)
        ).rowcount
        ended = connection.execute(
            update(plans)
            .where(
                plans.c.subject_type == "customer",
                plans.c.subject_id == person,
                plans.c.status.in_(("planned", "held")),
            )
            .values(status="cancelled", why="privacy.erased", changed_at=now)
        ).rowcount
        connection.execute(
            update(people)
            .where(people.c.id == person)
            .values(
                name=None,
                phone=None,
                email=None,
                id_no=None,
                birthday=None,
                erased_at=now,
                version=people.c.version + 1,
            )
        )
    return {"messages": emptied, "dropped": dropped, "plans": ended}
