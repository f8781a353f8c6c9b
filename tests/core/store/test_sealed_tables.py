"""Personal values in the tables: unreadable there, found all the same, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import pytest
from sqlalchemy import func, insert, select, text
from tests.support.estate import Estate, at
from tests.support.keys import key, ring

from keguan.store.engine import Store
from keguan.store.numbers import update_rows
from keguan.store.schema import messages, people
from keguan.store.sealed import digest, indexed, sealed_columns

NOW = at("2026-03-02T09:00")
CLEAR = ("张小满", "13800138000", "xm@example.com", "440300199003051234", "1990-03-05", "您好", "附件")


@pytest.fixture
def estate(store: Store) -> Estate:
    return Estate(store, NOW)


def stored(store: Store, table: str) -> str:
    """Return everything that stands in a table, as the database has it."""
    with store.read() as connection:
        return repr([tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}"))])


def found(store: Store, column: str, *values: str) -> list[int]:
    with store.read() as connection:
        condition = indexed(connection, people.c[column], values)
        return sorted(connection.execute(select(people.c.id).where(condition)).scalars())


def a_customer(estate: Estate) -> int:
    return estate.person(
        "张小满", "+8613800138000", email="xm@example.com", id_no="440300199003051234", birthday=date(1990, 3, 5)
    )


def test_nothing_personal_can_be_read_in_the_tables(estate: Estate) -> None:
    person = a_customer(estate)
    estate.message(person, body="张小满您好", html="<p>您好</p>", title="您好", attachments=[{"filename": "附件.pdf"}])
    everything = stored(estate.store, "people") + stored(estate.store, "messages")
    assert [value for value in CLEAR if value in everything] == []
    row, message = estate.one(people, person), estate.rows(messages)[0]
    assert (row.name, row.phone, row.birthday) == ("张小满", "+8613800138000", date(1990, 3, 5))
    assert (message.body, message.attachments) == ("张小满您好", [{"filename": "附件.pdf"}])


def test_rows_at_the_speed_of_the_driver_are_sealed_and_found_as_well(store: Store) -> None:
    columns = ("id", "name", "phone", "birthday")
    with store.write() as connection:
        rows: Sequence[tuple[object, ...]] = [(1, "张小满", "+8613800138000", "1990-03-05"), (2, "李明", None, None)]
        store.insert(connection, people, columns, rows)
        update_rows(store, connection, people, ("phone",), [("+8613900139000", 2)])
    assert [value for value in (*CLEAR, "李明") if value in stored(store, "people")] == []
    assert found(store, "phone_index", "+8613900139000") == [2]
    assert found(store, "name_index", "李明", "张小满") == [1, 2]
    with store.read() as connection:
        assert connection.execute(select(people.c.birthday).order_by(people.c.id)).scalars().all() == [
            date(1990, 3, 5),
            None,
        ]


def test_a_value_that_is_not_known_has_no_index(estate: Estate) -> None:
    estate.person("张小满", None)
    assert estate.rows(people)[0].phone_index is None


def test_everybody_is_found_while_keys_are_changed(estate: Estate) -> None:
    old = a_customer(estate)
    estate.store.ring = ring(1, 0)
    new = a_customer(estate)
    assert found(estate.store, "phone_index", "+8613800138000") == [old, new]
    assert found(estate.store, "email_index", "XM@Example.com") == [old, new]


def test_values_in_clear_from_before_are_read_and_found(store: Store) -> None:
    with store.write() as connection:
        connection.execute(
            text(
                "INSERT INTO people (id, name, phone, name_index, phone_index) VALUES (7, 'n', '+86138', 'n', '+86138')"
            )
        )
    assert found(store, "phone_index", "+86138") == [7]
    assert Estate(store, NOW).one(people, 7).phone == "+86138"


@pytest.mark.parametrize("name", sealed_columns(people))
def test_asking_the_database_for_a_sealed_value_is_an_error_and_no_empty_answer(name: str) -> None:
    column = people.c[name]
    asks: list[Callable[[], object]] = [
        lambda: column == "x",
        lambda: column.in_(["x"]),
        lambda: column.like("x%"),
        lambda: column < "x",
    ]
    for ask in asks:
        with pytest.raises(TypeError, match="blind index"):
            ask()
    assert "IS NULL" in str(column.is_(None))
    assert "IS NOT NULL" in str(column != None)  # noqa: E711 - that is how SQLAlchemy writes it


def test_the_digest_of_an_address_is_the_one_that_stands_with_the_person(estate: Estate) -> None:
    person = a_customer(estate)
    with estate.store.read() as connection:
        assert digest(connection, "phone", "+8613800138000") == estate.one(people, person).phone_index


def test_keys_belong_to_one_database_and_to_no_other(store: Store, estate: Estate) -> None:
    a_customer(estate)
    store.ring = ring(0)
    assert store.ring.fingerprints == (key(0).fingerprint,)
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(people)).scalar_one() == 1


def test_an_index_that_is_given_is_left_as_it_is(store: Store) -> None:
    with store.write() as connection:
        connection.execute(insert(people).values(name="张小满", name_index="given"))
    assert Estate(store, NOW).rows(people)[0].name_index == "given"
