"""What a resale changes: the home goes on with its new owner, the contract it was bought by is over."""

from __future__ import annotations

from datetime import date

from keguan.intake.book import Book, Refused
from keguan.intake.entries import LIVE, HomeEntry, OwnerEntry
from keguan.intake.facts import PersonFacts
from keguan.intake.persons import settle_person

__all__ = ["apply_resale"]


def apply_resale(book: Book, home: HomeEntry, owner: PersonFacts | None, on: date) -> bool:
    """Record that ``home`` belongs to ``owner`` from ``on``; return whether that is new.

    The owners before end, contracts in force on the home become ``transferred``. Raises :class:`Refused` when
    nobody is named.
    """
    if owner is None:
        raise Refused("apply.new_owner_missing", "customer")
    book.load_holders([home.id])
    book.load_people([owner.id_no] if owner.id_no else [], [owner.phone] if owner.phone else [])
    before = book.holders.get(home.id, [])
    person, _ = settle_person(book, owner, [book.people[row.person_id] for row in before])
    contracts = [one for one in book.contracts_on.get(home.id, ()) if one.status in LIVE]
    if not contracts and [row.person_id for row in before] == [person.id]:
        return False
    book.touch(home)
    book.tell(
        "ownership_transferred",
        home,
        on,
        before=[row.person_id for row in before],
        owner=person.id,
    )
    for row in before:
        row.until = on
        book.touch(row)
    new = OwnerEntry(book.number(OwnerEntry), person.id, home.id, None, 0, on, None)
    book.add(new)
    book.holders[home.id] = [new]
    for contract in contracts:
        contract.status = "transferred"
        book.touch(contract)
        book.tell("contract_transferred", contract, on)
    return True
