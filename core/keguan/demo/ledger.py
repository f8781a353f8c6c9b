"""What people typed into the sales system, evening by evening: the rows that its exports consist of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from keguan.demo.city import Project, Purchase, SyntheticCity
from keguan.demo.people import Person

__all__ = ["Entry", "OptOut", "contract_entries", "handover_entries", "opt_outs", "project_entries"]

Value = str | int | date | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One row as it stood in the system on the evening of ``on``; ``row`` maps the importer's fields to values."""

    on: date
    kind: Literal["projects", "contracts", "handovers"]
    project: Project
    row: Mapping[str, Value] = field(repr=False)


@dataclass(frozen=True, slots=True)
class OptOut:
    """Somebody who wants no messages any more."""

    on: date
    phone: str = field(repr=False)


def project_entries(city: SyntheticCity) -> list[Entry]:
    """Return what is known of every project from the beginning: where it stands, and its first two milestones."""
    return [Entry(city.start, "projects", project, _project(project)) for project in city.projects]


def contract_entries(city: SyntheticCity) -> list[Entry]:
    """Return every state of every contract, in the order of entry; later than the city's end left out."""
    found = [entry for purchase in city.purchases for entry in _contract(purchase)]
    return sorted((entry for entry in found if entry.on <= city.end), key=lambda entry: entry.on)


def handover_entries(city: SyntheticCity) -> list[Entry]:
    """Return every handover and every moving in, in the order of entry; later than the city's end left out."""
    found = [entry for purchase in city.purchases for entry in _handover(purchase)]
    return sorted((entry for entry in found if entry.on <= city.end), key=lambda entry: entry.on)


def opt_outs(city: SyntheticCity) -> list[OptOut]:
    """Return who wanted no messages any more, in the order of days."""
    found = [
        OptOut(purchase.opted_out_on, purchase.buyers[0].phone)
        for purchase in city.purchases
        if purchase.opted_out_on and purchase.opted_out_on <= city.end and purchase.buyers[0].phone
    ]
    return sorted(found, key=lambda opt_out: opt_out.on)


def _project(project: Project) -> dict[str, Value]:
    return {
        "project": project.name,
        "city": project.city,
        "first_show_on": project.first_show_on,
        "launch_on": project.launch_on,
        "area": project.area,
    }


def _contract(purchase: Purchase) -> Iterator[Entry]:
    planned = purchase.planned_handover_on
    if purchase.deposit_on != purchase.signed_on:
        yield from _rows(purchase, purchase.deposit_on, "reserved", planned, signed=False)
    if purchase.signed_entered_on:
        yield from _rows(purchase, purchase.signed_entered_on, "signed", planned)
    if purchase.postponed_on and purchase.postponed_to and not _over_by(purchase, purchase.postponed_on):
        planned = purchase.postponed_to
        yield from _rows(purchase, purchase.postponed_on, "signed", planned)
    if purchase.cancelled_on:
        signed = purchase.signed_on is not None
        yield from _rows(purchase, purchase.cancelled_on, "cancelled", planned, signed=signed)
    if purchase.resold_on:
        yield from _rows(purchase, purchase.resold_on, "transferred", planned)


def _over_by(purchase: Purchase, day: date) -> bool:
    return purchase.cancelled_on is not None and purchase.cancelled_on <= day


def _rows(purchase: Purchase, on: date, status: str, planned: date, *, signed: bool = True) -> Iterator[Entry]:
    """Yield one row per buyer, as sales systems write co-owners."""
    place = purchase.place
    for buyer in purchase.buyers:
        row: dict[str, Value] = {
            "contract_no": purchase.contract_no,
            "project": place.project.name,
            "city": place.project.city,
            "building": place.building,
            "unit": place.unit,
            "room": place.room,
            **_person(buyer),
            "deposit_on": purchase.deposit_on,
            "signed_on": purchase.signed_on if signed else None,
            "planned_handover_on": planned,
            "fitting": "fitted" if place.fitted else "bare",
            "status": status,
            "price": purchase.price,
        }
        yield Entry(on, "contracts", place.project, row)


def _person(person: Person) -> dict[str, Value]:
    return {
        "customer": person.name,
        "phone": person.phone,
        "email": person.email,
        "id_no": person.id_no,
        "birthday": person.birthday,
        "lunar": person.lunar,
    }


def _handover(purchase: Purchase) -> Iterator[Entry]:
    if purchase.handover_entered_on:
        yield _handover_row(purchase, purchase.handover_entered_on, None)
    if purchase.move_in_entered_on:
        yield _handover_row(purchase, purchase.move_in_entered_on, purchase.move_in_on)


def _handover_row(purchase: Purchase, on: date, move_in_on: date | None) -> Entry:
    place = purchase.place
    row: dict[str, Value] = {
        "contract_no": purchase.contract_no,
        "project": place.project.name,
        "city": place.project.city,
        "building": place.building,
        "unit": place.unit,
        "room": place.room,
        "handed_over_on": purchase.handed_over_on,
        "move_in_on": move_in_on,
    }
    return Entry(on, "handovers", place.project, row)
