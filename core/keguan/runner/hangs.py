"""What becomes of a plugin that hung: it is recorded, and suspended when it does so again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import Connection, insert, select, update

from keguan.plugins import Hang, forget, last_hang
from keguan.store.engine import Store
from keguan.store.schema import plugins
from keguan.texts import text

__all__ = ["SUSPEND_AFTER", "note_hangs"]

SUSPEND_AFTER = 2
"""A plugin that hung as often as this is left out until somebody enables it again."""
_c = plugins.c


def note_hangs(store: Store, folder: Path, now: datetime) -> list[Hang]:
    """Record every hang that ended an earlier daemon, suspend who hung twice, and return the hangs.

    ``folder`` is the watchdog's. A hang is forgotten there only after it stands in the database.
    """
    log = structlog.get_logger("keguan.runner")
    found: list[Hang] = []
    while (hang := last_hang(folder)) is not None:
        suspended = False
        if hang.plugin is not None:
            with store.write() as connection:
                suspended = _note(connection, hang.plugin, hang, now)
        forget(hang)
        found.append(hang)
        log.error("plugin hung", plugin=hang.plugin, hook=hang.hook, at=hang.at.isoformat(), suspended=suspended)
        log.debug("traceback", detail=hang.traceback)
    return found


def _note(connection: Connection, name: str, hang: Hang, now: datetime) -> bool:
    """Count one hang of ``name``; return whether it is suspended now."""
    line = text("en", "runner.hung", plugin=name, hook=hang.hook, at=hang.at.isoformat(timespec="seconds"))
    row = connection.execute(select(_c.hangs, _c.suspended_at).where(_c.name == name)).first()
    if row is None:
        connection.execute(insert(plugins).values(name=name, hooks=[], requires=[], hangs=0))
    hangs = (row.hangs if row else 0) + 1
    suspended = hangs >= SUSPEND_AFTER
    values: dict[str, object] = {"hangs": hangs, "error": line}
    if suspended:
        why = text("en", "runner.suspended", plugin=name, hook=hang.hook, times=hangs)
        values |= {"suspended_why": why, "suspended_at": row.suspended_at if row and row.suspended_at else now}
    connection.execute(update(plugins).where(_c.name == name).values(**values))
    return suspended
