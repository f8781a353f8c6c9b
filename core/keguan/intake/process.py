"""One import at work: rows wait in a staging file, then the records follow in short transactions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection

from keguan.clock import Clock
from keguan.intake.amounts import parse_money
from keguan.intake.birthdays import Birthday, parse_birthday
from keguan.intake.book import Book, Refused, take_turns
from keguan.intake.crosscheck import PeopleInFile, people_conflicts, project_conflicts
from keguan.intake.dates import parse_date, parse_datetime
from keguan.intake.event_rows import EventImporter
from keguan.intake.importers import IMPORTERS, Importer
from keguan.intake.kinds import Kind, masked
from keguan.intake.rejects import is_rejected_file, raw_row
from keguan.intake.report import ImportReport
from keguan.intake.rows import SHOWN, Problem, parse_row
from keguan.intake.staging import GROUP_LIMIT, Staged, Staging
from keguan.intake.tables import Table
from keguan.model import EventType
from keguan.settings import Settings
from keguan.store.engine import Store

__all__ = ["ImportRun", "Progress"]

Progress = Callable[[int, int | None], None]
"""Called with the rows done and, once it is known, their number."""

_STAGE = 1000
_APPLY = 500  # rows in one transaction: well under a fifth of a second
_GAP = 0.005  # seconds between two transactions, for writers that poll for the lock
_DECODERS: Mapping[object, Callable[[str], Any]] = {
    parse_date: date.fromisoformat,
    parse_datetime: datetime.fromisoformat,
    parse_money: Decimal,
    parse_birthday: Birthday.fromisoformat,
}


class _Ready(NamedTuple):
    """Rows about one thing, understood."""

    rows: list[Staged]
    facts: Any
    repeats: list[Staged]
    """Rows that say exactly what one of ``rows`` says."""


class ImportRun:
    """One file on its way into the records; what comes of it is counted in ``report``."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        clock: Clock,
        table: Table,
        report: ImportReport,
        *,
        progress: Progress,
        defaults: Mapping[str, str | None],
        event_types: Mapping[str, EventType],
    ) -> None:
        self.store = store
        self.settings = settings
        self.clock = clock
        self.table = table
        self.report = report
        self.progress = progress
        self.defaults = defaults
        self.kind: Kind = table.columns.kind
        self.importer: Importer
        if self.kind.name == "events":
            self.importer = EventImporter(settings, event_types)
        else:
            self.importer = IMPORTERS[self.kind.name]
        self.fields = (*self.kind.specs, *self.importer.more_fields)
        self.decoders = {spec.name: _DECODERS[spec.parser] for spec in self.kind.fields if spec.parser in _DECODERS}
        self._headers = {name: table.headers[column] for column, name in table.fields.items()}
        self._whole = not is_rejected_file(table)
        self._new_cities: dict[str, str] = {}
        self._cities: dict[str, str] = {}
        self._city = cache(settings.city)

    def work(self, staging: Staging) -> None:
        """Read, group, compare, apply."""
        self._read(staging)
        for notice in self.table.notices:
            self.report.warnings.add(notice.key, **notice.values)
        if self.table.dropped_columns:
            self.report.warnings.add("apply.columns_dropped", columns=", ".join(self.table.dropped_columns))
        staging.settle()
        self._reject_conflicts(staging)
        self._apply(staging)

    # --- Reading ---------------------------------------------------------------------------------------------

    def _read(self, staging: Staging) -> None:
        batch: list[Staged] = []
        done = 0
        for row in self.table:
            done += 1
            parsed = parse_row(self.kind, row)
            raw = raw_row(self.table, row.raw)
            self.importer.pack(row, parsed.values)
            self._fill_in(parsed.values)
            if parsed.problems:
                staging.reject(parsed.problems, raw, self.importer.group(parsed.values) if parsed.values else None)
            else:
                batch.append(Staged(parsed.number, "", parsed.values, raw))
            if len(batch) == _STAGE:
                self._stage(staging, batch)
                batch = []
            if done % _STAGE == 0:
                self.progress(done, None)
        self._stage(staging, batch)
        self.progress(done, None)

    def _fill_in(self, values: dict[str, Any]) -> None:
        """Fill in what the command line says for the whole file, and give the city its key."""
        for name, default in self.defaults.items():
            if default is not None and values.get(name) is None and name in self.kind.specs:
                values[name] = default
        city = values.get("city")
        if city is not None:
            values["city"] = self._city_key(city)

    def _city_key(self, city: str) -> str:
        if city not in self._cities:
            key = self.settings.city_key(city)
            if key is None:
                self.report.warnings.add("apply.city_unknown", city=city)
            self._cities[city] = key or city
        return self._cities[city]

    def _stage(self, staging: Staging, batch: Sequence[Staged]) -> None:
        groups = self._resolve(batch)
        staging.add(
            row._replace(group=groups[index] or self.importer.group(row.values) or f"#{row.number}")
            for index, row in enumerate(batch)
        )

    def _resolve(self, batch: Sequence[Staged]) -> Sequence[str | None]:
        if not self.importer.by_records:
            return [None] * len(batch)
        with self.store.read() as connection:
            return self.importer.resolve(self._book(connection), [row.values for row in batch])

    # --- Rows against each other -----------------------------------------------------------------------------

    def _reject_conflicts(self, staging: Staging) -> None:
        for group, size in staging.oversized():
            for row in staging.rows("grp = ?", group):
                self._reject(staging, row, "apply.too_many_rows", "", {"rows": size, "limit": GROUP_LIMIT})
            staging.discard_group(group)
        conflicts = []
        if "id_no" in self.kind.specs and self.importer.name_field is not None:
            conflicts.append(people_conflicts(staging, self.importer.name_field))
        if self.importer.places:
            conflicts.append(project_conflicts(staging))
        for each in conflicts:
            numbers = []
            for row, field, other in each:
                self._reject(staging, row, "apply.contradicts", field, {"other": other})
                numbers.append(row.number)
            staging.discard(numbers)
        if self.importer.places:
            self._new_cities = dict(
                staging.ask(
                    "SELECT project, max(city) FROM rows WHERE project IS NOT NULL AND city IS NOT NULL "
                    "GROUP BY project"
                )
            )

    def _reject(self, staging: Staging, row: Staged, key: str, field: str, values: Mapping[str, object]) -> None:
        value = row.values.get(field)
        shown = "" if value is None else masked(self.kind.specs.get(field), str(value))[:SHOWN]
        problem = Problem(row.number, self._headers.get(field, field), shown, key, values)
        staging.reject([problem], row.raw, row.group)

    # --- Applying --------------------------------------------------------------------------------------------

    def _apply(self, staging: Staging) -> None:
        total, done = staging.count, 0
        with self._undoing() as undone:
            for chunk in _chunks(staging.groups()):
                prepared = [ready for rows in chunk if (ready := self._prepare(staging, rows)) is not None]
                if prepared:
                    self._apply_chunk(staging, prepared, undone)
                done += sum(map(len, chunk))
                self.progress(done, total)

    @contextmanager
    def _undoing(self) -> Iterator[Connection | None]:
        """Yield the transaction to be undone in which a dry run of single facts works, one building on another."""
        if not (self.report.dry_run and self.importer.one_by_one):
            yield None
            return
        with self.store.write() as connection:
            yield connection
            connection.rollback()

    @contextmanager
    def _transaction(self, undone: Connection | None) -> Iterator[Connection]:
        if undone is not None:
            yield undone
        elif self.report.dry_run:
            with self.store.read() as connection:
                yield connection
        else:
            with self.store.write() as connection:
                take_turns(self.store, connection)
                yield connection
            time.sleep(_GAP)

    def _book(self, connection: Connection) -> Book:
        return Book(
            self.store,
            connection,
            now=self.clock.now(),
            city=self._city,
            new_cities=self._new_cities,
            default_city=next(iter(self.settings.cities)) if len(self.settings.cities) == 1 else "",
            rehearsal=self.report.dry_run and not self.importer.one_by_one,
        )

    def _prepare(self, staging: Staging, rows: list[Staged]) -> _Ready | None:
        """Return what one group says, ``None`` when its rows contradict each other."""
        if len(rows) == 1:
            return _Ready(rows, self.importer.facts(rows, complete=self._is_complete(staging, rows)), [])
        once, repeats = _without_repeats(rows)
        against = self.importer.contradictions(once)
        if against:
            known = {one.row for one in against}
            numbers = ", ".join(map(str, sorted(known)))
            for one in against:
                row = next(row for row in once if row.number == one.row)
                self._reject(staging, row, "apply.contradicts", one.field, {"other": one.other})
            for row in rows:
                if row.number not in known:
                    self._reject(staging, row, "apply.beside_contradiction", "", {"rows": numbers})
            return None
        for row, first in repeats:
            self.report.warnings.add("apply.repeat", row=row.number, first=first)
        facts = self.importer.facts(once, complete=self._is_complete(staging, rows))
        return _Ready(once, facts, [row for row, _ in repeats])

    def _is_complete(self, staging: Staging, rows: Sequence[Staged]) -> bool:
        return self._whole and not staging.is_broken(rows[0].group)

    def _apply_chunk(self, staging: Staging, chunk: Sequence[_Ready], undone: Connection | None) -> None:
        news: set[int] = set()
        refused: list[tuple[_Ready, Refused]] = []
        stated = PeopleInFile(staging, self.importer.name_field)
        with self._transaction(undone) as connection:
            book = self._book(connection)
            self.importer.load(book, [ready.facts for ready in chunk])
            for ready in chunk:
                try:
                    news |= self.importer.apply(book, ready.facts, ready.rows, stated)
                except Refused as reason:
                    refused.append((ready, reason))
            book.write()
        for ready, why in refused:
            for row in (*ready.rows, *ready.repeats):
                self._reject(staging, row, why.key, why.column, why.values)
        gone = {id(ready) for ready, _ in refused}
        counted = [ready for ready in chunk if id(ready) not in gone]
        self.report.accepted += len(news)
        self.report.unchanged += sum(len(ready.rows) + len(ready.repeats) for ready in counted) - len(news)
        for note in book.notes:
            self.report.warnings.add(note.key, **note.values)


def _chunks(groups: Iterator[list[Staged]]) -> Iterator[list[list[Staged]]]:
    """Put groups together until a transaction is full; a group is never divided."""
    chunk: list[list[Staged]] = []
    size = 0
    for rows in groups:
        chunk.append(rows)
        size += len(rows)
        if size >= _APPLY:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _without_repeats(rows: Sequence[Staged]) -> tuple[list[Staged], list[tuple[Staged, int]]]:
    """Return the rows that say something of their own, and the others with the row each repeats."""
    once: list[Staged] = []
    repeats = []
    for row in rows:
        first = next((one for one in once if one.values == row.values), None)
        if first is None:
            once.append(row)
        else:
            repeats.append((row, first.number))
    return once, repeats
