"""What a line of a register is about, as people name it."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from keguan.errors import InputError
from keguan.model import Subject
from keguan.nearest import nearest
from keguan.people.lookup import find_customer
from keguan.queries.subjects import home_name
from keguan.settings import Settings
from keguan.store.records import load_records
from keguan.store.schema import branches, homes, projects

__all__ = ["Place", "find_place"]


class Place(NamedTuple):
    """A subject, and the project and city that it belongs to."""

    subject: Subject
    project_id: int | None
    city: str


def find_place(connection: Connection, settings: Settings, about: str, name: str) -> Place:
    """Return the subject of the type ``about`` that ``name`` names.

    A project by its name, a home as PROJECT/BUILDING-UNIT-ROOM, a customer by number, phone or contract, a branch by
    its city; a branch that nothing was ever about yet is written down. Raises ``InputError``.
    """
    match about:
        case "project":
            return _project(connection, name)
        case "home":
            return _home(connection, name)
        case "branch":
            return _branch(connection, settings, name)
    number = find_customer(connection, name)
    subject = Subject("customer", number)
    record = load_records(connection, [subject]).get(subject)
    if record is None:
        raise InputError("registers.no_customer", number=number)
    return Place(subject, record.project.id, record.project.city)


def _project(connection: Connection, name: str) -> Place:
    rows = connection.execute(select(projects.c.id, projects.c.name, projects.c.city)).all()
    found = next((row for row in rows if row.name == name), None)
    if found is None:
        near = nearest(name, [row.name for row in rows])
        raise InputError("queries.project_unknown", project=name, near=near or "–")
    return Place(Subject("project", found.id), found.id, found.city)


def _home(connection: Connection, name: str) -> Place:
    project_name, _, label = name.rpartition("/")
    place = _project(connection, project_name)
    h = homes.c
    rows = connection.execute(select(h.id, h.building, h.unit, h.room).where(h.project_id == place.project_id)).all()
    labels = {home_name(project_name, row.building, row.unit, row.room): row.id for row in rows}
    if name not in labels:
        near = nearest(label, [each.rpartition("/")[2] for each in labels])
        raise InputError("registers.home_unknown", home=label, project=project_name, near=near or "–")
    return Place(Subject("home", labels[name]), place.project_id, place.city)


def _branch(connection: Connection, settings: Settings, name: str) -> Place:
    city = settings.city_key(name)
    if city is None:
        near = nearest(name, settings.cities)
        raise InputError("queries.city_unknown", city=name, near=near or ", ".join(settings.cities) or "–")
    number = connection.execute(select(branches.c.id).where(branches.c.city == city)).scalar()
    if number is None:
        number = connection.execute(insert(branches).values(city=city).returning(branches.c.id)).scalar_one()
    return Place(Subject("branch", number), None, city)
