"""The records at hand: what an intake needs to know is loaded in bulk, each row once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from keguan.intake.entries import ContractEntry, HomeEntry, OwnerEntry, PersonEntry, ProjectEntry
from keguan.store.schema import contracts, homes, owners, people, projects, staff
from keguan.store.sealed import indexed

__all__ = ["Place", "Records"]

T = TypeVar("T")
Place = tuple[int, str, str, str]
"""Number of the project, building, unit, room."""

_CHUNK = 500
_PROJECT = tuple(projects.c[name] for name in ("id", *ProjectEntry.columns))
_CONTRACT = tuple(contracts.c[name] for name in ("id", *ContractEntry.columns))
_HOME = tuple(homes.c[name] for name in ("id", *HomeEntry.columns))
_PERSON = tuple(people.c[name] for name in ("id", *PersonEntry.columns, "erased_at"))
_OWNER = tuple(owners.c[name] for name in ("id", *OwnerEntry.columns))


Derived = TypeVar("Derived", ContractEntry, HomeEntry)


def _counted(entry: Derived) -> Derived:
    """Return ``entry`` as the project's own facts take it into account already: as it stands in the records."""
    entry.counted = entry.counts
    return entry


def _chunks(values: Iterable[T]) -> Iterator[list[T]]:
    source = iter(values)
    while chunk := list(islice(source, _CHUNK)):
        yield chunk


