"""Projects, buyers and contracts as an import leaves them: records, and the events that tell of them."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Table, insert

from keguan.events.log import NewEvent, append
from keguan.model import Subject
from keguan.store import schema
from keguan.store.engine import Store

__all__ = ["Facts"]

SIGNED_ON = date(2020, 1, 1)


class Facts:
    """Writes facts into one database; numbers everybody it makes up."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._numbers = itertools.count(1)

    def add_project(self, city: str = "shenzhen", last_tick: date | None = None) -> int:
        """Add a project in ``city``, whose last daily tick was that of ``last_tick``; return its number."""
        with self._store.write() as connection:
            project = _insert(connection, schema.projects, name=f"Garden {next(self._numbers)}", city=city)
            if last_tick is not None:
                day = Subject("day", last_tick.toordinal())
                tick = NewEvent("tick", f"tick/{city}/{last_tick}", "tick", _midnight(last_tick), day, city)
                append(self._store, connection, [tick], datetime.now(UTC))
        return project

    def sign(self, count: int = 1, *, city: str = "shenzhen") -> list[int]:
        """Record ``count`` contracts signed in 2020, each of a new customer; return their numbers.

        Their customers are reached at ``cNUMBER@example.com``.
        """
        project = self.add_project(city)
        contracts = []
        with self._store.write() as connection:
            for _ in range(count):
                number = next(self._numbers)
                person = _insert(
                    connection,
                    schema.people,
                    name="周宁",
                    phone=f"+86138{number:08d}",
                    email=f"c{number}@example.com",
                )
                contract = _insert(
                    connection,
                    schema.contracts,
                    project_id=project,
                    contract_no=f"HT-{number:06d}",
                    status="signed",
                    signed_on=SIGNED_ON,
                )
                _insert(connection, schema.owners, person_id=person, contract_id=contract)
                contracts.append(contract)
            self.tell(connection, contracts, city)
        return contracts

    def tell(self, connection: Connection, contracts: list[int], city: str = "shenzhen") -> None:
        """Record that these contracts were signed; telling it again changes nothing."""
        facts = [
            NewEvent(
                "test",
                f"signed/{contract}",
                "contract_signed",
                _midnight(SIGNED_ON),
                Subject("contract", contract),
                city,
            )
            for contract in contracts
        ]
        append(self._store, connection, facts, datetime.now(UTC))


def _insert(connection: Connection, table: Table, **values: Any) -> int:
    key = connection.execute(insert(table).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
