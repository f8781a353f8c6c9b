"""Whether a database is sound: its pages, its references, and whether what is sealed can be opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table, Text, select, type_coerce

from keguan.errors import DatabaseError
from keguan.sealing import KeyRing
from keguan.sealing.keys import MARK
from keguan.store.schema import metadata
from keguan.store.sealed import sealed_columns
from keguan.texts import Language, text

if TYPE_CHECKING:
    from keguan.store.engine import Store

__all__ = ["Soundness", "examine", "verify"]

_SAMPLE = 500
_PAGE = 1000
_NAMED = 10


@dataclass(slots=True)
class Soundness:
    """What was looked at and what is wrong."""

    problems: list[str] = field(default_factory=list)
    """One line each."""
    opened: int = 0
    """Sealed values that could be opened."""
    checksums: bool | None = None
    """Whether a server checks each page that it reads by a checksum; ``None`` for a file."""


def verify(store: Store, language: Language = "en") -> list[str]:
    """Return what is wrong with the database, one line each; empty when it is sound."""
    return examine(store, language).problems


def examine(store: Store, language: Language = "en", *, full: bool = False) -> Soundness:
    """Read the whole database and open sealed values with the keys of ``store``: the oldest and newest of each table.

    With ``full`` every one. An SQLite file is checked page by page and reference by reference. A server keeps
    references by itself: there every row is read once, and indexes and constraints must be in force.
    """
    found = Soundness()
    with store.read() as connection:
        if store.is_sqlite:
            found.problems += _file(connection, language)
        else:
            found.checksums = connection.exec_driver_sql("SHOW data_checksums").scalar() == "on"
            found.problems += _server(connection, language)
        for table in metadata.sorted_tables:
            if sealed_columns(table):
                _open(connection, table, store.ring, found, language, full=full)
    return found


def _file(connection: Connection, language: Language) -> Iterator[str]:
    for row in connection.exec_driver_sql("PRAGMA integrity_check"):
        if row[0] != "ok":
            yield row[0]
    for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield text(language, "store.dangling", table=row[0], row=row[1], other=row[2])


_NOT_IN_FORCE = """
SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT i.indisvalid AND n.nspname = current_schema()
UNION ALL
SELECT k.conname FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
 WHERE NOT k.convalidated AND n.nspname = current_schema()
"""


def _server(connection: Connection, language: Language) -> Iterator[str]:
    for row in connection.exec_driver_sql(_NOT_IN_FORCE):
        yield text(language, "store.not_in_force", name=row[0])
    for table in metadata.sorted_tables:
        # The text of a row needs each of its values, those that are kept apart from the table included.
        try:
            with connection.begin_nested():
                connection.exec_driver_sql(f'SELECT count(hashtext(t::text)) FROM "{table.name}" t')  # noqa: S608 - ours
        except Exception as error:  # noqa: BLE001 - whatever the server says of a damaged page
            detail = next(iter(str(getattr(error, "orig", error)).splitlines()), type(error).__name__)
            yield text(language, "store.unreadable", table=table.name, detail=detail)


def _open(
    connection: Connection, table: Table, ring: KeyRing, found: Soundness, language: Language, *, full: bool
) -> None:
    """Open what is sealed in ``table``; a value that cannot be opened is told by the number of its row."""
    broken: list[int] = []
    for row in _rows(connection, table, full=full):
        for value in row[1:]:
            if value is None or not value.startswith(MARK):
                continue
            try:
                ring.unseal(value)
                found.opened += 1
            except DatabaseError:
                broken.append(row[0])
                break
    if broken:
        rows = ", ".join(map(str, broken[:_NAMED])) + (" …" if len(broken) > _NAMED else "")
        found.problems.append(text(language, "store.not_opened", table=table.name, count=len(broken), rows=rows))


def _rows(connection: Connection, table: Table, *, full: bool) -> Iterator[Any]:
    """Yield number and stored values of the rows: all of them, or the oldest and the newest."""
    number = table.c.id
    columns = [type_coerce(table.c[name], Text) for name in sealed_columns(table)]
    last = -1
    while True:
        size = _PAGE if full else _SAMPLE
        page = connection.execute(select(number, *columns).where(number > last).order_by(number).limit(size)).all()
        yield from page
        if not full or not page:
            break
        last = page[-1][0]
    if not full:
        newest = select(number, *columns).where(number > (page[-1][0] if page else -1)).order_by(number.desc())
        yield from islice(connection.execute(newest.limit(_SAMPLE)), _SAMPLE)
