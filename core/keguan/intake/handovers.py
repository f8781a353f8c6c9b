"""What a handover's row changes: the home that was handed over or moved into."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from keguan.intake.book import Book, Note, Refused
from keguan.intake.contracts import refuse_future
from keguan.intake.entries import ContractEntry, HomeEntry
from keguan.intake.facts import HandoverFacts
from keguan.intake.homes import home_of, is_placeholder

__all__ = ["Target", "apply_handover", "find_home", "load_for_handovers", "settle_target"]


@dataclass(frozen=True, slots=True)
class Target:
    """The home that is meant; a contract whose home nobody has told yet stands for it."""

    home: HomeEntry | None
    contract: ContractEntry | None

    @property
    def key(self) -> str:
        """What is the same for all rows that mean this home, however they call it."""
        if self.home is not None:
            return f"home:{self.home.id}"
        assert self.contract is not None
        return f"contract:{self.contract.id}"


def load_for_handovers(book: Book, facts: Sequence[HandoverFacts]) -> None:
    """Load, in a few statements, everything that :func:`apply_handover` needs for ``facts``."""
    book.load_projects({one.project for one in facts if one.project})
    named = book.load_contract_numbers({one.contract_no for one in facts if one.contract_no})
    book.load_homes(contract.home_id for contract in named)
    book.load_rooms(
        (book.projects[one.project].id, one.room)
        for one in facts
        if one.room and not one.contract_no and one.project in book.projects
    )
    book.load_contracts_of_homes(book.homes)
    book.load_projects_by_id({home.project_id for home in book.homes.values()})


def find_home(book: Book, facts: HandoverFacts) -> Target:
    """Return which home ``facts`` mean: that of the contract, else the one in that building, unit and room.

    Raises :class:`Refused` when there is none, or more than one.
    """
    if facts.project is not None and facts.project not in book.projects:
        raise Refused("apply.project_unknown", "project", project=facts.project)
    project_id = book.projects[facts.project].id if facts.project else None
    if facts.contract_no:
        return _by_contract(book, facts, project_id)
    if project_id is None:
        raise Refused("apply.project_missing", "project")
    if not facts.room:
        raise Refused("apply.home_missing", "room")
    found = [home for home in book.rooms.get((project_id, facts.room), ()) if not _differs(facts, home)]
    if not found:
        raise Refused("apply.home_unknown", "room")
    if len(found) > 1:
        labels = ", ".join(sorted(home.label for home in found)[:5])
        raise Refused("apply.home_ambiguous", "room", count=len(found), homes=labels)
    return Target(found[0], None)


def _by_contract(book: Book, facts: HandoverFacts, project_id: int | None) -> Target:
    assert facts.contract_no is not None
    contracts = [
        contract
        for contract in book.contracts_by_number.get(facts.contract_no, ())
        if project_id in (None, contract.project_id)
    ]
    if not contracts:
        raise Refused("apply.contract_unknown", "contract_no")
    if len(contracts) > 1:
        names = ", ".join(sorted(book.projects_by_id[contract.project_id].name for contract in contracts)[:5])
        raise Refused("apply.contract_ambiguous", "contract_no", projects=names)
    contract = contracts[0]
    if contract.status == "cancelled":
        raise Refused("apply.contract_is_cancelled", "contract_no")
    home = home_of(book, contract)
    if home is not None and facts.room and _differs(facts, home):
        if not is_placeholder(home, contract):
            raise Refused("apply.home_differs", "room", home=home.label)
        return Target(None, contract)
    return Target(home, contract)


def _differs(facts: HandoverFacts, home: HomeEntry) -> bool:
    """Whether a part of the place that ``facts`` name is another one."""
    return any(
        said is not None and said != part
        for said, part in ((facts.building, home.building), (facts.unit, home.unit), (facts.room, home.room))
    )


def apply_handover(book: Book, facts: HandoverFacts, target: Target | None = None) -> tuple[HomeEntry, bool]:
    """Record what ``facts`` say of a home; return the home and whether anything was new.

    Raises :class:`Refused`, before anything is changed, for a home that cannot be found and for dates to come.
    """
    target = target or find_home(book, facts)
    project_id = (target.home or target.contract).project_id  # type: ignore[union-attr]  # one of them is there
    refuse_future(book.today(project_id), handed_over_on=facts.handed_over_on, move_in_on=facts.move_in_on)
    is_new = target.home is None
    home = settle_target(book, facts, target)
    before = {name: getattr(home, name) for name in ("handed_over_on", "move_in_on")}
    changed = {name for name in before if getattr(facts, name) not in (None, before[name])}
    for name in changed:
        setattr(home, name, getattr(facts, name))
    _warn(book, home)
    if changed:
        book.touch(home)
        _tell(book, home, {name for name in changed if before[name] is not None})
        for name, kind in (("handed_over_on", "handover"), ("move_in_on", "move_in")):
            if name in changed and before[name] is None:
                book.tell(kind, home, getattr(home, name), **{name: getattr(home, name).isoformat()})
    if changed or is_new:
        _tell_contracts(book, home, changed)
    return home, bool(changed or is_new)


def settle_target(book: Book, facts: HandoverFacts, target: Target) -> HomeEntry:
    """Return the home that is meant, created when nobody has told it yet."""
    if target.home is not None:
        return target.home
    assert target.contract is not None
    return _create_home(book, facts, target.contract)


def _create_home(book: Book, facts: HandoverFacts, contract: ContractEntry) -> HomeEntry:
    """Give ``contract`` the home that the row names; without one, a placeholder that carries its number."""
    place = (contract.project_id, facts.building or "", facts.unit or "", facts.room or contract.contract_no)
    book.load_places([place])
    current, home = home_of(book, contract), book.places.get(place)
    if home is None and current is not None:
        book.rename_home(current, place)
        home = current
    elif home is None:
        home = HomeEntry(book.number(HomeEntry), *place)
        book.add(home)
    if home is not current:
        book.house(contract, home.id)
        book.load_buyers([contract.id])
        for owner in book.buyers.get(contract.id, ()):
            owner.home_id = home.id
            book.touch(owner)
        book.touch(contract)
    book.touch(home)
    return home


def _tell(book: Book, home: HomeEntry, moved: Iterable[str]) -> None:
    corrected = sorted(moved)
    if corrected:
        book.tell("home_changed", home, changed=corrected)


def _tell_contracts(book: Book, home: HomeEntry, changed: set[str]) -> None:
    """A contract's promises may count from its home's dates, so its record has changed too."""
    for contract in book.contracts_on.get(home.id, ()):
        if contract.status == "signed":
            book.touch(contract)
            book.tell("contract_changed", contract, changed=sorted(changed or {"home"}))


def _warn(book: Book, home: HomeEntry) -> None:
    where = {"home": home.label, "project": book.projects_by_id[home.project_id].name}
    if home.handed_over_on and home.move_in_on and home.move_in_on < home.handed_over_on:
        book.notes.append(Note("apply.move_in_before_handover", where))
    there = book.contracts_on.get(home.id, ())
    first = min((one.signed_on for one in there if one.signed_on and one.status == "signed"), default=None)
    if first is not None and home.handed_over_on and home.handed_over_on < first:
        book.notes.append(Note("apply.handover_before_signing", where))
