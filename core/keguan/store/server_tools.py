"""PostgreSQL's own programs: how they are told where the database is, and what they say when they fail."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from typing import TYPE_CHECKING

from keguan.errors import DatabaseError

if TYPE_CHECKING:
    from keguan.store.engine import Store

__all__ = ["run_plain", "run_tool"]


def run_tool(store: Store, command: Sequence[str]) -> str:
    """Run one of PostgreSQL's programs on the database of ``store`` and return what it prints.

    The password goes by environment, so that ``ps`` shows none. Raises ``DatabaseError``.
    """
    url = store.engine.url
    where = url.set(drivername="postgresql", password=None).render_as_string()
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    return run_plain([*command, f"--dbname={where}"], environment)


def run_plain(command: Sequence[str], environment: dict[str, str] | None = None) -> str:
    """Run one of PostgreSQL's programs as it stands; raises ``DatabaseError`` in one line."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words and names of files
            list(command), env=environment, check=True, capture_output=True, text=True, errors="replace"
        )
    except FileNotFoundError:
        raise DatabaseError("store.no_client", tool=command[0]) from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip().splitlines()
        detail = "; ".join(said[:2]) or f"status {error.returncode}"
        raise DatabaseError("store.tool_failed", tool=command[0], detail=detail) from error
    return done.stdout
