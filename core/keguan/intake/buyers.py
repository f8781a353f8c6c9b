"""Who bought by a contract: the rows of ``owners`` follow what files say."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from keguan.intake.book import Book, Note
from keguan.intake.entries import LIVE, ContractEntry, OwnerEntry, PersonEntry
from keguan.intake.facts import ContractFacts
from keguan.intake.persons import Stated, settle_person

if TYPE_CHECKING:
    from keguan.intake.contracts import Outcome

__all__ = ["bind_buyers", "close_buyers"]


def bind_buyers(book: Book, outcome: Outcome, facts: ContractFacts, stated: Stated) -> None:
    """Make the buyers of a contract those that ``facts`` name; when they name none, they stay.

    A buyer who is no longer named is taken off, as if never entered, unless ``facts`` are incomplete. What is
    new is noted in ``outcome``.
    """
    if not facts.people:
        return
    contract = outcome.contract
    before = book.buyers.setdefault(contract.id, [])
    known = [book.people[owner.person_id] for owner in before]
    if any(person.erased_at is not None for person in known):
        # Whoever asked to be forgotten must not come back with the next export.
        book.notes.append(Note("apply.buyer_erased", {"contract_no": contract.contract_no}))
        return
    ids = _settled(book, outcome, facts, known, stated)
    rows = {owner.person_id: owner for owner in before}
    outcome.people |= {position for position, key in enumerate(ids) if key not in rows}
    ids = list(dict.fromkeys(ids))
    if not facts.complete:
        ids = [*rows, *(key for key in ids if key not in rows)]
    if ids == list(rows):
        return
    if outcome.was is not None:
        outcome.changed.add("owners")
        book.touch(contract)
    if any(key in rows for key in ids) and ids[: len(rows)] != list(rows):
        outcome.shifted = True
    for key, owner in rows.items():
        if key not in ids:
            book.drop(owner)
    book.buyers[contract.id] = [
        _placed(book, contract, rows.get(key), key, position) for position, key in enumerate(ids)
    ]


def _settled(book: Book, outcome: Outcome, facts: ContractFacts, known: list[PersonEntry], stated: Stated) -> list[int]:
    """Return the numbers of the people that ``facts`` name, in order; note which have something new."""
    ids: list[int] = []
    for position, person_facts in enumerate(facts.people):
        person, is_new = settle_person(book, person_facts, known, stated=stated, taken=ids)
        if is_new:
            outcome.people.add(position)
        ids.append(person.id)
    return ids


def _placed(book: Book, contract: ContractEntry, owner: OwnerEntry | None, person: int, position: int) -> OwnerEntry:
    if owner is None:
        owner = OwnerEntry(
            book.number(OwnerEntry), person, contract.home_id, contract.id, position, _since(contract), None
        )
        owner.until = _until(book, contract, owner)
        book.add(owner)
    elif owner.position != position:
        owner.position = position
        book.touch(owner)
    return owner


def close_buyers(book: Book, contract: ContractEntry) -> None:
    """Let the buyers' rows say what the changed contract says: home, dates, and whether they still own."""
    for owner in book.buyers.get(contract.id, ()):
        new = (contract.home_id, _since(contract), _until(book, contract, owner))
        if new != (owner.home_id, owner.since, owner.until):
            owner.home_id, owner.since, owner.until = new
            book.touch(owner)


def _since(contract: ContractEntry) -> date | None:
    return contract.signed_on or contract.deposit_on


def _until(book: Book, contract: ContractEntry, owner: OwnerEntry) -> date | None:
    if contract.status in LIVE:
        return None
    return owner.until or book.today(contract.project_id)
