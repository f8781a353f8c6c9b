"""What one transaction of an intake changes: entries and events, collected and then written in a few statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, TypeVar, cast

from sqlalchemy import Connection, delete

from keguan.errors import InputError
from keguan.events.log import NewEvent, append
from keguan.intake.derived import Shifts, derive, note_shifts
from keguan.intake.entries import (
    ContractEntry,
    Entry,
    HomeEntry,
    OwnerEntry,
    PersonEntry,
    ProjectEntry,
    StaffEntry,
)
from keguan.intake.lookup import Records
from keguan.intake.news import newcomers, tell_of_people, tell_of_project
from keguan.model import City, Subject
from keguan.store.engine import Store
from keguan.store.numbers import Numbers, update_rows
from keguan.store.schema import departments, owners

if TYPE_CHECKING:
    from keguan.intake.staff import StaffRecords

__all__ = ["IMPORT", "Book", "Note", "Refused", "take_turns"]

E = TypeVar("E", bound=Entry)
IMPORT = "import"
"""The source of events that come from files."""
_MIDNIGHT = time(0)
_ORDER = (ProjectEntry, HomeEntry, PersonEntry, ContractEntry, OwnerEntry, StaffEntry)
_TURN = 0x6B670002  # any constant: the advisory lock that intakes into one PostgreSQL database share


class Refused(InputError):
    """What a row says cannot be accepted. ``column`` is the field it is about, empty for the whole row."""

    def __init__(self, key: str, column: str = "", **values: object) -> None:
        super().__init__(key, **values)
        self.column = column


@dataclass(frozen=True, slots=True)
class Note:
    """Something odd that was accepted all the same: a key of the catalogues and its values."""

    key: str
    values: Mapping[str, object]


def take_turns(store: Store, connection: Connection) -> None:
    """Wait until no other transaction is comparing files with records.

    Two that read the same state would both insert what was missing. SQLite has one writer anyway.
    """
    if not store.is_sqlite:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TURN})")


class Book(Records):
    """The records at hand and what becomes of them. Nothing is written before :meth:`write`."""

    def __init__(
        self,
        store: Store,
        connection: Connection,
        *,
        now: datetime,
        city: Callable[[str], City],
        new_cities: Mapping[str, str] | None = None,
        default_city: str = "",
        rehearsal: bool = False,
        block: int = 1000,
    ) -> None:
        super().__init__(connection)
        self.store = store
        self.now = now
        self.city = city
        self.new_cities = new_cities or {}
        """The city of a project that does not exist yet, by name."""
        self.default_city = default_city
        """The city of a project of which nobody says where it is."""
        self.events: list[NewEvent] = []
        self.notes: list[Note] = []
        self.departments: dict[str, int] = {}
        self.staff: StaffRecords | None = None
        """The staff at hand, for files about them."""
        self._rehearsal = rehearsal
        self._numbers = Numbers(store, connection, block=block, imagined=rehearsal)
        self._added: dict[type[Entry], list[Entry]] = {kind: [] for kind in _ORDER}
        self._touched: dict[type[Entry], dict[int, Entry]] = {kind: {} for kind in _ORDER}
        self._dropped: list[int] = []
        self._changed_people: dict[int, set[str]] = {}
        self._new_people: set[int] = set()

    def fork(self) -> Book:
        """Return an empty book in the same transaction, for something that is looked at on its own."""
        return Book(
            self.store,
            self.connection,
            now=self.now,
            city=self.city,
            new_cities=self.new_cities,
            default_city=self.default_city,
            block=4,
        )

    # --- Records ---------------------------------------------------------------------------------------------

    def number(self, kind: type[Entry]) -> int:
        """Return the number for an entry that is about to be added."""
        return self._numbers.take(kind.table)

    def add(self, entry: Entry) -> None:
        """Insert ``entry``."""
        self._added[type(entry)].append(entry)
        self._touched[type(entry)][entry.id] = entry
        if isinstance(entry, HomeEntry):
            self.keep_home(entry)
        elif isinstance(entry, ContractEntry):
            self.keep_contract(entry)
        elif isinstance(entry, PersonEntry):
            self._new_people.add(entry.id)
            self.keep_person(entry)
        elif isinstance(entry, ProjectEntry):
            self.keep_project(entry)

    def touch(self, entry: Entry) -> None:
        """Update ``entry``, whose record has changed: its version grows, once."""
        touched = self._touched[type(entry)]
        if entry.id not in touched:
            touched[entry.id] = entry
            if entry.versioned:
                entry.version += 1  # type: ignore[attr-defined]  # what `versioned` says

    def drop(self, owner: OwnerEntry) -> None:
        """Delete the row that says that somebody bought by a contract: a correction says it never was so."""
        if owner in self._added[OwnerEntry]:
            self._added[OwnerEntry].remove(owner)
        else:
            self._dropped.append(owner.id)
        self._touched[OwnerEntry].pop(owner.id, None)

    def change_person(self, person: PersonEntry, **values: object) -> bool:
        """Give ``person`` these values where they say something new; return whether they do."""
        changed = {name for name, value in values.items() if value is not None and getattr(person, name) != value}
        if not changed:
            return False
        self.forget_contact(person)
        for name in changed:
            setattr(person, name, values[name])
        self.index_person(person)
        self.touch(person)
        self._changed_people.setdefault(person.id, set()).update(changed)
        return True

    def refuse_elsewhere(self, name: str, city: str | None) -> None:
        """Raise :class:`Refused` when the project is known in another city than ``city``."""
        project = self.projects.get(name)
        if project is not None and city and project.city and project.city != city:
            raise Refused("apply.project_elsewhere", "city", project=name, city=project.city)

    def today_in(self, name: str, city: str | None) -> date:
        """Return the business date in the city of a project, which need not exist yet."""
        return self.day_in(name, city, self.now)

    def day_in(self, name: str, city: str | None, at: datetime) -> date:
        """Return the business date at an instant in the city of a project, which need not exist yet."""
        project = self.projects.get(name)
        key = (project.city if project else "") or city or self.new_cities.get(name) or self.default_city
        return self.city(key).today(at)

    def project(self, name: str, city: str | None = None) -> ProjectEntry:
        """Return the project; an unknown one is created in ``city``, one without a city gets it."""
        project = self.projects.get(name)
        city = city or self.new_cities.get(name) or ""
        if project is None:
            if not city:
                city = self.default_city
                self.notes.append(Note("apply.city_missing", {"project": name, "city": city or "–"}))
            project = ProjectEntry(self.number(ProjectEntry), name, city)
            self.add(project)
        elif city and not project.city:
            project.city = city
            self.touch(project)
            self.tell("project_changed", project, changed=["city"])
        return project

    def city_of(self, project_id: int) -> City:
        """Return the city that a project stands in."""
        return self.city(self.projects_by_id[project_id].city)

    def today(self, project_id: int) -> date:
        """Return the business date in a project's city."""
        return self.city_of(project_id).today(self.now)

    def department(self, name: str) -> int:
        """Return the number of the department, created when it is new."""
        if name not in self.departments:
            key = self._numbers.take(departments)
            if not self._rehearsal:
                self.store.insert(self.connection, departments, ("id", "name"), [(key, name)])
            self.departments[name] = key
        return self.departments[name]

    # --- Events ----------------------------------------------------------------------------------------------

    def tell(
        self, kind: str, about: ProjectEntry | HomeEntry | ContractEntry, on: date | None = None, **data: object
    ) -> None:
        """Record that ``kind`` happened to ``about``, on a business date or, without one, now.

        ``data`` must be free of personal values. The id says what changed and which version of the record it
        made, so that the same change is never told twice.
        """
        if isinstance(about, ProjectEntry):
            project, subject, key = about, Subject("project", about.id), _key(about.name)
        else:
            project = self.projects_by_id[about.project_id]
            if isinstance(about, HomeEntry):
                subject, key = Subject("home", about.id), _key(project.name, about.building, about.unit, about.room)
            else:
                subject, key = Subject("contract", about.id), _key(project.name, about.contract_no)
                data = {"contract_no": about.contract_no, **data}
        city = self.city(project.city)
        at = self.now if on is None else city.at(on, _MIDNIGHT)
        detail = f"/{data['milestone']}" if "milestone" in data else ""
        event_id = f"{kind}/{key}/{about.version}{detail}"
        self.events.append(NewEvent(IMPORT, event_id, kind, at, subject, project.city, data))

    # --- Writing ---------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Write everything into the transaction: records first, then the events about them."""
        self.save()
        if not self._rehearsal:
            append(self.store, self.connection, self.events, self.now)
            self.events.clear()

    def save(self) -> None:
        """Write the records, with what of the projects follows from them; all ``events`` are told then."""
        if self._rehearsal:
            return
        fresh = {entry.id for entry in self._added[ProjectEntry]}
        shifts: Shifts = {}
        note_shifts(shifts, self._touched_of(ContractEntry))
        note_shifts(shifts, self._touched_of(HomeEntry))
        came = newcomers(self, self._touched_of(OwnerEntry), new=self._new_people)
        for kind in _ORDER:
            self._flush(kind)
        if self._dropped:
            self.connection.execute(delete(owners).where(owners.c.id.in_(self._dropped)))
            self._dropped.clear()
        if shifts:
            self._derive(shifts, fresh)
        tell_of_people(self, self._changed_people, came, new=self._new_people)
        self._changed_people.clear()

    def _touched_of(self, kind: type[E]) -> Iterable[E]:
        return cast("Iterable[E]", self._touched[kind].values())

    def _flush(self, kind: type[Entry]) -> None:
        added, touched = self._added[kind], self._touched[kind]
        new = {entry.id for entry in added}
        self.store.insert(
            self.connection, kind.table, ("id", *kind.columns), [(entry.id, *entry.stored()) for entry in added]
        )
        update_rows(
            self.store,
            self.connection,
            kind.table,
            kind.columns,
            [(*entry.stored(), key) for key, entry in touched.items() if key not in new],
            # Who was erased since the row was read stays erased.
            only="erased_at IS NULL" if kind is PersonEntry else "",
        )
        added.clear()
        touched.clear()

    def _derive(self, shifts: Shifts, fresh: set[int]) -> None:
        """Bring the projects in line with their contracts and homes; of ``fresh`` ones only milestones are news."""
        self.load_projects_by_id({key for by_project in shifts.values() for key in by_project})
        for key, news in derive(self.connection, self.projects_by_id, shifts).items():
            project = self.projects_by_id[key]
            for name, value in news.items():
                setattr(project, name, value)
            self.touch(project)
            tell_of_project(self, project, news, created=key in fresh)
        self._flush(ProjectEntry)


def _key(*parts: str) -> str:
    """Join names so that different ones never give the same text."""
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)
