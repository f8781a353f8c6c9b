"""One contract's journey: everything promised, done, due, missed, with why, clause and proof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, tuple_

from keguan.errors import InputError
from keguan.masking import mask_name, mask_phone
from keguan.model import Contract, Person, PromiseStatus, Subject
from keguan.queries.areas import Areas
from keguan.queries.journey_proofs import Proofs
from keguan.queries.promises import Traced, trace_promises
from keguan.queries.reader import Reader
from keguan.queries.subjects import home_name
from keguan.store.records import load_records
from keguan.store.schema import contracts, owners, plans, projects
from keguan.texts import text

__all__ = ["read_journey"]

_c = contracts.c
_p = plans.c
_NEXT = 3


def read_journey(
    reader: Reader,
    contract_no: str,
    project: str | None = None,
    areas: Areas | None = None,
    *,
    unmask: bool = False,
) -> dict[str, Any]:
    """Return the journey of one contract, its home and its owners as customers, with what the project did for it.

    ``areas`` say what steps are called, what is a default of ours, and which promises to the project touch those who
    bought by this contract. The keys are ``contract subject project city home contract_status as_of customers
    deposit_on signed_on planned_handover_on handed_over_on move_in_on totals next steps failures``. A step has ``step
    step_name touchpoint label plugin clause kind about occurrence follows due_at until status late_at_creation
    done_at done_by result why evidence line department ours``: ``about`` is whose promise it is, ``follows`` the
    touchpoint that a follow-up comes after, ``line`` what a campaign's form says of this home. Of a home that was
    sold on, a contract that is no longer in force shows what fell due while its buyers owned it.

    Raises ``InputError`` for a number that no contract has, or that contracts of several projects have.
    """
    known = areas or Areas()
    with reader.store.read() as connection:
        contract = _find(connection, contract_no, project)
        traced = [*trace_promises(reader, connection, _belongs(connection, contract, reader), unmask=unmask)]
        traced += _of_project(reader, connection, contract, known, unmask=unmask)
        traced.sort(key=lambda each: each.plan.due_at)
        proofs = Proofs(reader, connection, traced, known.forms, unmask=unmask)
        steps = [_step(reader, each, contract, known, proofs) for each in traced]
    return {
        "contract": contract.contract_no,
        "subject": {"type": "contract", "id": contract.contract_no},
        **_about(contract),
        "contract_status": contract.status,
        "as_of": reader.local(reader.now, contract.project.city),
        "customers": [_shown(person, unmask=unmask) for person in contract.owners],
        "totals": _totals(steps),
        "next": [_short(step) for step in _open(steps)][:_NEXT],
        "steps": steps,
        "failures": known.failures,
    }


def _find(connection: Connection, contract_no: str, project: str | None) -> Contract:
    statement = (
        select(_c.id, projects.c.name.label("project"))
        .join_from(contracts, projects, projects.c.id == _c.project_id)
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
    subject = Subject("contract", found[0].id)
    record = load_records(connection, [subject])[subject]
    assert isinstance(record, Contract)
    return record


# --- Which promises ---------------------------------------------------------------------------------------------


def _belongs(connection: Connection, contract: Contract, reader: Reader) -> ColumnElement[bool]:
    """Return the condition that a plan is the contract's own, its home's, or its buyers'."""
    buyers = select(owners.c.person_id).where(owners.c.contract_id == contract.id)
    own = and_(_p.subject_type == "contract", _p.subject_id == contract.id)
    people = and_(_p.subject_type == "customer", _p.subject_id.in_(buyers))
    if contract.home is None:
        return or_(own, people)
    home = and_(_p.subject_type == "home", _p.subject_id == contract.home.id)
    end = _sold_on(connection, contract)
    if end is not None:
        home = and_(home, _p.due_at < _midnight(end + timedelta(days=1), reader, contract.project.city))
    return or_(own, home, people)


