"""Overdue tasks climb: told to the person, then the head, then the manager; each step once, in working time only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, bindparam, func, insert, select, update

from keguan.outbox.templates import CORE
from keguan.settings.staff import LadderStep, StaffChannel
from keguan.staff.hours import step_at, work_begins
from keguan.staff.lines import OPEN, Line, task_lines
from keguan.staff.post import Letter, post, reached_by
from keguan.staff.roster import Member, Roster
from keguan.store.schema import task_log, tasks

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["climb", "next_climb"]

_t = tasks.c
_BATCH = 300
"""Tasks that climb in one transaction."""
_BATCHES = 10
"""Transactions of one pass."""
# Built once; an index answers it.
_WAITING = (
    select(_t.id, _t.due_at)
    .where(OPEN, _t.city == bindparam("city"), _t.escalated == bindparam("step"))
    .order_by(_t.due_at)
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class _Climb:
    """One task that climbs one step now."""

    task: Any
    step: int
    """Its place in the ladder, from 0 on."""
    to: Member | str | None
    """Who is told: a member of staff, a department, or nobody, because nobody is known."""


def next_climb(
    installation: Installation, connection: Connection, cities: Iterable[str], now: datetime
) -> datetime | None:
    """Return when the next task climbs a step (UTC): ``now`` or later; ``None`` when no open task can."""
    ladder, keys = installation.settings.staff.ladder, list(cities)
    if not (ladder and keys):
        return None
    named = {f"city_{place}": key for place, key in enumerate(keys)}
    first = iter(connection.execute(_first_waiting(len(keys), len(ladder)), named).one())
    instants = []
    for key in keys:
        calendar = installation.calendar(key)
        for step in ladder:
            due_at = next(first)
            if due_at is not None:
                instants.append(work_begins(calendar, max(step_at(calendar, step.after, due_at), now)))
    return min(instants, default=None)


@cache
def _first_waiting(cities: int, steps: int) -> Select[Any]:
    """Return what asks for the earliest deadline of each city and step at once: building it costs more than asking."""
    return select(
        *(
            select(func.min(_t.due_at))
            .where(OPEN, _t.city == bindparam(f"city_{city}"), _t.escalated == step)
            .scalar_subquery()
            for city in range(cities)
            for step in range(steps)
        )
    )


def climb(installation: Installation, cities: Sequence[str], roster: Roster, now: datetime) -> int:
    """Let tasks climb the steps whose time has come; return how many steps were climbed.

    Cities where nobody works at ``now`` wait. What one recipient is told at one moment is one message. After some
    batches it returns, so that nobody waits long for a planner that makes up for weeks: call it until it is 0.
    """
    at_work = [city for city in cities if work_begins(installation.calendar(city), now) <= now]
    total = 0
    for _ in range(_BATCHES if at_work else 0):
        with installation.store.write() as connection:
            climbs = _due(installation, connection, at_work, roster, now)
            _tell(installation, connection, climbs, roster, now)
        total += len(climbs)
        if not climbs:
            break
    return total


def _due(
    installation: Installation, connection: Connection, cities: Sequence[str], roster: Roster, now: datetime
) -> list[_Climb]:
    """Return what climbs now, at most a batch, the tasks locked; each with all the steps whose time has come."""
    ladder = installation.settings.staff.ladder
    ids: list[int] = []
    for city in cities:
        calendar = installation.calendar(city)
        for number, step in enumerate(ladder):
            most = _BATCH - len(ids)
            for row in connection.execute(_WAITING, {"city": city, "step": number, "most": most}):
                if step_at(calendar, step.after, row.due_at) > now:
                    break  # a later deadline never climbs earlier
                ids.append(row.id)
    if not ids:
        return []
    climbs = []
    locked = task_lines().where(_t.id.in_(ids), OPEN).with_for_update(of=tasks, skip_locked=True)
    for task in connection.execute(locked).all():
        calendar = installation.calendar(task.city)
        for number in range(task.escalated, len(ladder)):
            if step_at(calendar, ladder[number].after, task.due_at) > now:
                break
            climbs.append(_Climb(task, number, _recipient(installation, ladder[number], task, roster, now)))
    return climbs


def _recipient(
    installation: Installation, step: LadderStep, task: Any, roster: Roster, now: datetime
) -> Member | str | None:
    """Return whom a step is told to: the next higher one who is known, in the end the department itself.

    Whoever is away has a deputy. Tasks of nobody in particular begin with the head.
    """
    day = installation.city(task.city).today(now)
    chosen: Member | None = None
    if step.to == "assignee" and task.assignee_id is not None:
        chosen = roster.stand_in(task.assignee_id, day)
    if step.to == "manager":
        manager = roster.manager(task.department, day)
        chosen = None if manager is None else roster.stand_in(manager.id, day)
    if chosen is None and (head := roster.head(task.department, day)) is not None:
        chosen = roster.stand_in(head.id, day)
    tables = installation.settings.departments
    if chosen is not None and ("email" not in step.channels or reached_by(chosen, "email", tables)):
        return chosen
    return task.department if task.department in tables else chosen


def _tell(
    installation: Installation, connection: Connection, climbs: Sequence[_Climb], roster: Roster, now: datetime
) -> None:
    """Write the messages, one for each recipient and channel, and record each step with its message."""
    keys = _write_letters(installation, connection, climbs, roster, now)
    climbed = {each.task.id: each.step + 1 for each in climbs}  # the highest counts: they stand in order
    for steps in set(climbed.values()):
        ids = [task for task, reached in climbed.items() if reached == steps]
        connection.execute(update(tasks).where(_t.id.in_(ids)).values(escalated=steps))
    if climbs:
        connection.execute(insert(task_log), [_entry(installation, each, keys, now) for each in climbs])


def _write_letters(
    installation: Installation, connection: Connection, climbs: Sequence[_Climb], roster: Roster, now: datetime
) -> dict[tuple[int, int], list[str]]:
    """Return the keys of the messages that tell of each task's step."""
    settings = installation.settings
    bundles: dict[tuple[Member | str, StaffChannel], list[_Climb]] = defaultdict(list)
    for each in climbs:
        for channel in settings.staff.ladder[each.step].channels:
            # A robot belongs to a department, whoever is meant there.
            to = each.task.department if channel == "chat" else each.to
            if to is not None and reached_by(to, channel, settings.departments):
                bundles[to, channel].append(each)
    keys: dict[tuple[int, int], list[str]] = defaultdict(list)
    for (to, channel), bundle in bundles.items():
        first = bundle[0]
        key = f"escalation/{first.task.id}/{first.step + 1}" + ("" if channel == "email" else f"/{channel}")
        lines = {each.task.id: _line(installation, each.task, to, roster, now) for each in bundle}
        values = {"name": to.name or "" if isinstance(to, Member) else to, "tasks": tuple(lines.values())}
        letter = Letter(key, "escalation", "escalation", values, to, channel, first.task.city, now)
        post(installation, connection, letter, now)
        for each in bundle:
            keys[each.task.id, each.step].append(key)
    return keys


def _line(installation: Installation, task: Any, to: Member | str, roster: Roster, now: datetime) -> Line:
    city = installation.city(task.city)
    local = task.due_at.astimezone(city.zone)
    late = (city.today(now) - local.date()).days
    line = Line(task.id, task.title, task.project, task.department, local, late)
    acting = roster.stand_in(task.assignee_id, city.today(now)) if task.assignee_id is not None else None
    if isinstance(to, Member) and acting is to:
        return line
    return line.for_others(roster.members[task.assignee_id].name if task.assignee_id in roster.members else None)


def _entry(
    installation: Installation, each: _Climb, keys: dict[tuple[int, int], list[str]], now: datetime
) -> dict[str, object]:
    step = installation.settings.staff.ladder[each.step]
    to = each.to
    detail = {
        "step": each.step + 1,
        "after": str(step.after),
        "to": step.to,
        "staff": to.id if isinstance(to, Member) else None,
        "department": to if isinstance(to, str) else None,
        "messages": keys.get((each.task.id, each.step), []),
    }
    return {"task_id": each.task.id, "at": now, "who": CORE, "what": "escalated", "detail": detail}
