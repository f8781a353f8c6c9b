"""Staff who do every task as soon as it comes up, and say of which that cannot be done."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import bindparam, select

from keguan.authoring.paperwork import Paperwork
from keguan.errors import KeguanError
from keguan.installation import Installation
from keguan.store.schema import tasks
from keguan.tasks.desk import skip

__all__ = ["DiligentStaff"]

_t = tasks.c
_NEWER = select(_t.id, _t.plugin, _t.action, _t.department).where(_t.id > bindparam("newest")).order_by(_t.id)


class DiligentStaff:
    """Does the tasks of one installation; what cannot be done is left, and remembered."""

    def __init__(self, installation: Installation, folder: Path) -> None:
        self._installation = installation
        self._paperwork = Paperwork(installation, folder)
        self._newest = 0
        self.stuck: dict[tuple[str, str], KeguanError] = {}
        """Why the tasks of an action (by plugin and name) cannot be done."""
        self.departments: dict[str, tuple[str, str]] = {}
        """The departments that have tasks, with the first action that gave them one."""

    def work(self, now: datetime) -> bool:
        """Do everything that came up; return whether anything did."""
        with self._installation.store.read() as connection:
            rows = connection.execute(_NEWER, {"newest": self._newest}).all()
        for row in rows:
            self._newest = row.id
            action = (row.plugin, row.action)
            self.departments.setdefault(row.department, action)
            if action not in self.stuck:
                try:
                    self._paperwork.finish(row.id, by=row.department)
                    continue
                except KeguanError as error:
                    self.stuck[action] = error
            skip(self._installation.store, [row.id], reason="–", now=now, by=row.department)
        return bool(rows)
