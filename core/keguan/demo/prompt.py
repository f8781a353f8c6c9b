"""Staff who do every task the day before its deadline, so that what follows on tasks or waits for them happens."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, bindparam, case, false, literal, select, tuple_, update

from keguan.demo.papers import invented_answers
from keguan.store.schema import tasks
from keguan.store.types import Instant
from keguan.tasks.papers import fill_paper
from keguan.texts import text

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["PromptStaff"]

_AHEAD = timedelta(days=1)
_t = tasks.c


class PromptStaff:
    """Closes tasks once a day, all in one statement; fills in only the forms that another action will look at.

    Evidence and the log of tasks are left out: nobody will ask for them.
    """

    def __init__(self, installation: Installation, seed: int = 1) -> None:
        self._installation = installation
        self._seed = seed
        self._worked_on: date | None = None
        actions = installation.plugins.actions
        followed = {(plugin, action.after) for (plugin, _), action in actions.items() if action.after is not None}
        read = {(plugin, name) for (plugin, _), action in actions.items() for name in action.reads}
        # Built once, for they are asked every day of the years.
        due = and_(_t.status == "open", _t.due_at <= bindparam("by", type_=Instant()))
        looked_at = and_(due, _t.form.is_not(None), _one_of(followed | read))
        self._papers = select(_t.id, _t.key, _t.form, _t.city, _t.department).where(looked_at)
        self._done = (
            update(tasks)
            .where(due)
            .values(
                status="done",
                closed_at=bindparam("now", type_=Instant()),
                closed_by=_t.department,
                followed=case((_one_of(followed), literal(value=False)), else_=literal(value=True)),
            )
        )

    def work(self, now: datetime) -> bool:
        """Do what is due by tomorrow, at the first call of each day; return whether there was anything."""
        if self._worked_on == now.date():
            return False
        self._worked_on = now.date()
        by = now + _AHEAD
        with self._installation.store.read() as connection:
            papers = connection.execute(self._papers, {"by": by}).all()
        for row in papers:
            self._fill_in(row, now)
        with self._installation.store.write() as connection:
            return connection.execute(self._done, {"by": by, "now": now}).rowcount > 0

    def _fill_in(self, row: Any, now: datetime) -> None:
        forms, today = self._installation.plugins.forms, self._installation.city(row.city).today(now)
        if row.form not in forms:
            return
        random = Random(f"{self._seed}/{row.key}/form")  # noqa: S311 - an invented city wants the same dice every time
        language = self._installation.language
        fill_paper(
            self._installation.store,
            forms,
            row.id,
            now=now,
            today=today,
            by=row.department,
            language=language,
            answers=invented_answers(forms[row.form], random, today, text(language, "demo.staff.said")),
        )


def _one_of(actions: Collection[tuple[str, str]]) -> ColumnElement[bool]:
    """Return the condition that a task is that of one of ``actions``: plugin and name."""
    return tuple_(_t.plugin, _t.action).in_(sorted(actions)) if actions else false()
