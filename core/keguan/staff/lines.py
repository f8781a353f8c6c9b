"""Tasks as lines of a letter."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, literal_column, select

from keguan.masking import mask_name, mask_text
from keguan.store.schema import projects, tasks

__all__ = ["OPEN", "Line", "Section", "task_lines"]

_t = tasks.c
OPEN = _t.status == literal_column("'open'")
"""Written out: with a parameter SQLite does not see that the indexes of open tasks have the same condition."""
_SHOWN = 100
"""Tasks that one section of a letter names; the rest is counted. Ours: nobody reads more in a morning."""


@dataclass(frozen=True, slots=True)
class Line:
    """One task as a letter names it."""

    id: int
    title: str = field(repr=False)
    project: str | None
    department: str
    due: datetime
    """On the clocks of the task's city."""
    late: int = 0
    """Whole days past the deadline."""
    who: str = field(default="", repr=False)
    """Who should have it done, masked; empty for nobody in particular, and in people's own lines."""

    def for_others(self, who: str | None) -> Line:
        """Return the line as anybody but the one who does the task may read it."""
        masked = mask_name(who) if who else ""
        return Line(self.id, mask_text(self.title), self.project, self.department, self.due, self.late, masked)


@dataclass(slots=True)
class Section:
    """Tasks of one kind, in the order of their deadlines."""

    lines: list[Line] = field(default_factory=list)
    count: int = 0

    def add(self, line: Line) -> None:
        """Take a task in; beyond what anybody reads it is only counted."""
        self.count += 1
        if len(self.lines) < _SHOWN:
            self.lines.append(line)

    @property
    def more(self) -> int:
        """How many tasks are counted and not named."""
        return self.count - len(self.lines)


def task_lines() -> Select[Any]:
    """Return the statement that letters read tasks by, earliest deadline first."""
    return (
        select(
            _t.id,
            _t.title,
            projects.c.name.label("project"),
            _t.city,
            _t.department,
            _t.assignee_id,
            _t.due_at,
            _t.created_at,
            _t.escalated,
        )
        .select_from(tasks)
        .outerjoin(projects, projects.c.id == _t.project_id)
        .order_by(_t.due_at, _t.id)
    )
