"""A department at work on a virtual clock: who is told what, and when."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select
from tests.support.estate import SHANGHAI, Estate

from keguan.queries.reader import Filters, Reader
from keguan.queries.tasks import list_tasks
from keguan.staff.absences import away
from keguan.staff.roster import Roster, load_roster
from keguan.store.engine import Store
from keguan.store.schema import messages, people, staff, task_log, tasks
from keguan.testing import CITY, SampleCity

__all__ = ["DEPARTMENT", "Note", "Office", "when"]

DEPARTMENT = "客关"
_DEPARTMENT = """
[departments."客关"]
head = "李四"
manager = "王五"
email = "kefu@example.com"
"""


def when(text: str) -> datetime:
    """Return the instant that clocks in Shenzhen show as ``2026-03-02 09:30``."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


class Note(NamedTuple):
    """A message to staff."""

    key: str
    to: str
    """The member's name, or the department's."""
    at: str
    """When it was written, on the clocks of the city."""
    text: str


class Office:
    """张三 works for 李四, who reports to 王五; tasks are put straight into the table."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        start: datetime | str,
        *,
        config: str = "",
        department: str = _DEPARTMENT,
        people: bool = True,
    ) -> None:
        begin = when(start) if isinstance(start, str) else start
        self.store = store
        self.city = SampleCity(folder, store, {}, config=config + department, start=begin)
        self.estate = Estate(store, begin)
        self.project = self.estate.project()
        self.zhang = self.zhou = self.li = self.wang = 0
        if people:
            self.zhang = self.hire("张三")
            self.zhou = self.hire("周六")
            self.li = self.hire("李四")
            self.wang = self.hire("王五", "总部")

    # --- People and tasks ----------------------------------------------------------------------------------------

    def hire(self, name: str, department: str = DEPARTMENT, *, left_on: date | None = None, mail: bool = True) -> int:
        """A member of staff with an e-mail address."""
        number = len(self.estate.rows(staff)) + 1
        return self.estate.employee(
            name, department, left_on=left_on, email=f"staff{number}@example.com" if mail else None
        )

    def task(self, due: str, to: int | None = None, title: str = "回访", **values: Any) -> int:
        """A task that came up now and is due at a time on the clocks of the city."""
        row: dict[str, Any] = {"project_id": self.project, "created_at": self.city.clock.now(), "city": CITY} | values
        return self.estate.task(title, due=when(due), assignee_id=to, **row)

    def away(self, who: int, deputy: int, first: str, last: str) -> None:
        """Somebody is away from the first to the last day."""
        away(
            self.store,
            str(who),
            str(deputy),
            from_on=date.fromisoformat(first),
            until_on=date.fromisoformat(last),
            today=self.city.today,
            now=self.city.clock.now(),
            by="li",
            leading=self.city.installation.settings.departments,
        )

    # --- Time ------------------------------------------------------------------------------------------------------

    def until(self, text: str) -> None:
        """Live through the time until then."""
        self.city.run_until(when(text))

    # --- What became of it -------------------------------------------------------------------------------------------

    @property
    def reader(self) -> Reader:
        """What lists read with, now."""
        return Reader(self.store, self.city.installation.settings, self.city.clock.now(), "en")

    @property
    def roster(self) -> Roster:
        """Who is there."""
        with self.store.read() as connection:
            return load_roster(connection, self.city.installation.settings.departments)

    def notes(self, action: str | None = None) -> list[Note]:
        """Return the messages to staff in the order in which they were written."""
        m = messages.c
        statement = (
            select(m.key, m.action, people.c.name, m.department, m.created_at, m.title, m.body)
            .select_from(messages)
            .outerjoin(people, people.c.id == m.person_id)
            .where(m.plugin == "keguan")
            .order_by(m.created_at, m.id)
        )
        with self.store.read() as connection:
            rows = connection.execute(statement).all()
        return [
            Note(
                row.key,
                row.name or row.department,
                f"{row.created_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
                f"{row.title}\n{row.body}",
            )
            for row in rows
            if action in (None, row.action)
        ]

    def told(self, action: str) -> list[tuple[str, str]]:
        """Return who was told something, and when."""
        return [(note.to, note.at) for note in self.notes(action)]

    def log(self, task: int) -> list[Any]:
        """Return what was done with a task."""
        return self.estate.rows(task_log, task_id=task)

    def row(self, task: int) -> Any:
        """Return the task as it stands."""
        return self.estate.one(tasks, task)

    def listed(self, **conditions: Any) -> list[int]:
        """Return the open tasks that the list with these conditions names."""
        return [row["id"] for row in list_tasks(self.reader, Filters(statuses=("open",)), **conditions)]
