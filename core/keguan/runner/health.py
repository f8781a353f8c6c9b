"""Signs of life that something outside can read: a small file, and systemd's watchdog."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from keguan.runner.horizon import look_ahead

__all__ = ["HEALTH_FILE", "Health", "measure", "notify_systemd", "read_health", "write_health"]

HEALTH_FILE = Path("var/health.json")
"""Relative to the folder that holds ``config/``."""


@dataclass(frozen=True, slots=True)
class Health:
    """How the daemon was at one beat of its heart."""

    at: datetime
    """Aware; a file that is older than a few beats means that the daemon does not live or cannot write."""
    pid: int
    lag_seconds: float
    """How long the oldest plan or message that is due has been waiting; 0 when nothing waits."""
    reload_error: str | None = None
    """Why the present configuration file was not taken over."""

    def problem(self, now: datetime, oldest: timedelta, slowest: timedelta) -> str | None:
        """Return the catalogue key of what is wrong: ``health.stale``, ``health.lagging``; ``None``: all is well."""
        if now - self.at > oldest:
            return "health.stale"
        return "health.lagging" if self.lag_seconds > slowest.total_seconds() else None


def measure(connection: Connection, now: datetime, reload_error: str | None) -> Health:
    """Return how things stand: one look at the first entries of the indexes of what is due."""
    ahead = look_ahead(connection)
    waiting = [at for at in (ahead.plan, ahead.message) if at is not None and at < now]
    lag = (now - min(waiting)).total_seconds() if waiting else 0.0
    return Health(now, os.getpid(), round(lag, 1), reload_error)


def write_health(file: Path, health: Health) -> None:
    """Put ``health`` into ``file`` in one step, so that nobody reads half of it; a full disk is no reason to stop."""
    document = {**asdict(health), "at": health.at.isoformat(timespec="seconds")}
    fresh = file.with_name(file.name + ".new")
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")
        fresh.replace(file)


def read_health(file: Path) -> Health | None:
    """Return what the daemon wrote last, ``None`` when there is nothing that can be read."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        return Health(**{**document, "at": datetime.fromisoformat(document["at"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def notify_systemd(state: str, address: str | None = None) -> None:
    """Tell systemd ``state`` (``READY=1``, ``WATCHDOG=1``, ``STOPPING=1``); without systemd do nothing.

    ``address`` is the socket, ``$NOTIFY_SOCKET`` unless given; see sd_notify(3).
    """
    where = os.environ.get("NOTIFY_SOCKET") if address is None else address
    if not where:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bus:
        bus.connect("\0" + where[1:] if where.startswith("@") else where)
        bus.send(state.encode())