def _of_project(
    reader: Reader, connection: Connection, contract: Contract, areas: Areas, *, unmask: bool
) -> Iterator[Traced]:
    """Yield the promises to the project that touch those who bought by this contract.

    Of their messages only those to the buyers count. A home that was sold on has them up to that day.
    """
    names = list(areas.touching)
    if not names:
        return
    end = _sold_on(connection, contract)
    zone = reader.zone(contract.project.city)
    for each in trace_promises(
        reader,
        connection,
        _p.subject_type == "project",
        _p.subject_id == contract.project.id,
        tuple_(_p.plugin, _p.action).in_(names),
        people=[person.id for person in contract.owners],
        unmask=unmask,
    ):
        day = each.plan.due_at.astimezone(zone).date()
        if (end is None or day <= end) and areas.touches(each.plan.plugin, each.plan.action, contract, day):
            yield each


def _sold_on(connection: Connection, contract: Contract) -> date | None:
    """Return the last day on which the contract's buyers owned the home, if they own it no longer."""
    if contract.status not in ("cancelled", "transferred"):
        return None
    return connection.execute(select(func.max(owners.c.until)).where(owners.c.contract_id == contract.id)).scalar()


def _midnight(day: date, reader: Reader, city: str) -> datetime:
    return datetime.combine(day, time(), tzinfo=reader.zone(city)).astimezone(UTC)


# --- How they are shown -----------------------------------------------------------------------------------------


def _step(reader: Reader, traced: Traced, contract: Contract, areas: Areas, proofs: Proofs) -> dict[str, Any]:
    promised, plan, language = traced.promised, traced.plan, reader.language
    action = areas.actions.get((promised.plugin, promised.action))
    remarks = areas.remarks(promised.plugin, promised.action, promised.city, promised.clause, language)
    work = next((effect for effect in traced.effects if hasattr(effect, "department")), None)
    home = contract.home.label if contract.home else None
    by_home = action is not None and action.needs == "homes" and home is not None
    passed_by = plan.subject_type == "project" and promised.status == "waived" and not (traced.effects or plan.why)
    return {
        "step": remarks.step or (action.step if action else None),
        "step_name": remarks.step_name,
        "touchpoint": promised.action,
        "label": areas.label(promised.plugin, promised.action, language),
        "plugin": promised.plugin,
        "clause": promised.clause or None,
        "kind": promised.kind or (action.kind if action else None),
        "about": plan.subject_type,
        "occurrence": plan.occurrence,
        "follows": action.after if action else None,
        "due_at": promised.due_at,
        "until": promised.until,
        "status": promised.status,
        "late_at_creation": promised.late_at_creation,
        "done_at": promised.done_at,
        "done_by": proofs.done_by(traced),
        "result": promised.result,
        "why": text(language, "journey.not_for_these") if passed_by else promised.why,
        "evidence": proofs.of(traced),
        "line": proofs.line_of(traced, home) if by_home and home is not None else None,
        "department": work.department if work is not None else remarks.department,
        "ours": list(remarks.ours),
    }


def _about(contract: Contract) -> dict[str, Any]:
    """Return where the home lies and the dates that everything hangs on."""
    home, project = contract.home, contract.project
    return {
        "project": project.name,
        "city": project.city,
        "home": home_name(project.name, home.building, home.unit, home.room) if home else None,
        "deposit_on": contract.deposit_on,
        "signed_on": contract.signed_on,
        "planned_handover_on": contract.planned_handover_on,
        "handed_over_on": home.handed_over_on if home else None,
        "move_in_on": home.move_in_on if home else None,
    }


def _shown(person: Person, *, unmask: bool) -> dict[str, str | None]:
    if unmask:
        return {"name": person.name, "phone": person.phone}
    name, phone = person.name, person.phone
    return {"name": mask_name(name) if name else name, "phone": mask_phone(phone) if phone else phone}


def _totals(steps: list[dict[str, Any]]) -> dict[str, int]:
    counts = Counter(step["status"] for step in steps)
    return {status: counts[status] for status in get_args(PromiseStatus)}


def _open(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what is still to be done, in the order of the due times: what is overdue comes first."""
    return (
        step
        for step in steps
        if step["status"] in ("planned", "due") or (step["status"] == "late" and step["done_at"] is None)
    )


def _short(step: dict[str, Any]) -> dict[str, Any]:
    return {name: step[name] for name in ("touchpoint", "label", "due_at", "status", "department")}
