"""Which person is meant, and what is new about them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from keguan.intake.book import Book
from keguan.intake.entries import PersonEntry
from keguan.intake.facts import PersonFacts

__all__ = ["Stated", "find_person", "nothing_stated", "settle_person"]

Stated = Callable[[str | None, str], bool]
"""Whether the file in hand names somebody with this name and phone."""


def nothing_stated(_name: str | None, _phone: str) -> bool:
    """Answer for a single fact, which has no file around it."""
    return False


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
    another row of the file still names the old one: then these are two people. ``taken`` are the numbers of
    people whom other rows of the contract mean.
    """
    free = [person for person in known if person.id not in taken and person.name == facts.name]
    if facts.id_no:
        if (person := book.by_id_no.get(facts.id_no)) is not None:
            return person
        for person in free:
            if not person.id_no and _may_be(person, facts, stated):
                return person
        return next((one for one in _same_contact(book, facts) if not one.id_no and one.id not in taken), None)
    if facts.phone:
        same = [one for one in _same_contact(book, facts) if one.id not in taken]
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
    return not stated(person.name, person.phone)


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
    person = PersonEntry(book.number(PersonEntry), facts.name, facts.phone, facts.email, facts.id_no, facts.birthday)
    book.add(person)
    return person, True
