"""Read the event log: what is new, and what each subject has been through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, or_, select

from keguan.model import Event, Subject
from keguan.store.listed import listed
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
"""Built once, as the others are: the daemon asks it every few seconds."""
_TICKS = select(*_COLUMNS).where(listed(_e.seq), _e.type == "tick").order_by(_e.seq)
_EVENTS = select(*_COLUMNS).where(_e.subject_type == bindparam("kind"), listed(_e.subject_id)).order_by(_e.seq)
_OTHERS = _EVENTS.where(or_(_e.state != "new", _e.seq > bindparam("newest", type_=BigInteger())))
"""Beside the oldest new ones, the last of which is ``newest``: these are not new, or newer."""


def new_events(connection: Connection, limit: int) -> list[Event]:
    """Return the oldest events that no plugin has heard of yet, at most ``limit``."""
    rows = connection.execute(_NEW, {"most": limit})
    return [_event(row) for row in rows.all()]


def ticks_by_number(connection: Connection, seqs: Iterable[int]) -> list[Event]:
    """Return the ticks among the events numbered ``seqs``, oldest first."""
    return [_event(row) for row in connection.execute(_TICKS, {"numbers": list(seqs)}).all()]


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
    statement, asked = (_OTHERS, {"newest": fresh[-1].seq}) if fresh else (_EVENTS, {})
    mixed: set[Subject] = set()
    for kind, ids in by_type.items():
        for row in connection.execute(statement, {"kind": kind, "numbers": ids, **asked}).all():
            event = _event(row)
            history.setdefault(event.subject, []).append(event)
            mixed.add(event.subject)
    for subject in mixed:
        history[subject].sort(key=lambda event: event.seq)
    return history


def _event(row: Any) -> Event:
    seq, source, name, kind, time, subject_type, subject_id, city, data, received = row
    return Event(seq, source, name, kind, time, Subject(subject_type, subject_id), city, data, received)
