"""Sets of numbers in a query: any number of them, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from keguan.store.engine import Store
from keguan.store.records import among
from keguan.store.schema import projects


@pytest.mark.parametrize(
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
def test_the_rows_of_a_set_of_numbers_are_found(store: Store, asked: list[int], found: list[int]) -> None:
    with store.write() as connection:
        connection.execute(insert(projects), [{"id": n, "name": f"云璟{n}期", "city": "wuhan"} for n in (1, 2, 3)])
        rows = connection.execute(select(projects.c.id).where(among(connection, projects.c.id, asked)))
        assert sorted(rows.scalars()) == found
