"""What a row is about, by the name that people know it by and not by the number of a table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, Table, and_, func, select

from keguan.model import Subject
from keguan.store.records import in_chunks
from keguan.store.schema import branches, contracts, homes, projects

if TYPE_CHECKING:
    from keguan.settings import Settings

__all__ = ["home_name", "named_subject", "natural_ids", "subject_project", "with_subject"]

_contract = contracts.alias("subject_contract")
_home = homes.alias("subject_home")
_place = projects.alias("subject_place")  # the project of a home
_project = projects.alias("subject_project")

subject_project = func.coalesce(_contract.c.project_id, _home.c.project_id, _project.c.id)
"""The project's number of whatever ``with_subject`` joined; null for a customer, a branch or a day."""


def with_subject(statement: Select[Any], table: Table) -> Select[Any]:
    """Return ``statement`` with the columns that ``named_subject`` reads, joined to ``table``'s subject."""
    kind, key = table.c.subject_type, table.c.subject_id
    return (
        statement.add_columns(
            kind.label("subject_type"),
            key.label("subject_id"),
            _contract.c.contract_no.label("subject_contract_no"),
            _home.c.building.label("subject_building"),
            _home.c.unit.label("subject_unit"),
            _home.c.room.label("subject_room"),
            _place.c.name.label("subject_place_name"),
            _project.c.name.label("subject_project_name"),
        )
        .outerjoin(_contract, and_(kind == "contract", _contract.c.id == key))
        .outerjoin(_home, and_(kind == "home", _home.c.id == key))
        .outerjoin(_place, _place.c.id == _home.c.project_id)
        .outerjoin(_project, and_(kind == "project", _project.c.id == key))
    )


def named_subject(row: Any, settings: Settings) -> dict[str, str]:
    """Return ``{type, id}``, and a branch by its city's name as ``settings`` have it.

    The id is the contract's number, PROJECT/BUILDING-UNIT-ROOM, the project's name, a date, else the number of the
    record. ``row`` has a ``city`` of its own, which is that of a branch.
    """
    kind = row.subject_type
    name = str(row.subject_id)
    if kind == "contract" and row.subject_contract_no is not None:
        name = row.subject_contract_no
    elif kind == "home" and row.subject_place_name is not None:
        name = home_name(row.subject_place_name, row.subject_building, row.subject_unit, row.subject_room)
    elif kind == "project" and row.subject_project_name is not None:
        name = row.subject_project_name
    elif kind == "branch":
        name = settings.city(row.city).name
    elif kind == "day":
        name = date.fromordinal(row.subject_id).isoformat()
    return {"type": kind, "id": name}


def home_name(project: str, building: str, unit: str, room: str) -> str:
    """Return a home as ``云璟一期/3-1-1201``."""
    return f"{project}/{'-'.join(part for part in (building, unit, room) if part)}"


def natural_ids(
    connection: Connection, subjects: Iterable[Subject], settings: Settings
) -> dict[Subject, dict[str, str]]:
    """Return ``{type, id}`` for each of ``subjects``, in a statement for every five hundred of a type.

    The ids are those of ``named_subject``.
    """
    wanted: dict[str, set[int]] = {}
    for subject in subjects:
        wanted.setdefault(subject.type, set()).add(subject.id)
    names: dict[Subject, str] = {}
    place = select(homes.c.id, projects.c.name, homes.c.building, homes.c.unit, homes.c.room).join_from(homes, projects)
    sources: dict[str, tuple[Select[Any], Any]] = {
        "contract": (select(contracts.c.id, contracts.c.contract_no), contracts.c.id),
        "project": (select(projects.c.id, projects.c.name), projects.c.id),
        "home": (place, homes.c.id),
        "branch": (select(branches.c.id, branches.c.city), branches.c.id),
    }
    for kind, (statement, column) in sources.items():
        for chunk in in_chunks(wanted.get(kind, ())):
            for row in connection.execute(statement.where(column.in_(chunk))):
                name = home_name(*row[1:]) if kind == "home" else row[1]
                names[Subject(kind, row[0])] = settings.city(name).name if kind == "branch" else name
    for number in wanted.get("day", ()):
        names[Subject("day", number)] = date.fromordinal(number).isoformat()
    return {
        Subject(kind, number): {"type": kind, "id": names.get(Subject(kind, number), str(number))}
        for kind, numbers in wanted.items()
        for number in numbers
    }
