"""Make the stored scope of each plugin the wanted one: hold its plans where it is off, give them back where on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row, and_, case, delete, exists, insert, or_, select, update

from keguan.installation import Installation
from keguan.model import Subject
from keguan.plans.pinning import note_configured
from keguan.plans.planner import replan
from keguan.runner.ticks import cities_in_use
from keguan.store.schema import contracts, events, messages, plans, scopes, turns

__all__ = ["ScopeChange", "apply_scopes"]

_MARGIN = timedelta(days=1)
"""What came in so long before the switch may have waited until after it."""


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
    sent. Before, the plugin is asked again about what changed while it was off. A plugin that is off, suspended or
    no longer installed is active nowhere.
    """
    now = installation.clock.now()
    changes: list[ScopeChange] = []
    note_configured(installation)
    _catch_up(installation)
    with installation.store.write() as connection:
        stored = _stored(connection)
        wanted = _wanted(installation, connection, stored)
        for (plugin, city), active in sorted(wanted.items()):
            if (plugin, city) in stored and stored[plugin, city].active == active:
                continue
            touched = _switch(connection, plugin, city, active=active, now=now)
            changes.append(ScopeChange(plugin, city, active, touched))
            connection.execute(delete(scopes).where(scopes.c.plugin == plugin, scopes.c.city == city))
            connection.execute(insert(scopes).values(plugin=plugin, city=city, active=active, changed_at=now))
    log = structlog.get_logger("keguan.runner")
    for change in changes:
        log.info("scope", plugin=change.plugin, city=change.city, active=change.active, plans=change.plans)
    return changes


def _stored(connection: Connection) -> dict[tuple[str, str], Row[Any]]:
    return {(row.plugin, row.city): row for row in connection.execute(select(scopes))}


def _wanted(
    installation: Installation, connection: Connection, stored: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], bool]:
    """Return where each plugin is on now: in every city in use, and wherever it was stored."""
    loaded = installation.plugins
    cities = cities_in_use(connection, installation)
    wanted = {(plugin, city): loaded.active(plugin, city) for plugin in loaded.names for city in cities}
    for key in stored:
        wanted.setdefault(key, loaded.active(*key))
    return wanted


def _catch_up(installation: Installation) -> None:
    """Ask plugins that are on again about held plans whose records changed while they were off.

    Before anything is given back: a contract that was cancelled meanwhile must not get its messages.
    """
    with installation.store.read() as connection:
        stored = _stored(connection)
        wanted = _wanted(installation, connection, stored)
        on_again = [row for key, row in stored.items() if wanted[key] and not row.active]
        subjects = {(row.plugin, row.city): _changed_since(connection, row) for row in on_again}
    for (plugin, _), changed in subjects.items():
        replan(installation, changed, only=(plugin,))


def _changed_since(connection: Connection, scope: Row[Any]) -> list[Subject]:
    """Return the subjects of a plugin's held plans about which, or about whose home, something came in.

    When a year began meanwhile, those of recurring plans too: nobody asked the plugin about the new year.
    """
    p, e, c, t = plans.c, events.c, contracts.c, turns.c
    since = scope.changed_at - _MARGIN
    held = and_(p.plugin == scope.plugin, p.city == scope.city, p.status == "held")
    own = exists().where(e.subject_type == p.subject_type, e.subject_id == p.subject_id, e.received_at >= since)
    of_home = exists().where(
        p.subject_type == "contract",
        c.id == p.subject_id,
        e.subject_type == "home",
        e.subject_id == c.home_id,
        e.received_at >= since,
    )
    recurring = and_(p.recurs, exists().where(t.city == scope.city, t.at >= scope.changed_at))
    changed = or_(own, of_home, recurring)
    found = connection.execute(select(p.subject_type, p.subject_id).where(held, changed).distinct())
    return [Subject(*row) for row in found]


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
