"""Files of events: each row is recorded like an event of its own, in the order of the file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from keguan.errors import InputError
from keguan.intake.about import Occurrence
from keguan.intake.book import IMPORT, Book, Refused
from keguan.intake.cells import Cell, is_empty
from keguan.intake.event_fields import InputMistakes, kind_of
from keguan.intake.facts import Contradiction, Values
from keguan.intake.importers import PlainImporter
from keguan.intake.persons import Stated
from keguan.intake.recording import Recorder
from keguan.intake.rejects import as_written
from keguan.intake.rows import Row
from keguan.intake.staging import Staged
from keguan.model import EventType
from keguan.settings import Settings

__all__ = ["EventImporter"]

_FIELDS = "fields"
_PLACE = ("project", "city")


class EventImporter(PlainImporter):
    """How files of events are imported."""

    one_by_one = True
    more_fields: tuple[str, ...] = (_FIELDS,)
    specs = ("type", "id", "time", "subject", *_PLACE)

    def __init__(self, settings: Settings, event_types: Mapping[str, EventType]) -> None:
        self._settings = settings
        self._types = event_types

    def pack(self, row: Row, values: dict[str, Any]) -> None:
        """Keep the columns that are an event's own fields together: which there are depends on its type."""
        own = {name: cell for name, cell in row.cells.items() if name not in self.specs and not is_empty(cell)}
        values[_FIELDS] = json.dumps({name: _text(cell) for name, cell in own.items()}, ensure_ascii=False)

    def group(self, values: Values) -> str | None:
        """Return the event's id; rows without one are events of their own unless they say exactly the same."""
        return None if values.get("type") is None else self._id(values)

    def contradictions(self, rows: Sequence[Staged]) -> list[Contradiction]:
        """Return all rows: none has an id to itself."""
        if len(rows) < 2:
            return []
        first, second = rows[0].number, rows[1].number
        return [Contradiction("id", row.number, second if row.number == first else first) for row in rows]

    def facts(self, rows: Sequence[Staged], *, complete: bool) -> Occurrence:
        """Return the event."""
        values = rows[0].values
        fields: dict[str, Cell] = json.loads(values[_FIELDS])
        if kind_of(values["type"]) is not None:
            fields |= {name: values[name] for name in _PLACE if values.get(name) is not None}
        return Occurrence(IMPORT, self._id(values), values["type"], fields, values.get("subject"), values.get("time"))

    def load(self, book: Book, facts: Sequence[Occurrence]) -> None:
        """Load nothing yet: what an event is about may depend on the one before."""

    def apply(self, book: Book, facts: Occurrence, rows: Sequence[Staged], stated: Stated) -> set[int]:
        """Record the event; a known id is no news."""
        try:
            recorded = Recorder(self._settings, self._types, book.fork).record(facts)
        except Refused:
            raise
        except InputMistakes as errors:
            raise _refused(errors.mistakes[0]) from errors
        except InputError as error:
            raise _refused(error) from error
        return set() if recorded.repeated else {row.number for row in rows}

    def _id(self, values: Values) -> str:
        if values.get("id"):
            return str(values["id"])
        said = {name: values.get(name) for name in (*self.specs, _FIELDS)}
        text = json.dumps(said, ensure_ascii=False, sort_keys=True, default=str)
        return f"{values['type']}/{sha256(text.encode()).hexdigest()[:32]}"


def _refused(error: InputError) -> Refused:
    reason = error.values.get("reason")
    field = str(error.values.get("field", ""))
    if isinstance(reason, InputError):
        return Refused(reason.key, field, **reason.values)
    return Refused(error.key, field, **error.values)


def _text(cell: Cell) -> str:
    """Return the cell as text, from which the field that it turns out to be is read."""
    return cell.isoformat() if isinstance(cell, (date, datetime)) else as_written(cell, is_date=False)
