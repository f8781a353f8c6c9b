"""How each plugin took each event: written down, and retried later and later when it failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from keguan.plans.answers import RETRY_FIRST, DeliveryRow
from keguan.store.engine import Store
from keguan.store.listed import listed
from keguan.store.records import in_chunks
from keguan.store.schema import deliveries
from keguan.store.types import to_stored

__all__ = ["record_deliveries", "retry_pause", "skip_unanswered"]

_RETRY_LONGEST = timedelta(hours=6)
_COLUMNS = ("event_seq", "plugin", "status", "retry_at", "error", "detail", "at", "attempts")
_d = deliveries.c
_KNOWN = select(_d.event_seq, _d.plugin, _d.status, _d.attempts).where(listed(_d.event_seq))


def retry_pause(attempts: int) -> timedelta:
    """Return the pause after so many failed attempts: 1, 4, 16, 64, 256 minutes, then six hours."""
    factor: int = 4 ** min(attempts - 1, 10)
    return min(RETRY_FIRST * factor, _RETRY_LONGEST)


def record_deliveries(store: Store, connection: Connection, rows: Sequence[DeliveryRow], now: datetime) -> None:
    """Write how each plugin took each event; one that took it before and does so again is left as it is."""
    stamp = to_stored(now)
    known: dict[tuple[int, str], tuple[str, int]] = {}
    for row in connection.execute(_KNOWN, {"numbers": {row[0] for row in rows}}):
        known[row[0], row[1]] = (row[2], row[3])
    new = [(*row, stamp, 1) for row in rows if (row[0], row[1]) not in known]
    store.insert(connection, deliveries, _COLUMNS, new, ignore_repeats=True)
    if not known:
        return
    for seq, plugin, status, _, error, detail in rows:
        before = known.get((seq, plugin))
        if before is None or before[0] == status == "done":
            continue
        attempts = before[1] + 1
        connection.execute(
            update(deliveries)
            .where(_d.event_seq == seq, _d.plugin == plugin)
            .values(
                status=status,
                attempts=attempts,
                retry_at=now + retry_pause(attempts) if status == "failed" else None,
                error=error,
                detail=detail,
                at=now,
            )
        )


def skip_unanswered(connection: Connection, plugin: str, seqs: Sequence[int], now: datetime) -> None:
    """Skip those of these events whose delivery to ``plugin`` is still due to be retried at ``now``."""
    for chunk in in_chunks(seqs):
        connection.execute(
            update(deliveries)
            .where(_d.plugin == plugin, _d.event_seq.in_(chunk), _d.status == "failed", _d.retry_at <= now)
            .values(status="skipped", retry_at=None, at=now)
        )
