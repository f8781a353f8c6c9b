"""The company in each city: one row a city, so that promises and tasks can be about it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, select

from keguan.model import Branch
from keguan.store.engine import Store
from keguan.store.schema import branches

__all__ = ["ensure_branches", "load_branches"]

_b = branches.c
_OF_CITIES = select(_b.id, _b.city).where(_b.city.in_(bindparam("cities", expanding=True)))


def load_branches(connection: Connection, cities: Collection[str]) -> dict[str, Branch]:
    """Return the branch of each of ``cities`` (their keys) that has one, by the city's key."""
    return {row.city: Branch(*row) for row in connection.execute(_OF_CITIES, {"cities": list(cities)})}


def ensure_branches(store: Store, connection: Connection, cities: Collection[str]) -> None:
    """Add a branch for each of ``cities`` that has none yet, whoever else does so at the same time."""
    known = load_branches(connection, cities)
    missing = [(city,) for city in sorted(set(cities) - known.keys())]
    store.insert(connection, branches, ("city",), missing, ignore_repeats=True)