class Records:
    """Current records, found by what files call them.

    Loading again never replaces an entry that is at hand: it may have been changed.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.projects: dict[str, ProjectEntry] = {}
        self.projects_by_id: dict[int, ProjectEntry] = {}
        self.contracts: dict[tuple[int, str], ContractEntry] = {}
        self.contracts_by_id: dict[int, ContractEntry] = {}
        self.contracts_by_number: dict[str, list[ContractEntry]] = {}
        self.contracts_on: dict[int, list[ContractEntry]] = {}
        """By home."""
        self.homes: dict[int, HomeEntry] = {}
        self.rooms: dict[tuple[int, str], list[HomeEntry]] = {}
        """By project and room, whatever the building."""
        self.places: dict[Place, HomeEntry] = {}
        self.people: dict[int, PersonEntry] = {}
        self.by_id_no: dict[str, PersonEntry] = {}
        self.by_contact: dict[tuple[str | None, str], list[PersonEntry]] = {}
        self.buyers: dict[int, list[OwnerEntry]] = {}
        """By contract, the main contact first."""
        self.holders: dict[int, list[OwnerEntry]] = {}
        """By home: who owns it now. Only what :meth:`load_holders` was asked for."""

    # --- Loading ---------------------------------------------------------------------------------------------

    def load_projects(self, names: Iterable[str]) -> None:
        """Make the projects with these names available in ``projects``."""
        for chunk in _chunks(set(names) - self.projects.keys()):
            self._keep_projects(select(*_PROJECT).where(projects.c.name.in_(chunk)))

    def load_projects_by_id(self, ids: Iterable[int]) -> None:
        """Make the projects with these numbers available."""
        for chunk in _chunks(set(ids) - self.projects_by_id.keys()):
            self._keep_projects(select(*_PROJECT).where(projects.c.id.in_(chunk)))

    def load_contracts(self, keys: Iterable[tuple[int, str]]) -> None:
        """Make the contracts with these project numbers and contract numbers available."""
        wanted = sorted(set(keys) - self.contracts.keys())
        for chunk in _chunks(wanted):
            of = {project for project, _ in chunk}
            self._keep_contracts(
                select(*_CONTRACT).where(
                    contracts.c.contract_no.in_([number for _, number in chunk]), contracts.c.project_id.in_(of)
                )
            )

    def load_contract_numbers(self, numbers: Iterable[str]) -> list[ContractEntry]:
        """Return the contracts with these numbers, of all projects; their projects are available then."""
        found: list[ContractEntry] = []
        for chunk in _chunks(sorted(set(numbers))):
            found += self._keep_contracts(select(*_CONTRACT).where(contracts.c.contract_no.in_(chunk)))
        self.load_projects_by_id({contract.project_id for contract in found})
        return found

    def load_contracts_of_homes(self, ids: Iterable[int]) -> None:
        """Make all contracts on these homes available in ``contracts_on``."""
        for chunk in _chunks(sorted(ids)):
            self._keep_contracts(select(*_CONTRACT).where(contracts.c.home_id.in_(chunk)))

    def load_homes(self, ids: Iterable[int | None]) -> None:
        """Make the homes with these numbers available."""
        for chunk in _chunks({key for key in ids if key is not None} - self.homes.keys()):
            self._keep_homes(homes.c.id.in_(chunk))

    def load_places(self, places: Iterable[Place]) -> None:
        """Make the homes at these places available in ``places``."""
        by_entrance: dict[tuple[int, str, str], list[str]] = {}
        for project, building, unit, room in set(places) - self.places.keys():
            by_entrance.setdefault((project, building, unit), []).append(room)
        c = homes.c
        for chunk in _chunks(
            and_(c.project_id == project, c.building == building, c.unit == unit, c.room.in_(part))
            for (project, building, unit), rooms in by_entrance.items()
            for part in _chunks(rooms)
        ):
            for start in range(0, len(chunk), 50):  # each is one search in the index
                self._keep_homes(or_(*chunk[start : start + 50]))

    def load_rooms(self, rooms: Iterable[tuple[int, str]]) -> None:
        """Make all homes with these project numbers and rooms available, whatever the building."""
        by_project: dict[int, set[str]] = {}
        for project, room in rooms:
            by_project.setdefault(project, set()).add(room)
        for project, wanted in by_project.items():
            for chunk in _chunks(sorted(wanted)):
                self._keep_homes(and_(homes.c.project_id == project, homes.c.room.in_(chunk)))

    def load_buyers(self, ids: Iterable[int]) -> None:
        """Make the people who bought by these contracts available in ``buyers``."""
        wanted = set(ids) - self.buyers.keys()
        for chunk in _chunks(sorted(wanted)):
            for row in self.connection.execute(
                select(*_OWNER).where(owners.c.contract_id.in_(chunk)).order_by(owners.c.position, owners.c.id)
            ):
                self.buyers.setdefault(row.contract_id, []).append(OwnerEntry(*row))
        self.load_people_by_id(owner.person_id for key in wanted for owner in self.buyers.get(key, ()))

    def load_holders(self, ids: Iterable[int]) -> None:
        """Make the people who own these homes now available in ``holders``."""
        wanted = set(ids) - self.holders.keys()
        at_hand = {owner.id: owner for group in self.buyers.values() for owner in group}
        for chunk in _chunks(sorted(wanted)):
            for row in self.connection.execute(
                select(*_OWNER)
                .where(owners.c.home_id.in_(chunk), owners.c.until.is_(None))
                .order_by(owners.c.position, owners.c.id)
            ):
                owner = at_hand.get(row.id) or OwnerEntry(*row)
                self.holders.setdefault(row.home_id, []).append(owner)
        self.load_people_by_id(owner.person_id for key in wanted for owner in self.holders.get(key, ()))

    def load_people_by_id(self, ids: Iterable[int]) -> None:
        """Make the people with these numbers available."""
        for chunk in _chunks(set(ids) - self.people.keys()):
            for row in self.connection.execute(select(*_PERSON).where(people.c.id.in_(chunk))):
                self.keep_person(PersonEntry(*row))

    def load_people(self, id_nos: Iterable[str], phones: Iterable[str]) -> None:
        """Make the customers with these ID numbers or phones available; staff are people apart."""
        found = select(*_PERSON).select_from(people.outerjoin(staff, staff.c.person_id == people.c.id))
        for column, values in ((people.c.id_no_index, id_nos), (people.c.phone_index, phones)):
            for chunk in _chunks(sorted(set(values))):
                among = indexed(self.connection, column, chunk)
                for row in self.connection.execute(found.where(among, staff.c.id.is_(None))):
                    if row.id not in self.people:
                        self.keep_person(PersonEntry(*row))

    # --- Keeping ---------------------------------------------------------------------------------------------

    def keep_person(self, person: PersonEntry) -> None:
        """Have ``person`` at hand, to be found by ID number and by name and phone."""
        self.people[person.id] = person
        self.index_person(person)

    def index_person(self, person: PersonEntry) -> None:
        """Let ``person`` be found by what it is called now."""
        if person.id_no:
            self.by_id_no.setdefault(person.id_no, person)
        if person.phone:
            same = self.by_contact.setdefault((person.name, person.phone), [])
            if person not in same:
                same.append(person)

    def forget_contact(self, person: PersonEntry) -> None:
        """Let ``person`` be found no longer by the name and phone it has."""
        if person.phone and person in (same := self.by_contact.get((person.name, person.phone), [])):
            same.remove(person)

    def keep_home(self, home: HomeEntry) -> HomeEntry:
        """Have ``home`` at hand; an entry already there is returned instead."""
        known = self.homes.setdefault(home.id, home)
        if known is home:
            self.places.setdefault(home.place, home)
            self.rooms.setdefault((home.project_id, home.room), []).append(home)
        return known

    def rename_home(self, home: HomeEntry, place: Place) -> None:
        """Let ``home`` be at ``place`` from now on."""
        self.places.pop(home.place, None)
        self.rooms[home.project_id, home.room].remove(home)
        home.project_id, home.building, home.unit, home.room = place
        self.places[place] = home
        self.rooms.setdefault((home.project_id, home.room), []).append(home)

    def keep_contract(self, contract: ContractEntry) -> ContractEntry:
        """Have ``contract`` at hand; an entry already there is returned instead."""
        known = self.contracts_by_id.setdefault(contract.id, contract)
        if known is contract:
            self.contracts[contract.project_id, contract.contract_no] = contract
            self.contracts_by_number.setdefault(contract.contract_no, []).append(contract)
            if contract.home_id is not None:
                self.contracts_on.setdefault(contract.home_id, []).append(contract)
        return known

    def house(self, contract: ContractEntry, home_id: int | None) -> None:
        """Let ``contract`` be about another home from now on."""
        if contract.home_id is not None:
            self.contracts_on[contract.home_id].remove(contract)
        contract.home_id = home_id
        if home_id is not None:
            self.contracts_on.setdefault(home_id, []).append(contract)

    def keep_project(self, project: ProjectEntry) -> None:
        """Have ``project`` at hand."""
        self.projects.setdefault(project.name, project)
        self.projects_by_id.setdefault(project.id, self.projects[project.name])

    def _keep_projects(self, statement: Select[Any]) -> None:
        for row in self.connection.execute(statement):
            self.keep_project(ProjectEntry(*row))

    def _keep_contracts(self, statement: Select[Any]) -> list[ContractEntry]:
        return [self.keep_contract(_counted(ContractEntry(*row))) for row in self.connection.execute(statement)]

    def _keep_homes(self, condition: ColumnElement[bool]) -> None:
        for row in self.connection.execute(select(*_HOME).where(condition)):
            self.keep_home(_counted(HomeEntry(*row)))
