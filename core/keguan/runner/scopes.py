"""Make the stored scope of each plugin the wanted one: hold its plans where it is off, give them back where on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection, and_, case, delete, insert, select, update

from keguan.installation import Installation
from keguan.runner.ticks import cities_in_use
from keguan.store.schema import messages, plans, scopes

__all__ = ["ScopeChange", "apply_scopes"]


@dataclass(frozen=True, slots=True)
class ScopeChange:
    """One plugin switched on or off in one city, and how many plans that held or gave back."""

    plugin: str
    city: str
    active: bool
    plans: int


def apply_scopes(installation: Installation) -> list[ScopeChange]:
    """Compare the configured scope with the stored one and hold or release the plans concerned.

    Called at every start and so at every reload. A released plan whose window has passed is ``missed``, not
    sent. A plugin that is off, suspended or no longer installed is active nowhere.
    """
    now = installation.clock.now()
    loaded = installation.plugins
    changes: list[ScopeChange] = []
    with installation.store.write() as connection:
        stored = {
            (row.plugin, row.city): row.active
            for row in connection.execute(select(scopes.c.plugin, scopes.c.city, scopes.c.active))
        }
        cities = cities_in_use(connection, installation)
        wanted = {(plugin, city): loaded.active(plugin, city) for plugin in loaded.names for city in cities}
        for key in stored:
            wanted.setdefault(key, False)
        for (plugin, city), active in sorted(wanted.items()):
            if stored.get((plugin, city)) == active:
                continue
            touched = _switch(connection, plugin, city, active=active, now=now)
            changes.append(ScopeChange(plugin, city, active, touched))
            connection.execute(delete(scopes).where(scopes.c.plugin == plugin, scopes.c.city == city))
            connection.execute(insert(scopes).values(plugin=plugin, city=city, active=active, changed_at=now))
    log = structlog.get_logger("keguan.runner")
    for change in changes:
        log.info("scope", plugin=change.plugin, city=change.city, active=change.active, plans=change.plans)
    return changes


def _switch(connection: Connection, plugin: str, city: str, *, active: bool, now: datetime) -> int:
    """Hold or release all open plans of one plugin in one city, in one statement; return how many.

    Messages that wait in the outbox are held by the gate while the plugin is off; here they are let go of.
    """
    c = plans.c
    mine = and_(c.plugin == plugin, c.city == city)
    if active:
        passed = and_(c.until_at <= now, ~c.stale)
        statement = (
            update(plans)
            .where(mine, c.status == "held")
            .values(
                status=case((passed, "missed"), else_="planned"),
                why=case((passed, "plan.window_passed"), else_=None),
                changed_at=now,
            )
        )
        m = messages.c  # the gate held them
        connection.execute(
            update(messages)
            .where(m.plugin == plugin, m.city == city, m.status == "held", m.why == "plan.plugin_off")
            .values(next_at=now)
        )
    else:
        statement = (
            update(plans)
            .where(mine, c.status == "planned")
            .values(status="held", why="plan.plugin_off", changed_at=now)
        )
    return connection.execute(statement).rowcount
