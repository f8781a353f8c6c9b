"""Recording one event: its fields go through the same functions as the rows of files, and it is told once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from sqlalchemy import Connection, select

from keguan.errors import InputError
from keguan.events.log import NewEvent, append
from keguan.intake.about import About, Occurrence
from keguan.intake.book import Book
from keguan.intake.handling import Handler
from keguan.model import City, EventType, Subject
from keguan.nearest import nearest
from keguan.settings import Settings
from keguan.store.schema import events

__all__ = ["Recorded", "Recorder"]

_FUTURE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The event as it stands in the log."""

    source: str
    id: str
    type: str
    time: datetime
    subject: Subject
    city: str
    repeated: bool
    """It was known already, so that nothing was changed."""


class Recorder:
    """Records single events inside a transaction that the caller holds."""

    def __init__(
        self,
        settings: Settings,
        event_types: Mapping[str, EventType],
        book: Callable[[], Book],
    ) -> None:
        self._settings = settings
        self._types = event_types
        self._new_book = book
        """A fresh one for each event: what one changed is written before the next is looked at."""

    def record(self, occurrence: Occurrence) -> Recorded:
        """Record ``occurrence`` with all that follows from it; one whose source and id are known is a repeat.

        Raises ``InputError`` for an unknown type, fields that do not fit, or a subject that cannot be found.
        """
        kind = self._types.get(occurrence.type)
        if kind is None or kind.subject == "day":
            near = nearest(occurrence.type, self._types) or ", ".join(sorted(self._types))
            raise InputError("apply.event_unknown", type=occurrence.type, near=near)
        book = self._new_book()
        known = _known(book.connection, occurrence)
        if known is not None:
            return known
        self._refuse_future(occurrence, book.now)
        about = Handler(book, kind, occurrence, self._settings).apply()
        city = book.city(about.city)
        event = NewEvent(
            occurrence.source,
            occurrence.id,
            occurrence.type,
            _instant(occurrence, about, city, book.now),
            about.subject,
            about.city,
            about.data,
        )
        book.save()
        told = _told(event, book.events)
        book.events.clear()
        append(book.store, book.connection, told, book.now)
        return Recorded(event.source, event.id, event.type, event.time, event.subject, event.city, repeated=False)

    def _refuse_future(self, occurrence: Occurrence, now: datetime) -> None:
        at = occurrence.time
        if at is not None and at.tzinfo is not None and at > now + _FUTURE:
            raise InputError("apply.time_in_future", time=at.isoformat())


def _known(connection: Connection, occurrence: Occurrence) -> Recorded | None:
    e = events.c
    row = connection.execute(
        select(e.source, e.id, e.type, e.time, e.subject_type, e.subject_id, e.city).where(
            e.source == occurrence.source, e.id == occurrence.id
        )
    ).first()
    if row is None:
        return None
    return Recorded(row.source, row.id, row.type, row.time, Subject(row[4], row[5]), row.city, repeated=True)


def _instant(occurrence: Occurrence, about: About, city: City, now: datetime) -> datetime:
    at = occurrence.time
    if at is not None:
        return at if at.tzinfo is not None else at.replace(tzinfo=city.zone)
    return now if about.on is None else city.at(about.on, time(0))


def _told(event: NewEvent, derived: list[NewEvent]) -> list[NewEvent]:
    """Return ``event`` and what follows from it, in order; what only repeats it in other words is left out.

    What follows gets ids that hang on the event's own, so that it too is told once.
    """
    same = [one for one in derived if (one.type, one.subject) == (event.type, event.subject)]
    kept = [
        one for one in derived if one.subject != event.subject or not one.type.endswith("_changed") or one in same[:1]
    ]
    told = [
        replace(event, data={**one.data, **event.data})
        if one in same[:1]
        else replace(one, source=event.source, id=f"{event.id}/{one.id}")
        for one in kept
    ]
    return told if same else [*told, event]
