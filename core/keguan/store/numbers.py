"""Numbers for rows that are about to be inserted, so that rows which refer to each other go in together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, func, select

from keguan.store.engine import Store

__all__ = ["Numbers", "update_rows"]


class Numbers:
    """Hands out row numbers inside one transaction.

    On SQLite a write transaction is alone, so the numbers behind the highest one are free; on PostgreSQL they
    come from each table's sequence, which never gives one twice. ``imagined`` numbers are negative and stand
    for rows that will not be written.
    """

    def __init__(self, store: Store, connection: Connection, *, block: int, imagined: bool = False) -> None:
        self._store = store
        self._connection = connection
        self._block = block
        self._imagined = imagined
        self._free: dict[str, list[int]] = {}
        self._reached: dict[str, int] = {}
        self._last = 0

    def take(self, table: Table) -> int:
        """Return a number that no row of ``table`` has or will get from anybody else."""
        if self._imagined:
            self._last -= 1
            return self._last
        free = self._free.get(table.name)
        if not free:
            free = self._free[table.name] = self._more(table)
        return free.pop()

    def _more(self, table: Table) -> list[int]:
        if not self._store.is_sqlite:
            rows = self._connection.exec_driver_sql(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                (table.name, self._block),
            )
            return sorted((row[0] for row in rows), reverse=True)
        reached = self._reached.get(table.name)
        if reached is None:
            reached = self._connection.execute(select(func.max(table.c.id))).scalar() or 0
        self._reached[table.name] = reached + self._block
        return list(range(reached + self._block, reached, -1))


def update_rows(
    store: Store,
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    *,
    only: str = "",
) -> None:
    """Update many rows at the speed of the driver; each of ``rows`` is the new values and, last, the row's id.

    Values are in stored form, personal ones in clear: they are sealed here. ``only`` is an SQL condition that a
    row must still fulfil.
    """
    if not rows:
        return
    columns, rows = store.sealed(table, columns, rows)
    place = "?" if store.is_sqlite else "%s"
    changes = ", ".join(f"{column} = {place}" for column in columns)
    condition = f"id = {place}" + (f" AND {only}" if only else "")
    statement = f"UPDATE {table.name} SET {changes} WHERE {condition}"  # noqa: S608 - names of our own schema
    connection.exec_driver_sql(statement, list(rows))
