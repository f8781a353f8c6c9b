"""The event log, with how each plugin took each event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, or_, select

from keguan.queries.reader import Filters, Reader, by_key, pages
from keguan.queries.subjects import named_subject, subject_project, with_subject
from keguan.store.records import in_chunks
from keguan.store.schema import contracts, deliveries, events, homes, owners

__all__ = ["list_events"]

_e = events.c
_d = deliveries.c


def list_events(
    reader: Reader, filters: Filters, *, event_id: str | None = None, source: str | None = None, detail: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield events in the order they came in; the period is that of their own ``time``.

    ``filters.statuses`` are states of deliveries (``done failed skipped``) or ``new``: not yet given to the
    plugins. ``event_id`` is the id on the wire. Keys: ``id type source time subject data
    deliveries[{plugin,status,error}]``; with ``detail`` each delivery has the traceback of its failure too.
    """
    statement = with_subject(
        select(_e.seq, _e.id, _e.type, _e.source, _e.time, _e.city, _e.data).select_from(events), events
    ).order_by(_e.seq)
    if event_id is not None:
        statement = statement.where(_e.id == event_id)
    if source is not None:
        statement = statement.where(_e.source == source)
    with reader.store.read() as connection:
        statement = _taken(statement, filters)
        if filters.project is not None:
            statement = statement.where(_of_project(reader.project_id(connection, filters.project)))
        statement = reader.narrow_place_and_time(connection, statement, events, "time", filters)
        for page in pages(connection, statement):
            taken = by_key(_deliveries(connection, [row.seq for row in page], detail), lambda row: row.event_seq)
            for row in page:
                yield _shown(row, taken.get(row.seq, []), reader, detail=detail)


def _taken(statement: Select[Any], filters: Filters) -> Select[Any]:
    """Narrow to events that a plugin took, or that were taken in one of the wanted ways."""
    states = [status for status in filters.statuses if status != "new"]
    own = [_d.event_seq == _e.seq]
    if states:
        own.append(_d.status.in_(states))
    if filters.plugin is not None:
        own.append(_d.plugin == filters.plugin)
    delivered = exists().where(*own)
    fresh = _e.state == "new"
    if "new" in filters.statuses:
        return statement.where(or_(fresh, delivered) if states else fresh)
    return statement.where(delivered) if len(own) > 1 else statement


def _of_project(number: int) -> Any:
    """Events about a project, its homes and contracts, and the people who bought there."""
    bought = (
        select(owners.c.person_id)
        .select_from(owners)
        .outerjoin(contracts, contracts.c.id == owners.c.contract_id)
        .outerjoin(homes, homes.c.id == owners.c.home_id)
        .where(or_(contracts.c.project_id == number, homes.c.project_id == number))
    )
    return or_(subject_project == number, and_(_e.subject_type == "customer", _e.subject_id.in_(bought)))


def _deliveries(connection: Connection, seqs: Sequence[int], detail: bool) -> list[Any]:
    columns = [_d.event_seq, _d.plugin, _d.status, _d.error, *([_d.detail] if detail else [])]
    found: list[Any] = []
    for chunk in in_chunks(seqs):
        found += connection.execute(select(*columns).where(_d.event_seq.in_(chunk)).order_by(_d.plugin))
    return found


def _shown(row: Any, taken: Sequence[Any], reader: Reader, *, detail: bool) -> dict[str, Any]:
    return {
        "id": row.id,
        "type": row.type,
        "source": row.source,
        "time": reader.local(row.time, row.city),
        "subject": named_subject(row, reader.settings),
        "data": row.data,
        "deliveries": [_delivery(one, detail=detail) for one in taken],
    }


def _delivery(one: Any, *, detail: bool) -> dict[str, Any]:
    shown = {"plugin": one.plugin, "status": one.status, "error": one.error}
    return shown | {"detail": one.detail} if detail else shown
