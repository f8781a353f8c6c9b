"""What a row about staff changes: who works where, and who has left."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time

from sqlalchemy import select

from keguan.events.log import NewEvent
from keguan.intake.book import IMPORT, Book, Refused
from keguan.intake.entries import PersonEntry, StaffEntry
from keguan.intake.facts import StaffFacts
from keguan.intake.persons import Stated, nothing_stated
from keguan.model import Subject
from keguan.store.schema import departments, people, staff
from keguan.store.sealed import indexed

__all__ = ["StaffRecords", "apply_leaving", "apply_staff"]

_STAFF = tuple(staff.c[name] for name in ("id", *StaffEntry.columns))
_PERSON = tuple(people.c[name] for name in ("id", *PersonEntry.columns))


class StaffRecords:
    """The staff with certain names, and all departments."""

    def __init__(self, book: Book, names: Iterable[str]) -> None:
        self.book = book
        self.by_name: dict[str, list[tuple[PersonEntry, StaffEntry]]] = {}
        book.departments.update(
            (row.name, row.id) for row in book.connection.execute(select(departments.c.id, departments.c.name))
        )
        wanted = sorted(set(names))
        for start in range(0, len(wanted), 500):
            for row in book.connection.execute(
                select(*_PERSON, *_STAFF)
                .join_from(staff, people, people.c.id == staff.c.person_id)
                .where(indexed(book.connection, people.c.name_index, wanted[start : start + 500]))
                .order_by(staff.c.id)
            ):
                person, member = PersonEntry(*row[: len(_PERSON)]), StaffEntry(*row[len(_PERSON) :])
                self.by_name.setdefault(person.name or "", []).append((person, member))

    def find(self, facts: StaffFacts, stated: Stated) -> tuple[PersonEntry, StaffEntry] | None:
        """Return who is meant: of those with the name, the one with the phone, else with the e-mail address.

        A single one of the department, whose phone or address no other row of the file names, has a new one.
        """
        same = self.by_name.get(facts.name, [])
        for name in ("phone", "email"):
            said = getattr(facts, name)
            for pair in same:
                if said is not None and getattr(pair[0], name) == said:
                    return pair
        department = self.book.departments.get(facts.department or "")
        near = [pair for pair in same if facts.department is None or pair[1].department_id == department]
        if len(near) == 1 and not (facts.phone and near[0][0].phone and stated.names(facts.name, near[0][0].phone)):
            return near[0]
        return None


def apply_staff(records: StaffRecords, facts: StaffFacts, *, stated: Stated = nothing_stated) -> bool:
    """Bring a member of staff in line with ``facts``; return whether anything was new.

    Raises :class:`Refused` for somebody new without a department.
    """
    book = records.book
    found = records.find(facts, stated)
    if found is None:
        if facts.department is None:
            raise Refused("apply.department_missing", "department")
        person = PersonEntry(book.number(PersonEntry), facts.name, facts.phone, facts.email, None, None)
        member = StaffEntry(book.number(StaffEntry), person.id, book.department(facts.department), facts.left_on)
        book.add(person)
        book.add(member)
        records.by_name.setdefault(facts.name, []).append((person, member))
        return True
    person, member = found
    changed = book.change_person(person, phone=facts.phone, email=facts.email)
    moved = facts.department is not None and book.department(facts.department) != member.department_id
    if moved:
        assert facts.department is not None
        member.department_id = book.department(facts.department)
    leaves = facts.left_on is not None and facts.left_on != member.left_on
    if leaves:
        member.left_on, moved = facts.left_on, True
    if moved:
        book.touch(member)
    if leaves:
        _tell_left(book, member)
    return changed or moved


def apply_leaving(book: Book, on: date, *, number: int | None = None, name: str | None = None) -> StaffEntry:
    """Record that a member of staff, by number or by name, no longer works here from ``on``, and return the entry.

    Raises :class:`Refused` for somebody who is not known, and for a name that several have.
    """
    if number is None and name is None:
        raise Refused("apply.staff_missing", "subject")
    if number is not None:
        row = book.connection.execute(select(*_STAFF).where(staff.c.id == number)).first()
        found = [] if row is None else [StaffEntry(*row)]
    else:
        found = [member for _, member in StaffRecords(book, {name or ""}).by_name.get(name or "", [])]
    if not found:
        raise Refused("apply.staff_unknown", "subject")
    if len(found) > 1:
        raise Refused("apply.staff_several", "subject", numbers=", ".join(str(member.id) for member in found))
    member = found[0]
    if member.left_on != on:
        member.left_on = on
        book.touch(member)
    return member


def _tell_left(book: Book, member: StaffEntry) -> None:
    """Record the fact for plugins that want to know; the core hands over tasks by what the record says."""
    assert member.left_on is not None
    city = book.default_city
    book.events.append(
        NewEvent(
            IMPORT,
            f"staff_left/{member.id}/{member.version}",
            "staff_left",
            book.city(city).at(member.left_on, time(0)),
            Subject("staff", member.id),
            city,
            {"left_on": member.left_on.isoformat()},
        )
    )
