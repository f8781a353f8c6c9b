"""Quick writing for databases that nobody would miss."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from keguan.store.engine import Store

__all__ = ["hurry"]


def hurry(store: Store) -> None:
    """Let ``store`` write without waiting for the disk: after a power cut an invented city is invented again."""

    @event.listens_for(store.engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    store.engine.dispose()  # connections that are open already do not hear of it
