"""What a contract's rows change: the contract, its home, its buyers; and which events that makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from keguan.intake.book import Book, Note, Refused
from keguan.intake.buyers import bind_buyers, close_buyers
from keguan.intake.entries import LIVE, ContractEntry
from keguan.intake.facts import ContractFacts
from keguan.intake.homes import home_of, place_of, settle_home
from keguan.intake.persons import Stated, nothing_stated

__all__ = ["Outcome", "apply_contract", "load_for_contracts", "refuse_future"]

_VALUES = ("deposit_on", "signed_on", "planned_handover_on", "price_fen")


@dataclass(slots=True)
class Outcome:
    """What came of one statement about a contract."""

    contract: ContractEntry
    was: str | None
    """The state before; ``None`` for a new contract."""
    deposit_before: date | None = None
    changed: set[str] = field(default_factory=set)
    """What is new, apart from people; never empty for a new contract."""
    people: set[int] = field(default_factory=set)
    """Which of the people stated, by position, are new or have something new."""
    shifted: bool = False
    """Whether a buyer was taken off or is another one's predecessor now."""

    @property
    def entirely(self) -> bool:
        """Whether every row of the statement takes part in the change."""
        return self.shifted or bool(self.changed - {"owners"})


def load_for_contracts(book: Book, facts: Sequence[ContractFacts]) -> None:
    """Load, in a few statements, everything that :func:`apply_contract` needs for ``facts``."""
    book.load_projects({one.project for one in facts if one.project})
    known = [(book.projects[one.project].id, one) for one in facts if one.project in book.projects]
    book.load_contracts((project, one.contract_no) for project, one in known)
    found = [book.contracts.get((project, one.contract_no)) for project, one in known]
    book.load_buyers(contract.id for contract in found if contract is not None)
    book.load_homes(contract.home_id for contract in found if contract is not None)
    places = set()
    for (project, one), contract in zip(known, found, strict=True):
        home = home_of(book, contract)
        place = place_of(project, one, home)
        if place is not None and (home is None or home.place != place):
            places.add(place)
    book.load_places(places)
    book.load_contracts_of_homes(book.places[place].id for place in places if place in book.places)
    people = [person for one in facts for person in one.people]
    book.load_people(
        {person.id_no for person in people if person.id_no}, {person.phone for person in people if person.phone}
    )


def apply_contract(book: Book, facts: ContractFacts, *, stated: Stated = nothing_stated) -> Outcome:
    """Bring the records in line with ``facts`` and tell what happened.

    An empty field says nothing: what is recorded stays. Raises :class:`Refused`, before anything is changed,
    for what cannot be: a date in the future, a state that contradicts the dates, a project in another city.
    """
    if facts.project is None:
        raise Refused("apply.project_missing", "project")
    book.refuse_elsewhere(facts.project, facts.city)
    refuse_future(book.today_in(facts.project, facts.city), deposit_on=facts.deposit_on, signed_on=facts.signed_on)
    project = book.projects.get(facts.project)
    status = _status(facts, book.contracts.get((project.id, facts.contract_no)) if project else None)
    outcome = _settle(book, facts, status)
    if outcome.was != "transferred":
        bind_buyers(book, outcome, facts, stated)
    _tell(book, outcome)
    _warn(book, outcome.contract)
    return outcome


def refuse_future(today: date, **dates: date | None) -> None:
    """Raise :class:`Refused` for a fact dated later than tomorrow: it has not happened, so it is a mistake."""
    for name, day in dates.items():
        if day is not None and day > today + timedelta(days=1):
            raise Refused("apply.date_in_future", name, day=day.isoformat())


def _status(facts: ContractFacts, old: ContractEntry | None) -> str:
    """Return the state that the contract is in now."""
    said = facts.status
    if said == "reserved" and facts.signed_on is not None:
        raise Refused("apply.reserved_but_signed", "status")
    if old is None:
        return said or ("signed" if facts.signed_on else "reserved")
    if old.status == "transferred":
        # Sales systems go on listing the first buyer after a resale; only an end of the contract is news.
        return "cancelled" if said == "cancelled" else "transferred"
    if old.status == "signed" and said == "reserved":
        raise Refused("apply.signed_before", "status")
    if said is not None:
        return said
    if facts.signed_on is not None and old.status == "reserved":
        return "signed"
    if old.status == "cancelled" and facts.signed_on is not None and facts.signed_on > (old.signed_on or date.min):
        return "signed"
    return old.status


def _settle(book: Book, facts: ContractFacts, status: str) -> Outcome:
    """Bring the contract and its home in line, buyers not yet."""
    assert facts.project is not None
    project = book.project(facts.project, facts.city)
    contract = book.contracts.get((project.id, facts.contract_no))
    home, about_home = settle_home(book, project, facts, contract)
    home_id = home.id if home else None
    if contract is None:
        contract = ContractEntry(
            book.number(ContractEntry),
            project.id,
            facts.contract_no,
            home_id,
            status,
            *(getattr(facts, name) for name in _VALUES),
        )
        book.add(contract)
        _warn_sold_twice(book, contract)
        return Outcome(contract, None, None, {"status"})
    outcome = Outcome(contract, contract.status, contract.deposit_on, about_home)
    for name, value in (*((name, getattr(facts, name)) for name in _VALUES), ("status", status)):
        if value is not None and getattr(contract, name) != value:
            setattr(contract, name, value)
            outcome.changed.add(name.removesuffix("_fen"))
    if home_id is not None and contract.home_id != home_id:
        book.house(contract, home_id)
        outcome.changed.add("home")
        _warn_sold_twice(book, contract)
    if outcome.changed:
        book.touch(contract)
        close_buyers(book, contract)
    return outcome


def _tell(book: Book, outcome: Outcome) -> None:
    contract, was, told = outcome.contract, outcome.was, set()
    if contract.status not in LIVE:
        if contract.status != was:
            book.tell(f"contract_{contract.status}", contract)
            told.add("status")
    else:
        if contract.deposit_on and (was not in LIVE or outcome.deposit_before is None):
            book.tell("deposit", contract, contract.deposit_on, deposit_on=contract.deposit_on.isoformat())
            told.add("deposit_on")
        if contract.status == "signed" != was:
            signed_on = contract.signed_on.isoformat() if contract.signed_on else None
            book.tell("contract_signed", contract, contract.signed_on, signed_on=signed_on)
            told |= {"signed_on", "status"}
    rest = outcome.changed - told
    if was is not None and rest:
        book.tell("contract_changed", contract, changed=sorted(rest))
    home = home_of(book, contract)
    if home is not None and home.taken_over and outcome.changed & {"owners", "status", "home"}:
        book.touch(home)
        book.tell("home_changed", home, changed=["owners"])


def _warn_sold_twice(book: Book, contract: ContractEntry) -> None:
    """Note that a home that a contract comes to is still being bought by another one."""
    others = [
        one.contract_no
        for one in book.contracts_on.get(contract.home_id or 0, ())
        if one is not contract and one.status in LIVE
    ]
    if others and contract.status in LIVE:
        numbers = ", ".join(sorted([contract.contract_no, *others]))
        book.notes.append(Note("apply.home_sold_twice", {"numbers": numbers}))


def _warn(book: Book, contract: ContractEntry) -> None:
    signed, number = contract.signed_on, {"contract_no": contract.contract_no}
    if signed is None:
        return
    if contract.planned_handover_on is not None and contract.planned_handover_on < signed:
        book.notes.append(Note("apply.handover_planned_before_signing", number))
    if contract.deposit_on is not None and contract.deposit_on > signed:
        book.notes.append(Note("apply.deposit_after_signing", number))
