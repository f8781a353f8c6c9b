"""Spans of absolute time with pauses taken out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

__all__ = ["Pause", "Span", "as_utc", "merged", "without"]

Span = tuple[datetime, datetime]
"""From the first instant up to the second."""

Pause = tuple[datetime, datetime | None]
"""From the first instant up to the second; ``None``: not over yet, and nobody knows when it will be."""

_NEVER = datetime.max.replace(tzinfo=UTC)


def as_utc(instant: datetime) -> datetime:
    """Return ``instant`` in UTC, where arithmetic is absolute.

    Raises ``ValueError`` for a naive one, which Python would take for the machine's own local time.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(UTC)


def merged(pauses: Iterable[Pause]) -> tuple[tuple[Span, ...], datetime | None]:
    """Return the pauses as disjoint spans in order (UTC), and since when one is open, if one is.

    Raises ``ValueError`` for a pause that ends before it starts.
    """
    spans: list[Span] = []
    for start, end in sorted((as_utc(start), _NEVER if end is None else as_utc(end)) for start, end in pauses):
        if end < start:
            raise ValueError("a pause cannot end before it starts")
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    open_since = spans[-1][0] if spans and spans[-1][1] == _NEVER else None
    return tuple(spans), open_since


def without(span: Span, pauses: tuple[Span, ...]) -> Iterator[Span]:
    """Yield what is left of ``span`` outside ``pauses`` (disjoint and in order), in order."""
    start, end = span
    for pause_start, pause_end in pauses:
        if pause_end <= start:
            continue
        if pause_start >= end:
            break
        if start < pause_start:
            yield start, pause_start
        start = pause_end
    if start < end:
        yield start, end
