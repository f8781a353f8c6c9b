"""Call the hooks again for what happened: after a fix in a plugin, or to see that asking again changes nothing."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from keguan.plans.following import retry_followups
from keguan.plans.planner import Planned, replan, replay_ticks
from keguan.plans.recall import subjects_since

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["replay"]


def replay(installation: Installation, *, plugin: str | None = None, since: datetime | None = None) -> Planned:
    """Ask ``plugin`` (``None``: all) again about everything that came in since ``since`` (``None``: ever).

    What runs or is done is never touched; plans that failed are planned again.
    """
    only = None if plugin is None else (plugin,)
    with installation.store.read() as connection:
        subjects, ticks = subjects_since(connection, since)
    planned = replan(installation, subjects, only=only, reopen=True)
    again = replay_ticks(installation, ticks, only=only)
    planned.merge(again)
    planned.events += len(ticks)
    with installation.store.write() as connection:
        planned.moved += retry_followups(connection, plugin, since, installation.clock.now())
    return planned
