"""Where sealed columns meet statements: raw rows, and conditions on blind indexes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from sqlalchemy import Column, ColumnElement, Connection, Table

from keguan.sealing import KeyRing, Kind
from keguan.store.types import SEALED, ring_of

__all__ = ["SealPlan", "digest", "indexed", "sealed_columns"]

_INDEX = "_index"


def sealed_columns(table: Table) -> tuple[str, ...]:
    """Return the names of the columns of ``table`` that are encrypted at rest."""
    return tuple(column.name for column in table.c if isinstance(column.type, SEALED))


class SealPlan:
    """What becomes of raw rows with certain columns on their way into a table.

    Made once for a statement: most tables have nothing to seal, and then rows go through untouched.
    """

    def __init__(self, table: Table, columns: tuple[str, ...]) -> None:
        sealed = sealed_columns(table)
        self._places = [place for place, name in enumerate(columns) if name in sealed]
        found = [
            (place, name)
            for place, name in enumerate(columns)
            if name in sealed and name + _INDEX in table.c and name + _INDEX not in columns
        ]
        self._indexed: list[tuple[int, Kind]] = [(place, cast("Kind", name)) for place, name in found]
        self.columns = (*(name + _INDEX for _, name in found), *columns)
        """The columns of the rows that :meth:`apply` returns."""

    def apply(self, ring: KeyRing, rows: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
        """Return ``rows`` with their values sealed, the blind indexes in front."""
        if not self._places:
            return rows
        done = []
        for row in rows:
            values = list(row)
            indexes = [ring.index(kind, values[place]) for place, kind in self._indexed]
            for place in self._places:
                if values[place]:
                    values[place] = ring.seal(values[place])
            done.append((*indexes, *values))
        return done


def indexed(connection: Connection, column: Column[Any], values: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a person has one of ``values``.

    ``column`` is the blind index to look in, such as ``people.c.phone_index``. All keys of the ring count, so
    that everybody is found while keys are rotated; so do values in clear that wait to be sealed.
    """
    kind = cast("Kind", column.name.removesuffix(_INDEX))
    ring = ring_of(connection.dialect)
    return column.in_([index for value in values for index in ring.indexes(kind, value)])


def digest(connection: Connection, kind: Kind, value: str) -> str | None:
    """Return the blind index of one value as it is written now: what stands in ``people`` and ``suppressions``."""
    return ring_of(connection.dialect).index(kind, value)
