"""Read the event log: what is new, and what each subject has been through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, or_, select, true

from keguan.model import Event, Subject
from keguan.store.records import among
from keguan.store.schema import events

__all__ = ["load_history", "new_events", "ticks_by_number"]

_e = events.c
_COLUMNS = (
    _e.seq,
    _e.source,
    _e.id,
    _e.type,
    _e.time,
    _e.subject_type,
    _e.subject_id,
    _e.city,
    _e.data,
    _e.received_at,
)
_NEW = select(*_COLUMNS).where(_e.state == "new").order_by(_e.seq).limit(bindparam("most"))
"""Built once: the daemon asks it every few seconds."""


def new_events(connection: Connection, limit: int) -> list[Event]:
    """Return the oldest events that no plugin has heard of yet, at most ``limit``."""
    rows = connection.execute(_NEW, {"most": limit})
    return [_event(row) for row in rows.all()]


def ticks_by_number(connection: Connection, seqs: Iterable[int]) -> list[Event]:
    """Return the ticks among the events numbered ``seqs``, oldest first."""
    chosen = among(connection, _e.seq, seqs)
    rows = connection.execute(select(*_COLUMNS).where(chosen, _e.type == "tick").order_by(_e.seq))
    return [_event(row) for row in rows.all()]


def load_history(
    connection: Connection, subjects: Iterable[Subject], fresh: Sequence[Event] = ()
) -> dict[Subject, list[Event]]:
    """Return every event of each subject, oldest first.

    ``fresh``: what ``new_events`` returned in the same transaction, which need not be loaded again.
    """
    wanted = set(subjects)
    if not wanted:
        return {}
    by_type: dict[str, list[int]] = {}
    for kind, number in wanted:
        by_type.setdefault(kind, []).append(number)
    history: dict[Subject, list[Event]] = {}
    for event in fresh:
        if event.subject in wanted:
            history.setdefault(event.subject, []).append(event)
    # those in ``fresh`` are the oldest new ones: the others are not new, or newer
    others = or_(_e.state != "new", _e.seq > fresh[-1].seq) if fresh else true()
    mixed: set[Subject] = set()
    for kind, ids in by_type.items():
        chosen = and_(_e.subject_type == kind, among(connection, _e.subject_id, ids), others)
        for row in connection.execute(select(*_COLUMNS).where(chosen).order_by(_e.seq)).all():
            event = _event(row)
            history.setdefault(event.subject, []).append(event)
            mixed.add(event.subject)
    for subject in mixed:
        history[subject].sort(key=lambda event: event.seq)
    return history


def _event(row: Any) -> Event:
    seq, source, name, kind, time, subject_type, subject_id, city, data, received = row
    return Event(seq, source, name, kind, time, Subject(subject_type, subject_id), city, data, received)
