"""Bring a database to the version this program writes."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect

from keguan.errors import DatabaseError
from keguan.store.engine import Store

__all__ = ["HEAD", "current", "require_current", "upgrade"]

HEAD = "core_0003"
"""The newest revision of the core's tables; a test compares it with the migration folder."""

_VERSION_TABLE = "alembic_version_core"  # one version table an owner, so that a plugin's tables can be away


def current(connection: Connection) -> str | None:
    """Return the revision of the database, ``None`` for one without keguan's tables."""
    if not inspect(connection).has_table(_VERSION_TABLE):
        return None
    return connection.exec_driver_sql(f"SELECT version_num FROM {_VERSION_TABLE}").scalar()  # noqa: S608 - ours


def require_current(store: Store) -> None:
    """Raise ``DatabaseError`` unless the database is of this program's version."""
    with store.read() as connection:
        revision = current(connection)
    if revision == HEAD:
        return
    where = str(store.path or store.engine.url.host or "postgresql")
    if revision is not None and revision > HEAD:
        raise DatabaseError("store.newer", where=where)
    raise DatabaseError("store.schema", where=where, detail=f"{revision or '-'} → {HEAD}")


def upgrade(store: Store) -> tuple[str | None, str]:
    """Create or migrate all tables; return the revision before and after.

    Safe to call at every start: it costs one look-up when nothing is to do. Runs in one transaction, so a
    crash leaves the version before. Raises ``DatabaseError`` when the database is newer than this program.
    """
    with store.read() as connection:
        before = current(connection)
    if before == HEAD:
        return before, HEAD
    if before is not None and before > HEAD:
        raise DatabaseError("store.newer", where=str(store.path or store.engine.url.host or "postgresql"))

    from alembic import command  # noqa: PLC0415 - 0.4 s, and rarely needed
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    with store.write() as connection:
        config.attributes["connection"] = connection
        config.attributes["version_table"] = _VERSION_TABLE
        command.upgrade(config, "head")
    return before, HEAD
