"""Events that plugins registered: what they are about is looked up, their data is kept, no record changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keguan.intake.about import About, Occurrence
from keguan.intake.book import Book, Refused
from keguan.intake.event_fields import plain_data
from keguan.intake.facts import HandoverFacts
from keguan.intake.handovers import find_home, load_for_handovers
from keguan.intake.news import cities_of
from keguan.intake.subjects import stated_subject
from keguan.model import EventType, Subject
from keguan.settings import Settings
from keguan.store.branches import ensure_branches, load_branches

__all__ = ["about_foreign"]

Place = tuple[int, str]
"""Number of the record and the city it is in."""


def about_foreign(book: Book, kind: EventType, occurrence: Occurrence, settings: Settings) -> About:
    """Return what ``occurrence`` is about; nothing is changed, its data is kept as it is.

    Raises ``Refused`` when it names no subject, or one that is not there, and ``InputError`` for personal data.
    """
    data = plain_data(kind.name, occurrence.fields)
    if occurrence.subject is None:
        raise Refused("apply.subject_missing", "subject", type=kind.name, subject=kind.subject)
    values = stated_subject(book, occurrence.subject, kind.subject, settings)
    find = _FIND.get(kind.subject)
    number, city = find(book, values) if find is not None else (values["number"], "")
    return About(Subject(kind.subject, number), city, None, data)


def _contract(book: Book, values: Mapping[str, Any]) -> Place:
    found = book.load_contract_numbers([values["contract_no"]])
    if not found:
        raise Refused("apply.contract_unknown", "subject")
    if len(found) > 1:
        names = sorted(book.projects_by_id[one.project_id].name for one in found)
        raise Refused("apply.contract_ambiguous", "subject", projects=", ".join(names))
    return found[0].id, book.projects_by_id[found[0].project_id].city


def _home(book: Book, values: Mapping[str, Any]) -> Place:
    facts = HandoverFacts.of(values)
    load_for_handovers(book, [facts])
    home = find_home(book, facts).home
    if home is None:
        raise Refused("apply.home_unknown", "subject")
    return home.id, book.projects_by_id[home.project_id].city


def _project(book: Book, values: Mapping[str, Any]) -> Place:
    book.load_projects([values["project"]])
    project = book.projects.get(values["project"])
    if project is None:
        raise Refused("apply.project_unknown", "subject", project=values["project"])
    return project.id, project.city


def _branch(book: Book, values: Mapping[str, Any]) -> Place:
    city = values["city"]
    ensure_branches(book.store, book.connection, [city])
    return load_branches(book.connection, [city])[city].id, city


def _customer(book: Book, values: Mapping[str, Any]) -> Place:
    number = values["number"]
    book.load_people_by_id([number])
    if number not in book.people:
        raise Refused("apply.customer_unknown", "subject")
    return number, cities_of(book.connection, [number]).get(number, "")


_FIND: Mapping[str, Callable[[Book, Mapping[str, Any]], Place]] = {
    "contract": _contract,
    "home": _home,
    "project": _project,
    "branch": _branch,
    "customer": _customer,
}
"""By type of subject; of a record that a plugin keeps, keguan knows no more than the number it is given."""
