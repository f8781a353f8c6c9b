"""Which person is meant, and what is new about them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from keguan.intake.book import Book
from keguan.intake.entries import PersonEntry
from keguan.intake.facts import PersonFacts

__all__ = ["Stated", "find_person", "nothing_stated", "settle_person"]


class Stated(Protocol):
    """What else the file in hand says of people; a single fact has no file around it."""

    def names(self, name: str | None, phone: str) -> bool:
        """Return whether a row names somebody with this name and phone."""

    def differs(self, id_no: str, name: str | None, phone: str | None) -> bool:
        """Return whether a row gives this ID number another name or, unless it is ``None``, another phone."""


class _Nothing:
    def names(self, name: str | None, phone: str) -> bool:
        return False

    def differs(self, id_no: str, name: str | None, phone: str | None) -> bool:
        return False


nothing_stated: Stated = _Nothing()
"""For a single fact."""


def find_person(
    book: Book,
    facts: PersonFacts,
    known: Iterable[PersonEntry] = (),
    *,
    stated: Stated = nothing_stated,
    taken: Collection[int] = (),
) -> PersonEntry | None:
    """Return the person that ``facts`` mean, ``None`` for somebody new.

    A person is an ID number, else name and phone. ``known`` are those already bound to the contract or home: one
    of the same name without a number is the person meant, and a phone that differs is a new phone, unless
    another row of the file still names the old one: then these are two people. Somebody whose ID number has
    another name or phone by another row is not meant either, whichever row is looked at first. ``taken`` are
    the numbers of people whom other rows of the contract mean.
    """
    free = [person for person in known if person.id not in taken and person.name == facts.name]
    if not facts.id_no:
        free = [person for person in free if not _is_other(person, facts, stated)]
    if facts.id_no:
        if (person := book.by_id_no.get(facts.id_no)) is not None:
            return person
        for person in free:
            if not person.id_no and _may_be(person, facts, stated):
                return person
        return next((one for one in _same_contact(book, facts) if not one.id_no and one.id not in taken), None)
    if facts.phone:
        same = [one for one in _same_contact(book, facts) if one.id not in taken and not _is_other(one, facts, stated)]
        if same:
            return min(same, key=lambda one: (one not in free, one.id_no is not None, one.id))
        return next((person for person in free if _may_be(person, facts, stated)), None)
    return next(iter(free), None)


def _same_contact(book: Book, facts: PersonFacts) -> list[PersonEntry]:
    return book.by_contact.get((facts.name, facts.phone), []) if facts.phone else []


def _may_be(person: PersonEntry, facts: PersonFacts, stated: Stated) -> bool:
    """Whether somebody of that name may have the phone now that ``facts`` give."""
    if not person.phone or not facts.phone or person.phone == facts.phone:
        return True
    return not stated.names(person.name, person.phone)


def _is_other(person: PersonEntry, facts: PersonFacts, stated: Stated) -> bool:
    return person.id_no is not None and stated.differs(person.id_no, facts.name, facts.phone)


def settle_person(
    book: Book,
    facts: PersonFacts,
    known: Iterable[PersonEntry] = (),
    *,
    stated: Stated = nothing_stated,
    taken: Collection[int] = (),
) -> tuple[PersonEntry, bool]:
    """Return the person that ``facts`` mean, brought up to date or created, and whether anything is new."""
    person = find_person(book, facts, known, stated=stated, taken=taken)
    if person is not None:
        return person, book.change_person(person, **facts.as_values())
    contact = (facts.name, facts.phone, facts.email, facts.id_no)
    person = PersonEntry(book.number(PersonEntry), *contact, facts.birthday, bool(facts.lunar))
    book.add(person)
    return person, True
