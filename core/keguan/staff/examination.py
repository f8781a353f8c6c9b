"""What ``keguan doctor`` says about staff: nobody whom nobody can reach, no head whom nobody knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from keguan.staff.lines import OPEN
from keguan.staff.roster import load_roster
from keguan.store.schema import tasks

if TYPE_CHECKING:
    from keguan.settings import Settings

__all__ = ["examine_staff"]

_NAMED = 10
"""Numbers that one line lists."""


def examine_staff(
    settings: Settings, connection: Connection, today: date
) -> Iterator[tuple[bool, str, dict[str, object]]]:
    """Yield whether it is well, the key of the sentence and its values; nothing where no department is configured.

    A head who is nobody on file, and staff with open tasks and no e-mail, are told as wrong: work goes on, but
    somebody is not told of it.
    """
    roster = load_roster(connection, settings.departments)
    strange = False
    for name, department in settings.departments.items():
        for role, given, found in (
            ("head", department.head, roster.head(name, today)),
            ("manager", department.manager, roster.manager(name, today)),
        ):
            if given is not None and found is None:
                strange = True
                yield False, "staff.head_unknown", {"department": name, "role": role}
    if settings.departments and not strange:
        yield True, "staff.fine", {"count": len(settings.departments)}
    busy = connection.execute(select(tasks.c.assignee_id).where(OPEN, tasks.c.assignee_id.is_not(None)).distinct())
    silent = sorted(
        number
        for number in busy.scalars()
        if number in roster.members and roster.members[number].works(today) and not roster.members[number].email
    )
    if silent and "email" in settings.staff.digest_channels:
        numbers = ", ".join(map(str, silent[:_NAMED])) + (" …" if len(silent) > _NAMED else "")
        yield False, "staff.no_address", {"count": len(silent), "numbers": numbers}
