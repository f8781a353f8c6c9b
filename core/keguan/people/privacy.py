"""What is held about a person, in one document."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, or_, select

from keguan.errors import InputError
from keguan.people.belongings import about, belongings
from keguan.queries.reader import Reader
from keguan.store.schema import (
    codes,
    contracts,
    departments,
    events,
    evidence,
    form_entries,
    homes,
    messages,
    owners,
    people,
    permission_log,
    permissions,
    plans,
    privacy_log,
    projects,
    receipts,
    replies,
    staff,
    suppressions,
    tasks,
)

__all__ = ["export_person"]


def export_person(reader: Reader, person: int) -> dict[str, Any]:
    """Return everything held about a person, unmasked.

    Keys: ``customer consents consent_log ownerships staff messages receipts replies codes plans tasks forms
    evidence events suppressions requests exported_at``. Plans, tasks, forms, evidence and events are those of the
    person and of their contracts and homes while these were theirs. Instants are in the time of the row's city,
    else of cities that are not configured. Raises ``InputError`` for a number nobody has.
    """
    with reader.store.read() as connection:
        row = connection.execute(select(people).where(people.c.id == person)).mappings().first()
        if row is None:
            raise InputError("customers.unknown")
        owned, zone = belongings(connection, person), reader.zone(None)

        def rows(table: Table, condition: ColumnElement[bool]) -> list[dict[str, Any]]:
            return _rows(reader, connection, table, condition)

        def of(table: Table, at: ColumnElement[Any]) -> ColumnElement[bool]:
            return about(table, person, owned, at, zone)

        mine = select(messages.c.id).where(messages.c.person_id == person)
        work = select(tasks.c.id).where(of(tasks, tasks.c.due_at))
        return {
            "customer": _plain(reader, row, {"version", *(name for name in row if name.endswith("_index"))}),
            "consents": rows(permissions, permissions.c.person_id == person),
            "consent_log": rows(permission_log, permission_log.c.person_id == person),
            "ownerships": _ownerships(reader, connection, person),
            "staff": _staff(reader, connection, person),
            "messages": rows(messages, messages.c.person_id == person),
            "receipts": rows(receipts, receipts.c.message_id.in_(mine)),
            "replies": rows(replies, replies.c.person_id == person),
            "codes": rows(codes, codes.c.person_id == person),
            "plans": rows(plans, of(plans, plans.c.due_at)),
            "tasks": rows(tasks, tasks.c.id.in_(work)),
            "forms": rows(form_entries, of(form_entries, form_entries.c.filled_at)),
            "evidence": rows(evidence, evidence.c.task_id.in_(work)),
            "events": rows(events, of(events, events.c.time)),
            "suppressions": rows(suppressions, _suppressed(row)),
            "requests": rows(privacy_log, privacy_log.c.person_id == person),
            "exported_at": reader.local(reader.now, None),
        }


def _suppressed(row: Any) -> ColumnElement[bool]:
    addresses = [index for index in (row["phone_index"], row["email_index"]) if index is not None]
    return suppressions.c.address_index.in_(addresses)


_INTERNAL = {
    "person_id",
    "plan_id",
    "worker",
    "lease_until",
    "lease",
    "next_at",
    "project_id",
    "version",
    "state",
    "address_index",
}


def _rows(reader: Reader, connection: Connection, table: Table, condition: ColumnElement[bool]) -> list[dict[str, Any]]:
    key = next(iter(table.primary_key))
    found = connection.execute(select(table).where(condition).order_by(key)).mappings()
    return [_plain(reader, row, _INTERNAL) for row in found]


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
