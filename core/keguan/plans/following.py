"""What follows on a task that was done: the actions that say ``after``, planned from the tasks themselves.

Whoever closes a task (a command, a workbook, a rehearsal) knows no plugins and so cannot say what follows. It need
not: a task that is done and not marked as followed is the note that something is left to do, and it is written in
the transaction that closes the task. Whoever runs plans looks for such tasks, and writes the plans and the mark in
one transaction. A process that dies in between leaves either both or the note; nothing is lost, nothing comes twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Connection, and_, bindparam, exists, func, insert, select, text, update

from keguan.model import Action
from keguan.store.listed import listed
from keguan.store.schema import plans, tasks

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["AFTER", "WAITING", "plan_followups", "retry_followups"]

AFTER = "after"
"""The kind of such plans. No event wants them, so what plugins answer never takes them back."""
_p, _t = plans.c, tasks.c
WAITING = text("tasks.status = 'done' AND NOT tasks.followed")
"""The tasks whose follow-ups are not planned yet. Written out as in ``ix_tasks_follow``: put another way, SQLite does
not see that the index has the same condition, and reads every task there ever was."""

_SOMETHING = select(_t.id).where(WAITING, _t.plugin.in_(bindparam("plugins", expanding=True))).limit(1)
_FOLLOWED = update(tasks).where(listed(_t.id)).values(followed=True)
_KEY = (_p.plugin, _p.action, _p.subject_type, _p.subject_id, _p.occurrence)
_LAST_ROUNDS = (
    select(*_KEY, func.max(_p.round))
    .where(_p.subject_type == bindparam("of_type"), listed(_p.subject_id), _p.kind == AFTER)
    .group_by(*_KEY)
)
_Key = tuple[str, str, str, int, int]
"""Plugin, action, subject and occurrence: what the rounds of one promise have in common."""


def plan_followups(installation: Installation, limit: int = 500) -> int:
    """Plan what follows on tasks that were done; return of how many that was found out, 0 when none is left.

    A follow-up is due when the task was closed, however long nobody looked. Each task that is done is followed
    once: a second one of the same promise gets a round of its own. Tasks of plugins that this process has not
    loaded are left to one that has; where the plugin rests in the task's city, the plan is held like its others.
    """
    plugins = installation.plugins.names
    with installation.store.read() as connection:
        if connection.execute(_SOMETHING, {"plugins": list(plugins)}).first() is None:
            return 0
    followers = _followers(installation)
    # Planners take turns: two that count the rounds of one promise at the same time would come to the same number.
    with installation.planning(), installation.store.write() as connection:
        done = _done_tasks(connection, plugins, limit)
        planned = list(_planned(connection, installation, done, followers))
        if planned:
            connection.execute(insert(plans), planned)
        connection.execute(_FOLLOWED, {"numbers": [row.task_id for row in done]})
    if planned:
        structlog.get_logger("keguan.plans").info("followed", tasks=len(done), new=len(planned))
    return len(done)


def retry_followups(connection: Connection, plugin: str | None, since: datetime | None, now: datetime) -> int:
    """Plan follow-ups again that failed, of one plugin or all, planned since ``since`` or ever; return how many.

    Nobody asks a hook for them, so a replay has to look after them itself.
    """
    failed = and_(_p.kind == AFTER, _p.status == "failed")
    if plugin is not None:
        failed = and_(failed, _p.plugin == plugin)
    if since is not None:
        failed = and_(failed, _p.created_at >= since)
    again = update(plans).where(failed).values(status="planned", why=None, attempts=0, lease_until=None, changed_at=now)
    return connection.execute(again).rowcount


def _followers(installation: Installation) -> Mapping[tuple[str, str], Sequence[Action]]:
    """Return by plugin and action what comes after it."""
    found: dict[tuple[str, str], list[Action]] = {}
    for (plugin, _), action in installation.plugins.actions.items():
        if action.after is not None:
            found.setdefault((plugin, action.after), []).append(action)
    return found


def _done_tasks(connection: Connection, plugins: Collection[str], limit: int) -> Sequence[Any]:
    """Return tasks with the plan that each came from, in the order in which they came up; locked.

    ``errand``: it has no form and another of its plan has. What follows on an action reads that form.
    """
    beside = tasks.alias("beside").c
    errand = and_(_t.form.is_(None), exists().where(beside.plan_id == _t.plan_id, beside.form.is_not(None)))
    columns = (_p.plugin, _p.action, _p.subject_type, _p.subject_id, _p.occurrence, _p.event_seq, _p.clause)
    statement = (
        select(_t.id.label("task_id"), _t.closed_at, errand.label("errand"), *columns, _p.project_id, _p.city)
        .join_from(tasks, plans, _p.id == _t.plan_id, isouter=True)
        .where(WAITING, _t.plugin.in_(plugins))
        .order_by(_t.id)
        .limit(limit)
        .with_for_update(of=tasks)
    )
    return connection.execute(statement).all()


def _planned(
    connection: Connection,
    installation: Installation,
    done: Sequence[Any],
    followers: Mapping[tuple[str, str], Sequence[Action]],
) -> Iterator[dict[str, Any]]:
    """Yield the plans that follow on ``done``, as rows."""
    rounds = _rounds(connection, [row for row in done if (row.plugin, row.action) in followers])
    now = installation.clock.now()
    for row in done:
        if row.errand:
            continue
        active = installation.plugins.active(row.plugin, row.city)
        for action in followers.get((row.plugin, row.action), ()):
            key = (row.plugin, action.name, row.subject_type, row.subject_id, row.occurrence)
            rounds[key] = rounds.get(key, -1) + 1
            yield {
                "plugin": row.plugin,
                "action": action.name,
                "subject_type": row.subject_type,
                "subject_id": row.subject_id,
                "occurrence": row.occurrence,
                "round": rounds[key],
                "kind": AFTER,
                "event_seq": row.event_seq,
                "clause": row.clause,
                "project_id": row.project_id,
                "city": row.city,
                "due_at": row.closed_at,
                "run_at": row.closed_at,
                "status": "planned" if active else "held",
                "why": None if active else "plan.plugin_off",
                "by_calendar": False,
                "provisional": False,
                "late_at_creation": False,
                "stale": False,
                "created_at": now,
                "changed_at": now,
            }


def _rounds(connection: Connection, done: Sequence[Any]) -> dict[_Key, int]:
    """Return the last round of every promise to the subjects of ``done``."""
    by_type: dict[str, set[int]] = {}
    for row in done:
        by_type.setdefault(row.subject_type, set()).add(row.subject_id)
    last: dict[_Key, int] = {}
    for kind, ids in by_type.items():
        for *found, number in connection.execute(_LAST_ROUNDS, {"of_type": kind, "numbers": ids}):
            last[tuple(found)] = number
    return last
