"""One contract's journey: everything promised, done, due, missed, with why and clause."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from keguan.errors import InputError
from keguan.model import Action
from keguan.queries.promises import read_promises
from keguan.queries.reader import Reader
from keguan.queries.subjects import home_name
from keguan.store.schema import contracts, homes, owners, plans, projects

__all__ = ["read_journey"]

_c = contracts.c
_p = plans.c


def read_journey(
    reader: Reader,
    contract_no: str,
    project: str | None = None,
    actions: Mapping[tuple[str, str], Action] | None = None,
) -> dict[str, Any]:
    """Return ``{contract, subject, steps:[…]}`` for one contract, its home, and its owners as customers.

    ``actions`` (by plugin and name) say which step of its area an action belongs to and what it is called.
    A step has ``step touchpoint plugin clause kind due_at status late_at_creation result why``; beside these
    ``label``, what people call the touchpoint, and ``subject``. Of a home that was sold on, a contract that is no
    longer in force shows what fell due while its buyers owned it. Raises ``InputError`` for a number that no
    contract has, or that contracts of several projects have.
    """
    known = actions or {}
    with reader.store.read() as connection:
        found = _find(connection, contract_no, project)
        steps = []
        for promised in read_promises(reader, connection, _belongs(connection, found, reader)):
            action = known.get((promised.plugin, promised.action))
            label = action.label.get(reader.language) if action and action.label else None
            steps.append(
                {
                    "step": action.step if action else None,
                    "touchpoint": promised.action,
                    "label": label,
                    "plugin": promised.plugin,
                    "clause": promised.clause or None,
                    "kind": promised.kind or (action.kind if action else None),
                    "due_at": promised.due_at,
                    "status": promised.status,
                    "late_at_creation": promised.late_at_creation,
                    "result": promised.result,
                    "why": promised.why,
                }
            )
    return {
        "contract": found.contract_no,
        "subject": {"type": "contract", "id": found.contract_no},
        "project": found.project,
        "home": home_name(found.project, found.building, found.unit, found.room) if found.home_id else None,
        "contract_status": found.status,
        "steps": steps,
    }


def _find(connection: Connection, contract_no: str, project: str | None) -> Any:
    statement = (
        select(
            _c.id,
            _c.contract_no,
            _c.status,
            _c.home_id,
            projects.c.name.label("project"),
            projects.c.city,
            homes.c.building,
            homes.c.unit,
            homes.c.room,
        )
        .join_from(contracts, projects, projects.c.id == _c.project_id)
        .outerjoin(homes, homes.c.id == _c.home_id)
        .where(_c.contract_no == contract_no)
        .order_by(projects.c.name)
    )
    if project is not None:
        statement = statement.where(projects.c.name == project)
    found = connection.execute(statement).all()
    if not found:
        raise InputError("journey.unknown", contract=contract_no)
    if len(found) > 1:
        raise InputError("journey.several", contract=contract_no, projects=", ".join(row.project for row in found))
    return found[0]


def _belongs(connection: Connection, contract: Any, reader: Reader) -> ColumnElement[bool]:
    """Return the condition that a plan is part of the contract's journey."""
    buyers = select(owners.c.person_id).where(owners.c.contract_id == contract.id)
    own = and_(_p.subject_type == "contract", _p.subject_id == contract.id)
    people = and_(_p.subject_type == "customer", _p.subject_id.in_(buyers))
    if contract.home_id is None:
        return or_(own, people)
    home = and_(_p.subject_type == "home", _p.subject_id == contract.home_id)
    if contract.status in ("cancelled", "transferred"):
        end = _sold_on(connection, contract.id)
        if end is not None:
            home = and_(home, _p.due_at < _midnight(end + timedelta(days=1), reader, contract.city))
    return or_(own, home, people)


def _sold_on(connection: Connection, contract_id: int) -> date | None:
    """Return the last day on which the contract's buyers owned the home, if they own it no longer."""
    return connection.execute(select(func.max(owners.c.until)).where(owners.c.contract_id == contract_id)).scalar()


def _midnight(day: date, reader: Reader, city: str) -> datetime:
    return datetime.combine(day, time(), tzinfo=reader.zone(city)).astimezone(UTC)
