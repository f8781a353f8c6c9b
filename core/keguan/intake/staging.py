"""A private file in which the rows of an import wait until it is known which belong together.

A million rows are grouped by what they are about in bounded memory. The file has no name on the disk from the
moment it is open, so that nothing personal is left behind, whatever happens to the process.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from keguan.intake.birthdays import Birthday
from keguan.intake.rows import Problem

__all__ = ["GROUP_LIMIT", "Rejected", "Staged", "Staging"]

GROUP_LIMIT = 1000
"""Rows about one thing that are looked at together; more are a mistake of whoever made the file."""
_CACHE_KIB = 16_000


class Staged(NamedTuple):
    """A row that waits."""

    number: int
    group: str
    values: dict[str, Any]
    raw: str
    """Its cells as they stood in the file, see :meth:`Staging.reject`."""


class Rejected(NamedTuple):
    """A rejected row with one of its problems."""

    problem: Problem
    raw: str


class Staging:
    """Rows by group, and rejected rows by number. Use as a context manager."""

    def __init__(self, folder: Path, fields: Sequence[str], decoders: Mapping[str, Callable[[str], Any]]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix="import-", dir=folder)  # readable by nobody else
        try:
            self._db = sqlite3.connect(name, isolation_level=None)
            for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = OFF", "synchronous = OFF"):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self._db.execute("PRAGMA temp_store = FILE")
            self._db.execute("CREATE TABLE opened (at)")  # from here on SQLite never opens the file again
        finally:
            os.close(descriptor)
            with suppress(FileNotFoundError):
                Path(name).unlink()
        self.fields = tuple(fields)
        self._decoders = [decoders.get(name) for name in self.fields]
        self._columns = ", ".join(f'"{name}"' for name in self.fields)
        self._db.execute(f"CREATE TABLE rows (number INTEGER PRIMARY KEY, grp TEXT, {self._columns}, raw TEXT)")
        self._db.execute("CREATE TABLE rejects (number INTEGER, col TEXT, value TEXT, key TEXT, vals TEXT, raw TEXT)")
        self._db.execute("CREATE TABLE broken (grp TEXT PRIMARY KEY) WITHOUT ROWID")
        self._insert = f"INSERT INTO rows VALUES ({', '.join('?' * (len(self.fields) + 3))})"  # noqa: S608
        self._any_broken = False
        self._db.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    # --- Taking in -------------------------------------------------------------------------------------------

    def add(self, rows: Iterable[Staged]) -> None:
        """Let ``rows`` wait."""
        fields = self.fields
        self._db.executemany(
            self._insert,
            [(row.number, row.group, *(_stored(row.values.get(name)) for name in fields), row.raw) for row in rows],
        )

    def reject(self, problems: Iterable[Problem], raw: str, group: str | None = None) -> None:
        """Reject a row with its problems; ``group``, where known, counts as incomplete from now on."""
        self._db.executemany(
            "INSERT INTO rejects VALUES (?, ?, ?, ?, ?, ?)",
            [
                (one.row, one.column, one.value_masked, one.reason_key, _json(one.reason_values), raw)
                for one in problems
            ],
        )
        if group is not None:
            self._any_broken = True
            self._db.execute("INSERT OR IGNORE INTO broken VALUES (?)", (group,))

    def settle(self) -> None:
        """End taking in, so that groups can be found."""
        self._db.execute("CREATE INDEX by_group ON rows (grp, number)")

    def index(self, field: str) -> None:
        """Make it quick to find rows by the value of a field."""
        self._db.execute(f'CREATE INDEX IF NOT EXISTS "by_{field}" ON rows ("{field}") WHERE "{field}" IS NOT NULL')

    # --- Asking ----------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many rows wait."""
        return int(self._db.execute("SELECT count(*) FROM rows").fetchone()[0])

    def is_broken(self, group: str) -> bool:
        """Return whether a row of this group was rejected."""
        return self._any_broken and bool(self.ask("SELECT 1 FROM broken WHERE grp = ?", group))

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what a question about the table ``rows`` gives."""
        return self._db.execute(statement, values).fetchall()

    def oversized(self) -> list[tuple[str, int]]:
        """Return the groups with too many rows to be looked at together, with their sizes."""
        found = self.ask("SELECT grp, count(*) FROM rows GROUP BY grp HAVING count(*) > ?", GROUP_LIMIT)
        return [(group, size) for group, size in found]

    def rows(self, condition: str, *values: object) -> Iterator[Staged]:
        """Yield the rows that fulfil an SQL condition, in the order of the file."""
        statement = f"SELECT number, grp, {self._columns}, raw FROM rows WHERE {condition} ORDER BY number"  # noqa: S608
        for row in self._db.execute(statement, values):
            yield self._staged(row)

    def groups(self) -> Iterator[list[Staged]]:
        """Yield the rows by group, in the order of each group's first row. May be asked once."""
        self._db.execute(
            "CREATE TABLE several AS SELECT grp, min(number) AS first FROM rows GROUP BY grp HAVING count(*) > 1"
        )
        self._db.execute("CREATE UNIQUE INDEX several_by_group ON several (grp)")
        statement = (
            f"SELECT rows.number, rows.grp, {self._columns}, raw, several.first "  # noqa: S608 - our own names
            "FROM rows LEFT JOIN several ON several.grp = rows.grp ORDER BY rows.number"
        )
        for *row, first in self._db.execute(statement):
            if first is None:
                yield [self._staged(row)]
            elif first == row[0]:
                yield list(self.rows("grp = ?", row[1]))

    def discard(self, numbers: Iterable[int]) -> None:
        """Let rows wait no longer, because they were rejected."""
        self._db.executemany("DELETE FROM rows WHERE number = ?", [(number,) for number in numbers])

    def discard_group(self, group: str) -> None:
        """Let all rows of a group wait no longer, because they were rejected."""
        self._db.execute("DELETE FROM rows WHERE grp = ?", (group,))

    def rejected(self) -> Iterator[Rejected]:
        """Yield everything that was rejected, by row."""
        for number, column, value, key, values, raw in self._db.execute(
            "SELECT number, col, value, key, vals, raw FROM rejects ORDER BY number, rowid"
        ):
            yield Rejected(Problem(number, column, value, key, json.loads(values)), raw)

    def rejected_rows(self) -> int:
        """Return how many rows were rejected."""
        return int(self._db.execute("SELECT count(DISTINCT number) FROM rejects").fetchone()[0])

    def _staged(self, row: Sequence[Any]) -> Staged:
        values = {
            name: value if decode is None or value is None else decode(value)
            for name, value, decode in zip(self.fields, row[2:-1], self._decoders, strict=True)
        }
        return Staged(row[0], row[1], values, row[-1])


def _stored(value: Any) -> Any:
    kind = type(value)
    if kind is date or kind is datetime or kind is Birthday:
        return value.isoformat()
    return str(value) if kind is Decimal else value


def _json(values: Mapping[str, object]) -> str:
    return json.dumps({name: value if isinstance(value, int) else str(value) for name, value in values.items()})
