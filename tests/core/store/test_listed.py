"""Sets of numbers in a query: any number of them, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from keguan.store.engine import Store
from keguan.store.listed import among, listed
from keguan.store.schema import projects

PROJECTS = select(projects.c.id).where(listed(projects.c.id))
SETS = pytest.mark.parametrize(
    ("asked", "found"),
    [
        ([], []),
        ([2], [2]),
        ([3, 1, 3, 9, -1], [1, 3]),
        (range(2**33, 2**33 + 70_000), []),
        ([2**62, *range(70_000)], [1, 2, 3]),
    ],
    ids=["nothing", "one", "repeated and unknown", "more than a statement takes", "of any size"],
)


@pytest.fixture
def three(store: Store) -> Store:
    """A database with the projects numbered 1 to 3."""
    with store.write() as connection:
        connection.execute(insert(projects), [{"id": n, "name": f"云璟{n}期", "city": "wuhan"} for n in (1, 2, 3)])
    return store


@SETS
def test_the_rows_of_a_set_of_numbers_are_found(three: Store, asked: list[int], found: list[int]) -> None:
    with three.read() as connection:
        rows = connection.execute(select(projects.c.id).where(among(projects.c.id, asked)))
        assert sorted(rows.scalars()) == found


@SETS
def test_a_statement_that_is_built_once_is_asked_for_any_set(three: Store, asked: list[int], found: list[int]) -> None:
    with three.read() as connection:
        assert sorted(connection.execute(PROJECTS, {"numbers": [1, 3]}).scalars()) == [1, 3]
        assert sorted(connection.execute(PROJECTS, {"numbers": asked}).scalars()) == found
