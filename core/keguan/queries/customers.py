"""The list of customers: people who bought or own a home, with what they allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, exists, or_, select

from keguan.masking import mask_email, mask_id_no, mask_name, mask_phone
from keguan.queries.reader import Filters, Reader, by_key, pages
from keguan.queries.subjects import home_name
from keguan.store.records import in_chunks
from keguan.store.schema import contracts, homes, owners, people, permissions, projects

__all__ = ["list_customers"]

_o = owners.c


def list_customers(reader: Reader, filters: Filters, *, unmask: bool = False) -> Iterator[dict[str, Any]]:
    """Yield customers by number; of ``filters`` project, city and limit count.

    Keys: ``id name phone email id_no birthday lunar contracts homes projects consents erased_at``. Personal values are
    masked unless ``unmask``; ``contracts`` are numbers, ``homes`` those owned today, ``consents`` the person's
    answers ``{channel, message_class, granted, at, source}``.
    """
    with reader.store.read() as connection:
        bought = select(_o.id).where(_o.person_id == people.c.id)
        place = []
        if filters.project is not None:
            place.append(projects.c.id == reader.project_id(connection, filters.project))
        if filters.city is not None:
            place.append(projects.c.city == reader.city_key(connection, filters.city))
        if place:
            bought = (
                bought.outerjoin(contracts, contracts.c.id == _o.contract_id)
                .outerjoin(homes, homes.c.id == _o.home_id)
                .join(projects, or_(projects.c.id == contracts.c.project_id, projects.c.id == homes.c.project_id))
                .where(*place)
            )
        statement = select(people).where(exists(bought)).order_by(people.c.id)
        if filters.limit is not None:
            statement = statement.limit(filters.limit)
        for page in pages(connection, statement):
            ids = [row.id for row in page]
            owned = by_key(_owned(connection, ids), lambda row: row.person_id)
            answers = by_key(_consents(connection, ids), lambda row: row.person_id)
            for row in page:
                yield _shown(row, owned.get(row.id, []), answers.get(row.id, []), reader, unmask=unmask)


def _owned(connection: Connection, ids: Sequence[int]) -> list[Any]:
    statement = (
        select(
            _o.person_id,
            _o.until,
            contracts.c.contract_no,
            projects.c.name.label("project"),
            homes.c.id.label("home_id"),
            homes.c.building,
            homes.c.unit,
            homes.c.room,
        )
        .select_from(owners)
        .outerjoin(contracts, contracts.c.id == _o.contract_id)
        .outerjoin(homes, homes.c.id == _o.home_id)
        .outerjoin(projects, or_(projects.c.id == contracts.c.project_id, projects.c.id == homes.c.project_id))
        .order_by(_o.id)
    )
    found: list[Any] = []
    for chunk in in_chunks(ids):
        found += connection.execute(statement.where(_o.person_id.in_(chunk)))
    return found


def _consents(connection: Connection, ids: Sequence[int]) -> list[Any]:
    found: list[Any] = []
    for chunk in in_chunks(ids):
        found += connection.execute(
            select(permissions).where(permissions.c.person_id.in_(chunk)).order_by(permissions.c.id)
        )
    return found


def _shown(row: Any, owned: Sequence[Any], answers: Sequence[Any], reader: Reader, *, unmask: bool) -> dict[str, Any]:
    values: tuple[Any, ...] = (row.name, row.phone, row.email, row.id_no, row.birthday)
    masks: tuple[Callable[[Any], str], ...] = (mask_name, mask_phone, mask_email, mask_id_no, _mask_birthday)
    if not unmask:
        values = tuple(None if value is None else mask(value) for mask, value in zip(masks, values, strict=True))
    homes_now = (one for one in owned if one.home_id is not None and one.until is None)
    return {
        "id": row.id,
        **dict(zip(("name", "phone", "email", "id_no", "birthday"), values, strict=True)),
        "lunar": row.lunar,
        "contracts": _each(one.contract_no for one in owned),
        "homes": _each(home_name(one.project, one.building, one.unit, one.room) for one in homes_now),
        "projects": _each(one.project for one in owned),
        "consents": [
            {
                "channel": answer.channel,
                "message_class": answer.message_class,
                "granted": answer.granted,
                "at": reader.local(answer.at, None),
                "source": answer.source,
            }
            for answer in answers
        ],
        "erased_at": reader.local(row.erased_at, None),
    }


def _each(values: Iterator[str | None]) -> list[str]:
    """Return the values that are known, each once, in their order."""
    return list(dict.fromkeys(value for value in values if value is not None))


def _mask_birthday(day: date) -> str:
    return f"{day.year}-**-**"
