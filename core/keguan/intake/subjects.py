"""What a single event is about, as people name it: ``HT-1``, ``home:云璟一期/3-1-1201``, ``branch:深圳``."""

from __future__ import annotations

from typing import Any

from keguan.intake.book import Book, Refused
from keguan.settings import Settings

__all__ = ["stated_subject"]

_NAMED = ("contract", "home", "project", "branch", "customer")


def stated_subject(book: Book, subject: str, expected: str, settings: Settings) -> dict[str, Any]:
    """Return what ``subject`` says as fields: a contract's number, a home's place, a project's name.

    ``expected`` is the type of subject that the event is about; a contract may stand for its home. The company in a
    city (a branch) is given by the city's name or key. A customer, or a record that a plugin keeps, is given by its
    number: ``{"number": 12}``. Raises ``Refused``.
    """
    kind, colon, name = subject.partition(":")
    if not colon or kind not in (*_NAMED, expected):
        kind, name = "contract", subject
    if kind != expected and (kind, expected) != ("contract", "home"):
        raise Refused("apply.subject_type", "subject", found=kind, expected=expected)
    if kind == "contract":
        return {"contract_no": name}
    if kind == "project":
        return {"project": name}
    if kind == "branch":
        city = settings.city_key(name)
        if city is None:
            raise Refused("apply.branch_unknown", "subject", city=name, known=", ".join(settings.cities))
        return {"city": city}
    if kind == "home":
        return _place(book, name)
    if not name.isdecimal():
        raise Refused("apply.subject_number", "subject", type=kind)
    return {"number": int(name)}


def _place(book: Book, name: str) -> dict[str, Any]:
    project_name, slash, label = name.rpartition("/")
    if not slash:
        raise Refused("apply.subject_home", "subject")
    book.load_projects([project_name])
    project = book.projects.get(project_name)
    if project is None:
        raise Refused("apply.project_unknown", "subject", project=project_name)
    parts = label.split("-")
    book.load_rooms((project.id, "-".join(parts[start:])) for start in range(len(parts)))
    found = [home for home in book.homes.values() if home.project_id == project.id and home.label == label]
    if not found:
        raise Refused("apply.home_unknown", "subject")
    if len(found) > 1:
        raise Refused("apply.home_ambiguous", "subject", count=len(found), homes=label)
    home = found[0]
    return {"project": project_name, "building": home.building, "unit": home.unit, "room": home.room}
