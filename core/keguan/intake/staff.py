"""What a row about staff changes: who works where, and who has left."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from keguan.intake.book import Book, Refused
from keguan.intake.entries import PersonEntry, StaffEntry
from keguan.intake.facts import StaffFacts
from keguan.intake.persons import Stated, nothing_stated
from keguan.store.schema import departments, people, staff

__all__ = ["StaffRecords", "apply_staff"]

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
                .where(people.c.name.in_(wanted[start : start + 500]))
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
    if facts.left_on is not None and facts.left_on != member.left_on:
        member.left_on, moved = facts.left_on, True
    if moved:
        book.touch(member)
    return changed or moved
