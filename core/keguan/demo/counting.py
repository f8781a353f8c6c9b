"""Counts what a simulation left in its tables."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Table, and_, func, or_, select, type_coerce

from keguan.demo.load import Load
from keguan.store.listed import among
from keguan.store.schema import messages, plans, projects, tasks
from keguan.store.types import from_stored

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["count_load"]

_QUARTER = 900_000_000  # microseconds: no time zone's offset is finer than a quarter of an hour
_m, _t, _p = messages.c, tasks.c, plans.c


def count_load(installation: Installation, names: Collection[str], *, company: bool) -> Load:
    """Add up what is there of the projects called ``names``: by quarters of an hour there, by cities' own days here.

    With ``company``, what belongs to no project counts as well.
    """
    load = Load()
    actions = installation.plugins.actions
    load.labels = {key: action.label for key, action in actions.items() if action.label}
    with installation.store.read() as connection:
        known = connection.execute(select(projects.c.id, projects.c.name))
        ids = [row.id for row in known if row.name in names]

        def mine(table: Table) -> ColumnElement[bool]:
            own = among(table.c.project_id, ids)
            return or_(own, table.c.project_id.is_(None)) if company else own

        _count_messages(installation, connection, load, mine(messages))
        _count_tasks(installation, connection, load, mine(tasks))
        by_status = select(_p.status, func.count()).where(mine(plans)).group_by(_p.status)
        load.plans.update({row[0]: row[1] for row in connection.execute(by_status)})
    return load


def _count_messages(installation: Installation, connection: Connection, load: Load, mine: ColumnElement[bool]) -> None:
    sent = _quarter(_m.sent_at)
    left = and_(_m.sent_at.is_not(None), mine)
    counts = func.count(), func.sum(_m.segments)
    columns = _m.plugin, _m.action, _m.city, _m.channel, sent
    for plugin, action, city, channel, quarter, number, segments in connection.execute(
        select(*columns, *counts).where(left).group_by(*columns)
    ):
        day = _day(installation, city, quarter)
        load.messages[day, channel] += number
        load.segments[day] += segments or 0
        load.messages_of[plugin, action] += number


def _count_tasks(installation: Installation, connection: Connection, load: Load, mine: ColumnElement[bool]) -> None:
    columns = _t.plugin, _t.action, _t.city, _t.department, _t.status, _quarter(_t.due_at)
    for plugin, action, city, department, status, quarter, number in connection.execute(
        select(*columns, func.count()).where(mine, _t.status != "cancelled").group_by(*columns)
    ):
        load.tasks[_day(installation, city, quarter), department] += number
        load.tasks_of[plugin, action] += number
        if status == "open":
            load.open[department] += number


def _quarter(column: ColumnElement[Any]) -> ColumnElement[int]:
    """Return which quarter of an hour since 1970 an instant falls in."""
    return type_coerce(column, BigInteger) // _QUARTER


def _day(installation: Installation, city: str, quarter: int) -> date:
    return installation.city(city).today(from_stored(quarter * _QUARTER))
