"""Column types that behave the same on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Dialect, Integer, Null, Text
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator

from keguan.sealing import NO_KEYS, KeyRing, Kind

__all__ = [
    "SEALED",
    "BigKey",
    "Instant",
    "Json",
    "Sealed",
    "SealedDate",
    "SealedJson",
    "blind_index",
    "from_stored",
    "ring_of",
    "to_stored",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

BigKey = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit row number; SQLite numbers rows by itself only for a column declared plain INTEGER."""


def to_stored(instant: datetime) -> int:
    """Return an aware instant as microseconds since 1970-01-01T00:00Z, the form both databases keep."""
    return (instant - _EPOCH) // _MICROSECOND


def from_stored(value: int) -> datetime:
    """Return the instant (UTC) that ``to_stored`` was given."""
    return _EPOCH + timedelta(0, 0, value)  # by place: a third quicker than by name


def _instant(value: int | None) -> datetime | None:
    return None if value is None else _EPOCH + timedelta(0, 0, value)


class Instant(TypeDecorator[datetime]):
    """An instant as a 64-bit number of microseconds, UTC.

    SQLite has no type for instants and PostgreSQL answers in the zone of the session; a number sorts, indexes
    and compares alike on both and is half the size of text.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Store an aware instant; a naive one raises ``TypeError``, because nobody knows when it is."""
        return None if value is None else to_stored(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Give the instant back in UTC."""
        return None if value is None else from_stored(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[int | None], datetime | None]:
        """Do the same without a call between: rows of messages hold eight instants each."""
        return _instant


class Json(TypeDecorator[Any]):
    """A JSON document as text, with Chinese readable to whoever looks into the table."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Store as compact JSON."""
        return None if value is None else dump_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Give the document back."""
        if value == "{}":  # most events carry nothing beside their record
            return {}
        return None if value is None else json.loads(value)


class _NoComparison(TypeDecorator.Comparator[Any]):
    """What is sealed has another text each time: asking the database for it would silently find nothing."""

    def operate(self, op: OperatorType, *other: Any, **kwargs: Any) -> ColumnElement[Any]:
        """Allow ``IS NULL`` and ``IS NOT NULL``; raise ``TypeError`` for anything else."""
        if all(one is None or isinstance(one, Null) for one in other):
            return super().operate(op, *other, **kwargs)
        raise TypeError("a sealed column cannot be compared: use its blind index (keguan.store.sealed.indexed)")


class Sealed(TypeDecorator[str]):
    """A personal value, or a text that holds some: encrypted with the keys of the database (``Store.ring``)."""

    impl = Text
    cache_ok = True
    comparator_factory = _NoComparison

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Seal the value."""
        return None if value is None else ring_of(dialect).seal(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Open the value; what stands in clear from before is given back as it is."""
        return None if value is None else ring_of(dialect).unseal(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], str | None]:
        """Do the same without a call between; the ring is asked for each time, for it may be given later."""

        def opened(value: str | None) -> str | None:
            return ring_of(dialect).unseal(value) if value else value

        return opened


class SealedDate(TypeDecorator[date]):
    """A personal date, such as a birthday: sealed as ISO 8601."""

    impl = Text
    cache_ok = True
    comparator_factory = _NoComparison

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        """Store as sealed text."""
        return None if value is None else ring_of(dialect).seal(value.isoformat())

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        """Give the date back."""
        return None if value is None else date.fromisoformat(ring_of(dialect).unseal(value))


class SealedJson(TypeDecorator[Any]):
    """A JSON document that holds personal values: sealed as a whole."""

    impl = Text
    cache_ok = True
    comparator_factory = _NoComparison

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Store as sealed JSON."""
        return None if value is None else ring_of(dialect).seal(dump_json(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Give the document back."""
        return None if value is None else json.loads(ring_of(dialect).unseal(value))

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], Any]:
        """Do the same without a call between: most messages have no such document."""

        def opened(value: str | None) -> Any:
            return None if value is None else json.loads(ring_of(dialect).unseal(value))

        return opened


SEALED = (Sealed, SealedDate, SealedJson)
"""The types of the columns that are encrypted at rest."""


def ring_of(dialect: Dialect) -> KeyRing:
    """Return the keys of the database that ``dialect`` speaks to: each engine has a dialect of its own."""
    ring: KeyRing = getattr(dialect, "keguan_ring", NO_KEYS)
    return ring


def blind_index(name: Kind) -> Callable[[Any], str | None]:
    """Return the default of a column that holds the blind index of the column ``name`` of the same row."""

    def default(context: Any) -> str | None:
        return ring_of(context.dialect).index(name, context.get_current_parameters().get(name))

    return default


def dump_json(value: Mapping[str, object] | list[object]) -> str:
    """Return ``value`` as compact JSON; dates and instants as ISO 8601."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=lambda v: v.isoformat())
