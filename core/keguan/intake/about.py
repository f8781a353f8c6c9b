"""A single event: as it is told, and what it turned out to be about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from keguan.intake.cells import Cell
from keguan.model import Subject

__all__ = ["About", "Occurrence"]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that happened, as it is told."""

    source: str
    id: str
    type: str
    fields: Mapping[str, Cell] = field(repr=False)
    """Named like the columns of files."""
    subject: str | None = None
    time: datetime | None = None
    """A naive one is on the clock of the subject's city; ``None``: the business date stated, else now."""


@dataclass(slots=True)
class About:
    """What an event turned out to be about."""

    subject: Subject
    city: str
    on: date | None = None
    """The business date that it is, where it is one."""
    data: dict[str, object] = field(default_factory=dict)
    """Free of personal values."""
