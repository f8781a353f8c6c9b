"""An import desk for tests: files in, records and events out, in the words of the domain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from keguan.clock import VirtualClock
from keguan.intake.emitting import emit, emit_cloudevent
from keguan.intake.importing import import_file
from keguan.intake.report import ImportReport
from keguan.model import Contract, Home, Project, Subject
from keguan.settings import parse_settings
from keguan.store.engine import Store
from keguan.store.records import load_records
from keguan.store.schema import contracts, events, homes, owners, people, projects

__all__ = ["PROJECT", "FrontDesk"]

PROJECT = "云璟一期"
_CONFIG = """
[company]
name = "云璟地产"
[cities.shenzhen]
name = "深圳"
aliases = ["深圳市"]
[cities.wuhan]
name = "武汉"
"""


class FrontDesk:
    """One installation's records, seen from where files come in. It is noon of 1 June 2026."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self.clock = VirtualClock(datetime(2026, 6, 1, 4, tzinfo=UTC))
        self.settings = parse_settings(_CONFIG, folder / "config" / "keguan.toml", {})

    # --- In --------------------------------------------------------------------------------------------------

    def import_text(self, kind: str, text: str, *, name: str = "export.csv", **options: Any) -> ImportReport:
        """Import a CSV with these lines."""
        file = self.folder / name
        file.write_text(text.strip() + "\n", encoding="utf-8")
        return self.import_path(kind, file, **options)

    def import_path(self, kind: str, file: Path, **options: Any) -> ImportReport:
        """Import a file."""
        return import_file(self.store, self.settings, self.clock, kind, file, **options)

    def contracts(self, text: str, **options: Any) -> ImportReport:
        """Import contracts; every project is in Shenzhen unless told."""
        options.setdefault("project", PROJECT)
        options.setdefault("city", "深圳")
        return self.import_text("contracts", text, **options)

    def emit(self, event_type: str, **fields: Any) -> dict[str, Any]:
        """Record one event; ``id``, ``time``, ``subject`` and ``event_types`` are options."""
        options = {name: fields.pop(name) for name in ("id", "time", "subject", "event_types") if name in fields}
        return emit(self.store, self.settings, self.clock, event_type, fields, **options)

    def cloudevent(self, document: Mapping[str, object] | str) -> dict[str, Any]:
        """Record one CloudEvent."""
        return emit_cloudevent(self.store, self.settings, self.clock, document)

    # --- Out -------------------------------------------------------------------------------------------------

    def rows(self, statement: Any) -> list[Any]:
        """Return what a question about the tables gives."""
        with self.store.read() as connection:
            return list(connection.execute(statement))

    def contract(self, number: str, project: str = PROJECT) -> Contract:
        """Return a contract as hooks see it."""
        found = self.rows(
            select(contracts.c.id).join(projects).where(contracts.c.contract_no == number, projects.c.name == project)
        )
        (record,) = self._load("contract", found[0][0])
        assert isinstance(record, Contract)
        return record

    def home(self, room: str) -> Home:
        """Return a home as hooks see it."""
        ((number,),) = self.rows(select(homes.c.id).where(homes.c.room == room))
        (record,) = self._load("home", number)
        assert isinstance(record, Home)
        return record

    def _load(self, kind: str, number: int) -> list[Any]:
        with self.store.read() as connection:
            return list(load_records(connection, [Subject(kind, number)]).values())

    def buyers(self, number: str) -> list[str | None]:
        """Return the names of a contract's buyers, the main contact first."""
        return [person.name for person in self.contract(number).owners]

    def owners_of(self, room: str) -> list[str | None]:
        """Return the names of who owns a home now."""
        return [person.name for person in self.home(room).owners]

    def people(self) -> list[tuple[str | None, str | None]]:
        """Return everybody's name and phone, sorted."""
        return sorted((row.name, row.phone) for row in self.rows(select(people.c.name, people.c.phone)))

    def told(self, *, since: int = 0) -> list[str]:
        """Return the types of all events behind the first ``since``, in order; what follows for projects left out."""
        statement = select(events.c.type).where(events.c.subject_type != "project").order_by(events.c.seq)
        return [row.type for row in self.rows(statement)][since:]

    def project(self, name: str = PROJECT) -> Project:
        """Return a project as hooks see it."""
        ((number,),) = self.rows(select(projects.c.id).where(projects.c.name == name))
        (record,) = self._load("project", number)
        assert isinstance(record, Project)
        return record

    def milestones(self) -> list[tuple[str, str | None]]:
        """Return every milestone of projects that was told, in order: which, and its date."""
        told = [event.data for event in self.events("project_milestone")]
        return [(data["milestone"], next(day for name, day in data.items() if name != "milestone")) for data in told]

    def events(self, event_type: str) -> list[Any]:
        """Return the events of one type."""
        return self.rows(select(events).where(events.c.type == event_type).order_by(events.c.seq))

    def state(self) -> dict[str, list[Any]]:
        """Return all records by what they are called, whatever their numbers, and the ids of all events."""
        names = {row.id: (row.name, row.phone) for row in self.rows(select(people))}
        of_project = {row.id: row.name for row in self.rows(select(projects))}
        of_home = {
            row.id: (of_project[row.project_id], row.building, row.unit, row.room) for row in self.rows(select(homes))
        }
        of_contract = {row.id: (of_project[row.project_id], row.contract_no) for row in self.rows(select(contracts))}
        return {
            "projects": sorted(map(str, (row[1:] for row in self.rows(select(projects))))),
            "homes": sorted(
                str((of_home[row.id], row.fitting, row.handed_over_on, row.move_in_on, row.version))
                for row in self.rows(select(homes))
            ),
            "people": sorted(str(row[1:]) for row in self.rows(select(people))),
            "contracts": sorted(
                str((of_contract[row.id], of_home.get(row.home_id), *row[4:])) for row in self.rows(select(contracts))
            ),
            "owners": sorted(
                str((names[row.person_id], of_home.get(row.home_id), of_contract.get(row.contract_id), *row[4:]))
                for row in self.rows(select(owners))
            ),
            "events": sorted(row.id for row in self.rows(select(events.c.id))),
        }
