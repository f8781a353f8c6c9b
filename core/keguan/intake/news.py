"""Which events follow from what changed about projects and people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from keguan.events.log import NewEvent
from keguan.intake.entries import OwnerEntry, ProjectEntry
from keguan.model import Subject
from keguan.store.schema import contracts, homes, owners, projects

if TYPE_CHECKING:
    from keguan.intake.book import Book

__all__ = ["MILESTONES", "cities_of", "newcomers", "tell_of_people", "tell_of_project"]

MILESTONES = {
    "first_show_on": "first_show",
    "launch_on": "launch",
    "planned_handover_on": "planned_handover",
    "handed_over_on": "handover",
}
"""The dates of a project that promises count from, and what the event calls them."""
_CHUNK = 500


def tell_of_project(book: Book, project: ProjectEntry, changed: Collection[str], *, created: bool) -> None:
    """Record what changed about a project, which has its new values and its new version already.

    Each date that was set, moved or taken away is a ``project_milestone``; all else together is one
    ``project_changed``, which says nothing new of a project that was just ``created``.
    """
    for name, milestone in MILESTONES.items():
        if name in changed:
            day = getattr(project, name)
            book.tell("project_milestone", project, milestone=milestone, **{name: day.isoformat() if day else None})
    rest = sorted(set(changed) - MILESTONES.keys())
    if rest and not created:
        book.tell("project_changed", project, changed=rest)


def newcomers(book: Book, bought: Iterable[OwnerEntry], *, new: Collection[int]) -> dict[int, str]:
    """Return who of ``bought``, not written yet, has a birthday and owned or bought nothing before: person to city.

    Whoever is not among the ``new`` people gets a new version, so that the event about it has an id of its own.
    """
    found = {
        owner.person_id: _city_of(book, owner)
        for owner in bought
        if owner.until is None and book.people[owner.person_id].birthday is not None
    }
    for chunk in _chunks(found.keys() - new):
        statement = select(owners.c.person_id).where(owners.c.person_id.in_(chunk), owners.c.until.is_(None))
        for key in set(book.connection.execute(statement).scalars()):
            del found[key]
    for key in found.keys() - new:
        book.touch(book.people[key])
    return found


def _city_of(book: Book, owner: OwnerEntry) -> str:
    """Return the city of what somebody bought, which is at hand."""
    place = book.contracts_by_id[owner.contract_id] if owner.contract_id else book.homes[owner.home_id or 0]
    return book.projects_by_id[place.project_id].city


def tell_of_people(
    book: Book, changed: Mapping[int, Collection[str]], came: Mapping[int, str], *, new: Collection[int]
) -> None:
    """Record ``customer_changed``, once for each person: for everybody ``changed`` who owns a home or has a contract,
    and for those who ``came`` (person to city), whose birthday counts from now on.

    ``changed`` says what is new about whom; ``new`` people without a birthday are no news.
    """
    names = {key: set(what) for key, what in changed.items() if key not in new}
    cities = {**cities_of(book.connection, names), **came}
    for key in came:
        names.setdefault(key, set()).add("birthday")
    for key, what in names.items():
        if key in cities:
            event_id = f"customer_changed/{key}/{book.people[key].version}"
            data = {"changed": sorted(what)}
            subject = Subject("customer", key)
            book.events.append(NewEvent("import", event_id, "customer_changed", book.now, subject, cities[key], data))


def cities_of(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    """Return the city of each of these people's newest contract or home."""
    statement = (
        select(owners.c.person_id, projects.c.city)
        .select_from(
            owners.outerjoin(contracts, contracts.c.id == owners.c.contract_id)
            .outerjoin(homes, homes.c.id == owners.c.home_id)
            .join(
                projects,
                (projects.c.id == contracts.c.project_id)
                | (contracts.c.id.is_(None) & (projects.c.id == homes.c.project_id)),
            )
        )
        .where(owners.c.until.is_(None))
        .order_by(owners.c.id)
    )
    found: dict[int, str] = {}
    for chunk in _chunks(ids):
        rows = connection.execute(statement.where(owners.c.person_id.in_(chunk)))
        found.update((key, city) for key, city in rows)
    return found


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    wanted = sorted(ids)
    for start in range(0, len(wanted), _CHUNK):
        yield wanted[start : start + _CHUNK]
