"""Column types that behave the same on both databases."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator

__all__ = ["BigKey", "Instant", "Json", "from_stored", "to_stored"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

BigKey = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit row number; SQLite numbers rows by itself only for a column declared plain INTEGER."""


def to_stored(instant: datetime) -> int:
    """Return an aware instant as microseconds since 1970-01-01T00:00Z, the form both databases keep."""
    return (instant - _EPOCH) // _MICROSECOND


def from_stored(value: int) -> datetime:
    """Return the instant (UTC) that ``to_stored`` was given."""
    return _EPOCH + timedelta(microseconds=value)


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


def dump_json(value: Mapping[str, object] | list[object]) -> str:
    """Return ``value`` as compact JSON; dates and instants as ISO 8601."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=lambda v: v.isoformat())
