"""Write facts into the event log. Whoever changes a record calls this in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from keguan.model import Subject
from keguan.store.engine import Store
from keguan.store.schema import events
from keguan.store.types import dump_json, to_stored

__all__ = ["NewEvent", "append", "is_known"]


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A fact on its way into the log."""

    source: str
    """Who says so: ``import``, ``cli``, ``tick``, or the source of a CloudEvent."""
    id: str
    type: str
    time: datetime
    """When it happened, aware."""
    subject: Subject
    city: str
    data: Mapping[str, object] = field(default_factory=dict)
    """Facts beside the record; must be free of personal values."""


_COLUMNS = ("source", "id", "type", "time", "subject_type", "subject_id", "city", "data", "received_at", "state")


def is_known(connection: Connection, source: str, event_id: str) -> bool:
    """Return whether an event with this source and id was accepted before."""
    statement = select(events.c.seq).where(events.c.source == source, events.c.id == event_id)
    return connection.execute(statement).first() is not None


def append(store: Store, connection: Connection, facts: Sequence[NewEvent], now: datetime) -> None:
    """Add ``facts`` in their order; one whose source and id are known already changes nothing.

    Plugins hear of them when the planner next looks, after the transaction has committed.
    """
    received = to_stored(now)
    store.insert(
        connection,
        events,
        _COLUMNS,
        [
            (
                fact.source,
                fact.id,
                fact.type,
                to_stored(fact.time),
                fact.subject.type,
                fact.subject.id,
                fact.city,
                dump_json(fact.data) if fact.data else "{}",
                received,
                "new",
            )
            for fact in facts
        ],
        ignore_repeats=True,
    )
