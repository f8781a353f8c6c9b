"""What is due, and when the next thing will be: one cheap look at the tables of the flow."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, func, select

from keguan.outbox import queue
from keguan.plans.following import WAITING
from keguan.store.schema import deliveries, events, messages, plans, tasks
from keguan.store.types import Instant

__all__ = ["Horizon", "look_ahead"]

_EVER = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Horizon(NamedTuple):
    """The earliest instant of each kind of work; ``None`` where there is none."""

    events: int | None
    """The first event that no plugin has heard of; such work is due at once."""
    done_task: int | None
    """The first task on which something may follow; due at once, too."""
    retry: datetime | None
    plan: datetime | None
    message: datetime | None
    lease: datetime | None
    """When a claim ends that somebody holds, or the rest of a plan whose action failed."""

    @property
    def next(self) -> datetime | None:
        """The earliest of all instants."""
        return min((at for at in self[1:] if isinstance(at, datetime)), default=None)


def _earliest(column: Any, condition: Any) -> Any:
    return select(func.min(column)).where(condition, column > bindparam("after", type_=Instant())).scalar_subquery()


# Built once: it is asked at every wake. Each part is the first entry of a partial index.
_LOOK: Select[Any] = select(
    select(func.min(events.c.seq)).where(events.c.state == "new").scalar_subquery(),
    select(func.min(tasks.c.id)).where(WAITING).scalar_subquery(),
    _earliest(deliveries.c.retry_at, deliveries.c.status == "failed"),
    _earliest(plans.c.run_at, plans.c.status == "planned"),
    _earliest(messages.c.next_at, queue.WAITING),
    _earliest(plans.c.lease_until, plans.c.lease_until.is_not(None)),
)


def look_ahead(connection: Connection, after: datetime | None = None) -> Horizon:
    """Return the earliest work; with ``after`` only what falls due later than that."""
    return Horizon(*connection.execute(_LOOK, {"after": after or _EVER}).one())
