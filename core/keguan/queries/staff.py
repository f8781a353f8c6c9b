"""The staff as a list: where they work, what they have to do, who is away and who stands in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, func, select

from keguan.masking import mask_name
from keguan.queries.reader import Reader
from keguan.staff.lines import OPEN
from keguan.staff.roster import load_roster
from keguan.store.schema import tasks

__all__ = ["list_staff"]

_t = tasks.c


def list_staff(
    reader: Reader, *, department: str | None = None, left: bool = False, unmask: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield the members of staff by number; those who have left only with ``left``.

    Keys: ``id name department leads open overdue away deputy deputy_id absences left_on``. ``leads`` are the
    departments they are head of; ``away`` is ``{from, until}`` or ``None``; ``deputy`` acts for them today, after
    deputies of deputies; ``absences`` are those of today and later. Names are masked unless ``unmask``.
    """
    today = reader.now.astimezone(reader.zone(None)).date()
    leading = reader.settings.departments
    with reader.store.read() as connection:
        roster = load_roster(connection, leading)
        open_, overdue = _count(connection), _count(connection, _t.due_at < reader.now)
    heads: dict[int, list[str]] = {}
    for name in leading:
        if (head := roster.head(name, today)) is not None:
            heads.setdefault(head.id, []).append(name)

    def shown(name: str | None) -> str | None:
        return name if unmask or name is None else mask_name(name)

    for number, member in roster.members.items():
        if (department is not None and member.department != department) or not (left or member.works(today)):
            continue
        absence = roster.absence(number, today)
        acting = roster.stand_in(number, today)
        deputy = acting if acting is not None and acting.id != number else None
        yield {
            "id": number,
            "name": shown(member.name),
            "department": member.department,
            "leads": heads.get(number, []),
            "open": open_.get(number, 0),
            "overdue": overdue.get(number, 0),
            "away": None if absence is None else {"from": absence.from_on, "until": absence.until_on},
            "deputy": shown(deputy.name) if deputy else None,
            "deputy_id": deputy.id if deputy else None,
            "absences": [
                {"from": one.from_on, "until": one.until_on, "deputy_id": one.deputy_id}
                for one in roster.absences.get(number, ())
                if one.until_on >= today
            ],
            "left_on": member.left_on,
        }


def _count(connection: Connection, *conditions: Any) -> dict[int, int]:
    statement = select(_t.assignee_id, func.count()).where(OPEN, _t.assignee_id.is_not(None), *conditions)
    return {row[0]: row[1] for row in connection.execute(statement.group_by(_t.assignee_id))}
