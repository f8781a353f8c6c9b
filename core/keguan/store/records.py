"""Load snapshots of records in bulk: a few statements for any number of subjects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, func, select

from keguan.model import Branch, Contract, Customer, Home, Person, Project, Record, Subject
from keguan.store.listed import listed
from keguan.store.schema import branches, contracts, homes, owners, people, projects

__all__ = ["in_chunks", "load_projects", "load_records"]

_CHUNK = 500  # below every database's limit of parameters


def in_chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    """Cut ``ids`` into lists that fit into one ``IN (…)``."""
    pending = sorted(set(ids))
    for start in range(0, len(pending), _CHUNK):
        yield pending[start : start + _CHUNK]


def load_records(connection: Connection, subjects: Collection[Subject]) -> dict[Subject, Record]:
    """Return the current snapshot of each subject that exists; types unknown to the core are left out.

    Costs a handful of statements, whatever the number of subjects, owners and homes.
    """
    wanted: dict[str, set[int]] = defaultdict(set)
    for subject in subjects:
        wanted[subject.type].add(subject.id)
    loader = _Loader(connection)
    found: dict[Subject, Record] = {}
    for kind, load in (
        ("branch", loader.branches),
        ("project", loader.projects),
        ("home", loader.homes),
        ("contract", loader.contracts),
        ("customer", loader.customers),
    ):
        if wanted[kind]:
            found.update((Subject(kind, key), record) for key, record in load(wanted[kind]).items())
    return found


def load_projects(connection: Connection, cities: Collection[str]) -> dict[str, tuple[Project, ...]]:
    """Return all projects of each of ``cities`` as they are now, in the order of their numbers."""
    found: dict[str, list[Project]] = {city: [] for city in cities}
    for row in connection.execute(_PROJECTS_OF_CITIES, {"cities": list(found)}):
        found[row.city].append(Project(*row))
    return {city: tuple(mine) for city, mine in found.items()}


_PROJECT = (
    projects.c.id,
    projects.c.name,
    projects.c.city,
    projects.c.first_show_on,
    projects.c.launch_on,
    projects.c.area,
    projects.c.planned_handover_on,
    projects.c.handed_over_on,
    projects.c.fitting,
)
_PERSON = (people.c.id, people.c.name, people.c.phone, people.c.email, people.c.birthday, people.c.lunar)
_HOME = (
    homes.c.id,
    homes.c.project_id,
    homes.c.building,
    homes.c.unit,
    homes.c.room,
    homes.c.fitting,
    homes.c.handed_over_on,
    homes.c.move_in_on,
)
_CONTRACT = (
    contracts.c.id,
    contracts.c.contract_no,
    contracts.c.project_id,
    contracts.c.home_id,
    contracts.c.status,
    contracts.c.deposit_on,
    contracts.c.signed_on,
    contracts.c.planned_handover_on,
)


_OWNED = owners.join(people, people.c.id == owners.c.person_id)
_IN_ORDER = (owners.c.position, owners.c.id)

# Built once: putting a statement together takes longer than running it. Each is asked for the ``numbers`` it is about.
_PROJECTS_OF_CITIES = (
    select(*_PROJECT).where(projects.c.city.in_(bindparam("cities", expanding=True))).order_by(projects.c.id)
)
_BRANCHES = select(branches.c.id, branches.c.city).where(listed(branches.c.id))
_PROJECTS = select(*_PROJECT).where(listed(projects.c.id))
_PEOPLE = select(*_PERSON).where(listed(people.c.id))
_HOMES = select(*_HOME).where(listed(homes.c.id))
_CONTRACTS = select(*_CONTRACT).where(listed(contracts.c.id))
_BUYERS = (
    select(owners.c.contract_id, *_PERSON).select_from(_OWNED).where(listed(owners.c.contract_id)).order_by(*_IN_ORDER)
)
_OWNERS = (
    select(owners.c.home_id, *_PERSON)
    .select_from(_OWNED)
    .where(listed(owners.c.home_id), owners.c.until.is_(None))
    .order_by(*_IN_ORDER)
)
_SALES = (
    select(
        contracts.c.home_id,
        contracts.c.contract_no,
        contracts.c.status,
        func.coalesce(contracts.c.signed_on, contracts.c.deposit_on).label("sold_on"),
    )
    .where(contracts.c.status != "cancelled", listed(contracts.c.home_id))
    .order_by(contracts.c.id)
)
_POSSESSIONS = (
    select(owners.c.person_id, owners.c.home_id, contracts.c.project_id)
    .select_from(owners.outerjoin(contracts, contracts.c.id == owners.c.contract_id))
    .where(owners.c.until.is_(None), listed(owners.c.person_id))
    .order_by(owners.c.id)
)


class _Sale(NamedTuple):
    """What a home knows of its contracts."""

    contract_no: str | None
    """Of the one in force."""
    signed_on: date | None
    """When it was first sold."""


_UNSOLD = _Sale(None, None)


def _home(
    row: Any,
    project: Project,
    present: tuple[Person, ...] = (),
    sale: _Sale | None = None,
) -> Home:
    key, _, building, unit, room, fitting, handed_over_on, move_in_on = row
    number, signed_on = sale or _UNSOLD
    return Home(key, project, building, unit, room, fitting, handed_over_on, move_in_on, present, number, signed_on)


class _Loader:
    """Loads each project once, however many records refer to it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._projects: dict[int, Project] = {}

    def _rows(self, statement: Select[Any], ids: Collection[int]) -> Sequence[Any]:
        return self._connection.execute(statement, {"numbers": ids}).all() if ids else ()

    def branches(self, ids: Collection[int]) -> dict[int, Branch]:
        return {row.id: Branch(*row) for row in self._rows(_BRANCHES, ids)}

    def projects(self, ids: Collection[int]) -> dict[int, Project]:
        missing = [key for key in ids if key not in self._projects]
        for row in self._rows(_PROJECTS, missing):
            self._projects[row.id] = Project(*row)
        return {key: self._projects[key] for key in ids if key in self._projects}

    def homes(self, ids: Collection[int]) -> dict[int, Home]:
        """Homes with the owners of today, the number of the contract in force, and when they were first sold."""
        rows = self._rows(_HOMES, ids)
        by_project = self.projects({row.project_id for row in rows})
        present = self._people(_OWNERS, [row.id for row in rows])
        sales = self._sales([row.id for row in rows])
        return {row[0]: _home(row, by_project[row[1]], present.get(row[0], ()), sales.get(row[0])) for row in rows}

    def _sales(self, homes_wanted: Sequence[int]) -> dict[int, _Sale]:
        """What each home knows of the contracts it was sold by; one that was cancelled sold nothing."""
        found: dict[int, _Sale] = {}
        for home, number, status, sold_on in self._rows(_SALES, homes_wanted):
            in_force, first = found.get(home, _UNSOLD)
            if status == "signed":
                in_force = number
            if first is None or (sold_on is not None and sold_on < first):
                first = sold_on
            found[home] = _Sale(in_force, first)
        return found

    def contracts(self, ids: Collection[int]) -> dict[int, Contract]:
        """Contracts with their buyers and their home as it stands (without its own owners, contract and sale)."""
        rows = self._rows(_CONTRACTS, ids)
        by_project = self.projects({row.project_id for row in rows})
        buyers = self._people(_BUYERS, [row.id for row in rows])
        places = {
            row[0]: _home(row, by_project[row[1]])
            for row in self._rows(_HOMES, {row.home_id for row in rows if row.home_id})
        }
        return {
            key: Contract(
                key,
                number,
                by_project[project],
                places.get(home),
                status,
                deposit_on,
                signed_on,
                planned_handover_on,
                buyers.get(key, ()),
            )
            for key, number, project, home, status, deposit_on, signed_on, planned_handover_on in rows
        }

    def customers(self, ids: Collection[int]) -> dict[int, Customer]:
        """People with the homes they own today; one without any home left has no city and is left out."""
        persons = {row[0]: Person(*row) for row in self._rows(_PEOPLE, ids)}
        owned: dict[int, list[int]] = defaultdict(list)
        latest: dict[int, int] = {}
        for row in self._rows(_POSSESSIONS, persons):
            if row.home_id is not None:
                owned[row.person_id].append(row.home_id)
            if row.project_id is not None:
                latest[row.person_id] = row.project_id
        places = self.homes({home for group in owned.values() for home in group})
        by_project = self.projects(set(latest.values()))
        found: dict[int, Customer] = {}
        for key, person in persons.items():
            mine = tuple(places[home] for home in owned[key])
            project = by_project.get(latest.get(key, 0)) or (mine[-1].project if mine else None)
            if project is not None:
                found[key] = Customer(person, project, mine)
        return found

    def _people(self, statement: Select[Any], ids: Sequence[int]) -> dict[int, tuple[Person, ...]]:
        """People by contract or by home, the main contact first."""
        found: dict[int, tuple[Person, ...]] = {}
        for key, *of_person in self._rows(statement, ids):
            found[key] = (*found.get(key, ()), Person(*of_person))
        return found
