"""Which home a contract is about: found, renamed, created."""

from __future__ import annotations

from keguan.intake.book import Book, Note
from keguan.intake.entries import ContractEntry, HomeEntry, ProjectEntry
from keguan.intake.facts import ContractFacts
from keguan.intake.lookup import Place

__all__ = ["home_of", "is_placeholder", "place_of", "settle_home"]


def place_of(project_id: int, facts: ContractFacts, current: HomeEntry | None) -> Place | None:
    """Return where the home is that ``facts`` name; parts they leave out are those of the ``current`` home."""
    room = facts.room or (current.room if current else None)
    if room is None:
        return None
    building = facts.building or (current.building if current else "")
    unit = facts.unit or (current.unit if current else "")
    return project_id, building, unit, room


def is_placeholder(home: HomeEntry, contract: ContractEntry) -> bool:
    """Return whether the home only stands for one that nobody has told yet."""
    return (home.building, home.unit, home.room) == ("", "", contract.contract_no)


def settle_home(
    book: Book, project: ProjectEntry, facts: ContractFacts, contract: ContractEntry | None
) -> tuple[HomeEntry | None, set[str]]:
    """Return the home that ``facts`` name, and what is new about the home that the contract had.

    Another room is another home: the contract moves to it. Only a placeholder becomes the home it stood for.
    """
    current = home_of(book, contract)
    place = place_of(project.id, facts, current)
    if place is None:
        if facts.building or facts.unit:
            book.notes.append(Note("apply.home_without_room", {"contract_no": facts.contract_no}))
        return None, set()
    changed: set[str] = set()
    is_new = False
    if current is not None and current.place == place:
        home = current
    elif (found := book.places.get(place)) is not None:
        home = found
        if current is not None and contract is not None and is_placeholder(current, contract):
            _hand_on(book, current, home)
    elif current is not None and contract is not None and is_placeholder(current, contract):
        home = current
        book.rename_home(home, place)
        changed.add("room")
    else:
        home = HomeEntry(book.number(HomeEntry), *place)
        book.add(home)
        is_new = True
    if facts.fitting is not None and home.fitting != facts.fitting:
        home.fitting = facts.fitting
        changed.add("fitting")
    if is_new:
        return home, set()
    if changed:
        book.touch(home)
        book.tell("home_changed", home, changed=sorted(changed))
    return home, changed


def home_of(book: Book, contract: ContractEntry | None) -> HomeEntry | None:
    """Return the home that a contract has now."""
    return book.homes[contract.home_id] if contract is not None and contract.home_id is not None else None


def _hand_on(book: Book, placeholder: HomeEntry, home: HomeEntry) -> None:
    """Give ``home`` the dates that were recorded while nobody had told which home it was."""
    for kind, name in (("handover", "handed_over_on"), ("move_in", "move_in_on")):
        day = getattr(placeholder, name)
        if day is not None and getattr(home, name) is None:
            setattr(home, name, day)
            book.touch(home)
            book.tell(kind, home, day, **{name: day.isoformat()})
