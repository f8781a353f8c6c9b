"""Whoever leaves hands over: open tasks go to the deputy who is named, else to nobody in particular."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, insert, select, update

from keguan.outbox.templates import CORE
from keguan.staff.lines import OPEN, Line, task_lines
from keguan.staff.post import Letter, post, reached_by
from keguan.staff.roster import Member, Roster
from keguan.store.schema import staff, task_log, tasks

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["hand_over", "waiting_for_hand_over"]

_t = tasks.c
_LEFT = (  # built once: it is asked at every look
    select(_t.assignee_id)
    .where(
        OPEN,
        _t.assignee_id.is_not(None),
        _t.assignee_id.in_(select(staff.c.id).where(staff.c.left_on <= bindparam("today"))),
    )
    .distinct()
)
_BATCH = 300
"""Tasks that one transaction hands over, and one message tells of."""


def waiting_for_hand_over(connection: Connection, today: date) -> list[int]:
    """Return the members of staff who have left by ``today`` and still have open tasks."""
    return sorted(connection.execute(_LEFT, {"today": today}).scalars())


def hand_over(installation: Installation, leaving: Iterable[int], roster: Roster, now: datetime) -> int:
    """Hand over every open task of these members; return how many there were. The head gets a message."""
    total = 0
    for number in leaving:
        while True:
            with installation.store.write() as connection:
                count = _hand_over_some(installation, connection, roster.members[number], roster, now)
            total += count
            if count < _BATCH:
                break
    return total


def _hand_over_some(
    installation: Installation, connection: Connection, member: Member, roster: Roster, now: datetime
) -> int:
    mine = task_lines().where(OPEN, _t.assignee_id == member.id).limit(_BATCH)
    rows = connection.execute(mine.with_for_update(of=tasks)).all()
    if not rows:
        return 0
    day = installation.city(rows[0].city).today(now)
    deputy = _named_deputy(roster, member, day)
    to = deputy.id if deputy else None
    connection.execute(update(tasks).where(_t.id.in_([row.id for row in rows])).values(assignee_id=to))
    detail = {"from": member.id, "to": to}
    connection.execute(
        insert(task_log),
        [{"task_id": row.id, "at": now, "who": CORE, "what": "handed_over", "detail": detail} for row in rows],
    )
    _tell_head(installation, connection, member, deputy, rows, roster, now)
    return len(rows)


def _named_deputy(roster: Roster, member: Member, day: date) -> Member | None:
    """Return the deputy who was named for the day somebody left, or for today, if that deputy works here."""
    for when in (day, member.left_on or day):
        absence = roster.absence(member.id, when)
        if absence is not None and (deputy := roster.members.get(absence.deputy_id)) and deputy.works(day):
            return deputy
    return None


def _tell_head(
    installation: Installation,
    connection: Connection,
    member: Member,
    deputy: Member | None,
    rows: Sequence[Any],
    roster: Roster,
    now: datetime,
) -> None:
    """Write one message to the head of the member's department, else to the department itself."""
    tables = installation.settings.departments
    city = installation.city(rows[0].city)
    day = city.today(now)
    head = roster.head(member.department, day)
    acting = None if head is None else roster.stand_in(head.id, day)
    to = acting if acting is not None and reached_by(acting, "email", tables) else member.department
    if not reached_by(to, "email", tables):
        return
    lines = [
        Line(row.id, row.title, row.project, row.department, row.due_at.astimezone(installation.city(row.city).zone))
        for row in rows
    ]
    values = {
        "name": to.name or "" if isinstance(to, Member) else to,
        "staff": member.id,
        "deputy": deputy.id if deputy else 0,
        "tasks": tuple(line.for_others(None) for line in lines),
    }
    key = f"handed_over/{member.id}/{rows[0].id}"
    post(installation, connection, Letter(key, "handed_over", "handed_over", values, to, "email", city.key, now), now)
