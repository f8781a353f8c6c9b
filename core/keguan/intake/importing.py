"""Importing a file: what the command ``keguan import`` does, but for printing.

Interrupted anywhere and begun again, an import ends in the same records with every event once: each
transaction holds the changes of records and the events about them, and what is recorded already is unchanged.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import insert, update

from keguan.clock import Clock
from keguan.errors import InputError, UsageError
from keguan.events.types import CORE_EVENT_TYPES
from keguan.intake.columns import ColumnMap
from keguan.intake.kinds import KINDS
from keguan.intake.process import ImportRun, Progress
from keguan.intake.rejects import reason_headers, write_rejected
from keguan.intake.report import ImportReport
from keguan.intake.staging import Staging
from keguan.intake.tables import open_table
from keguan.model import EventType
from keguan.settings import Settings
from keguan.store.engine import Store
from keguan.store.schema import imports

__all__ = ["import_file"]


def import_file(
    store: Store,
    settings: Settings,
    clock: Clock,
    kind: str,
    path: Path,
    *,
    dry_run: bool = False,
    project: str | None = None,
    city: str | None = None,
    progress: Progress | None = None,
    event_types: Mapping[str, EventType] = CORE_EVENT_TYPES,
    source: str = "command",
    sha256: str | None = None,
) -> ImportReport:
    """Import the file at ``path`` as a ``kind`` of file and return what came of it.

    ``project`` and ``city`` stand in where rows leave them out. ``dry_run`` compares and reports, and writes
    nothing at all. ``source`` (``command``, ``folder``, ``mail``) and the file's ``sha256`` go into the journal of
    imports. Raises ``UsageError`` for an unknown kind and ``InputError`` when the file cannot be read as
    a whole; what is wrong with single rows is reported.
    """
    if kind not in KINDS:
        raise UsageError("apply.kind_unknown", kind=kind, known=", ".join(KINDS))
    columns = ColumnMap.of(KINDS[kind], {**settings.import_.columns, **reason_headers()})
    table = open_table(path, columns=columns)
    report = ImportReport(kind, str(path), table.encoding, table.delimiter, table.header_row, dry_run)
    run = ImportRun(
        store,
        settings,
        clock,
        table,
        report,
        progress=progress or (lambda _done, _total: None),
        defaults={"project": project, "city": city},
        event_types=event_types,
    )
    number = None if dry_run else _begin(store, clock, kind, path, source, sha256)
    try:
        with Staging(settings.path("var"), run.fields, run.decoders) as staging:
            run.work(staging)
            report.rejected_rows = staging.rejected_rows()
            report.keep(one.problem for one in staging.rejected())
            if not dry_run:
                written = write_rejected(path, table, staging.rejected(), settings.language)
                report.rejected_file = str(written) if written else None
    except sqlite3.Error as error:
        raise InputError("apply.staging_failed", folder=settings.path("var"), cause=error) from error
    if number is not None:
        _end(store, clock, number, report)
    return report


def _begin(store: Store, clock: Clock, kind: str, path: Path, source: str, sha256: str | None) -> int:
    with store.write() as connection:
        statement = insert(imports).values(
            kind=kind, filename=path.name, started_at=clock.now(), source=source, sha256=sha256
        )
        return int(connection.execute(statement.returning(imports.c.id)).scalar_one())


def _end(store: Store, clock: Clock, number: int, report: ImportReport) -> None:
    with store.write() as connection:
        connection.execute(
            update(imports)
            .where(imports.c.id == number)
            .values(
                finished_at=clock.now(),
                accepted=report.accepted,
                unchanged=report.unchanged,
                rejected=report.rejected_rows,
            )
        )
