"""Single events from the command line, from CloudEvents and from files of events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from keguan.clock import Clock
from keguan.errors import InputError
from keguan.events.types import CORE_EVENT_TYPES
from keguan.intake.about import Occurrence
from keguan.intake.book import Book, Refused, take_turns
from keguan.intake.cells import Cell
from keguan.intake.dates import parse_datetime
from keguan.intake.event_fields import InputMistakes
from keguan.intake.fields import FieldError
from keguan.intake.recording import Recorded, Recorder
from keguan.model import EventType
from keguan.settings import Settings
from keguan.store.engine import Store

__all__ = ["CLI", "CloudEvent", "emit", "emit_cloudevent"]

CLI = "cli"
"""The source of events that were typed in."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class CloudEvent(BaseModel):
    """A CloudEvents 1.0 message as keguan takes it. Extension attributes are allowed, and not looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    specversion: Literal["1.0"]
    id: Name
    source: Name
    type: Name
    time: datetime | None = None
    subject: Name | None = None
    datacontenttype: str | None = None
    data: dict[str, Any] = Field(default_factory=dict, repr=False)


def emit(
    store: Store,
    settings: Settings,
    clock: Clock,
    event_type: str,
    fields: Mapping[str, Cell],
    *,
    id: str | None = None,  # noqa: A002 - as the option is called
    time: datetime | str | None = None,
    subject: str | None = None,
    source: str = CLI,
    event_types: Mapping[str, EventType] = CORE_EVENT_TYPES,
) -> dict[str, object]:
    """Record one event and return it as ``{id, type, source, time, subject{type,id}, city, repeated}``.

    ``fields`` are named like the columns of files. Without ``id`` it gets a new one; with one that is known
    nothing is changed. ``time`` is when it happened: an instant, or a text on the clock of the subject's city;
    without it the business date in the fields counts, else now. Raises ``InputError``, ``InputMistakes`` for
    several mistakes.
    """
    occurrence = Occurrence(source, id or str(uuid4()), event_type, fields, subject, _time(time))
    only = next(iter(settings.cities)) if len(settings.cities) == 1 else ""
    try:
        return _as_json(_record(store, settings, clock, occurrence, only, event_types), settings)
    except Refused as error:
        raise InputError("apply.not_recorded", type=event_type, reason=error) from error


def _record(
    store: Store,
    settings: Settings,
    clock: Clock,
    occurrence: Occurrence,
    default_city: str,
    event_types: Mapping[str, EventType],
) -> Recorded:
    with store.write() as connection:
        take_turns(store, connection)
        book = Book(store, connection, now=clock.now(), city=settings.city, default_city=default_city)
        return Recorder(settings, event_types, book.fork).record(occurrence)


def emit_cloudevent(
    store: Store,
    settings: Settings,
    clock: Clock,
    document: str | bytes | Mapping[str, object],
    *,
    event_types: Mapping[str, EventType] = CORE_EVENT_TYPES,
) -> dict[str, object]:
    """Record the event in a CloudEvents 1.0 JSON document, see :func:`emit`."""
    if not isinstance(document, Mapping):
        try:
            document = json.loads(document)
        except ValueError as error:
            raise InputError("apply.cloudevent_json", problem=type(error).__name__) from error
    try:
        event = CloudEvent.model_validate(document)
    except ValidationError as error:
        raise _mistakes(error) from None
    if event.time is not None and event.time.tzinfo is None:
        raise InputError("apply.cloudevent", field="time", problem="time zone missing")
    return emit(
        store,
        settings,
        clock,
        event.type,
        event.data,
        id=event.id,
        time=event.time,
        subject=event.subject,
        source=event.source,
        event_types=event_types,
    )


def _time(value: datetime | str | None) -> datetime | None:
    if not isinstance(value, str):
        return value
    try:
        return parse_datetime(value)
    except FieldError as error:
        raise InputError("apply.time_wrong", time=value, reason=error) from error


def _mistakes(error: ValidationError) -> InputError:
    """Return one error for each mistake, without the values, which may be personal."""
    found = [
        InputError("apply.cloudevent", field=".".join(map(str, item["loc"])) or "–", problem=item["msg"])
        for item in error.errors(include_url=False, include_input=False)
    ]
    return found[0] if len(found) == 1 else InputMistakes(found)


def _as_json(recorded: Recorded, settings: Settings) -> dict[str, object]:
    return {
        "id": recorded.id,
        "type": recorded.type,
        "source": recorded.source,
        "time": recorded.time.astimezone(settings.city(recorded.city).zone).isoformat(),
        "subject": {"type": recorded.subject.type, "id": recorded.subject.id},
        "city": recorded.city,
        "repeated": recorded.repeated,
    }
