"""How each adapter fares, written down for ``status``, ``doctor``, the other adapters and the next process."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from keguan.store.schema import gateways
from keguan.store.types import Instant

__all__ = ["forget_misconfigured", "note", "pauses", "read_cursor"]

_c = gateways.c
_PAUSED = select(_c.name, _c.paused_until).where(_c.paused_until > bindparam("now", type_=Instant()))


def forget_misconfigured(connection: Connection, name: str) -> None:
    """End a pause of ``name`` that a wrong configuration brought: a process that starts tries at once."""
    connection.execute(
        update(gateways)
        .where(_c.name == name, _c.paused_by == "configuration")
        .values(paused_until=None, paused_by=None)
    )


def pauses(connection: Connection, now: datetime) -> dict[str, datetime]:
    """Return the adapters through which nothing may leave at ``now``, and until when."""
    return {row.name: row.paused_until for row in connection.execute(_PAUSED, {"now": now})}


def note(connection: Connection, name: str, values: Mapping[str, Any]) -> None:
    """Write down how ``name`` fares; ``values`` by column, the others stay as they are."""
    if not values:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(gateways).values(name=name, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=[_c.name], set_=dict(values)))


def read_cursor(connection: Connection, name: str) -> Any:
    """Return where polling ``name`` goes on; ``None`` the first time."""
    return connection.execute(select(_c.cursor).where(_c.name == name)).scalar()
