"""What people did with tasks, kept in its order: the story that ``tasks show`` tells and statistics count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, insert

from keguan.store.schema import task_log

__all__ = ["TaskAct", "note"]

TaskAct = Literal["assigned", "postponed", "skipped", "done", "escalated", "handed_over", "form"]


def note(
    connection: Connection,
    ids: Sequence[int],
    what: TaskAct,
    *,
    now: datetime,
    who: str,
    reason: str | None = None,
    details: Mapping[int, Mapping[str, object]] | None = None,
) -> None:
    """Record that ``who`` did ``what`` with these tasks; ``details`` by task, free of personal values."""
    if not ids:
        return
    details = details or {}
    connection.execute(
        insert(task_log),
        [
            {"task_id": key, "at": now, "who": who, "what": what, "reason": reason, "detail": details.get(key)}
            for key in ids
        ],
    )
