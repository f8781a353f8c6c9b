"""Events: facts that happened, and the kinds of fact there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from keguan.model.records import Subject

__all__ = ["Event", "EventType"]


@dataclass(frozen=True, slots=True)
class Event:
    """One fact, accepted once by ``source`` and ``id``. On the wire it is a CloudEvents 1.0 message."""

    seq: int
    """The order in which keguan took it in."""
    source: str
    id: str
    type: str
    time: datetime
    """When it happened, in UTC; a date-only fact happened at midnight in its city."""
    subject: Subject
    city: str
    data: Mapping[str, object] = field(default_factory=dict)
    """Facts beside the record, free of personal values."""
    received: datetime | None = None
    """When keguan took it in, in UTC: decides whether the fact came in late."""


@dataclass(frozen=True, slots=True)
class EventType:
    """A kind of event: its name, what it is about, and which earlier kinds it takes back.

    ``retracts``: once ``contract_cancelled`` has come in for a contract, that contract counts as never having
    been through ``deposit`` and ``contract_signed``; their open plans are cancelled, what was done stays. A
    later ``contract_signed`` for the same contract counts again.
    """

    name: str
    subject: str
    retracts: frozenset[str] = frozenset()
    each: bool = False
    """Each event of this kind counts by itself, not the newest alone: hooks are asked about all of them."""
