"""The invented company's staff: most tasks are done in time, some late, a few not at all."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from keguan.authoring.paperwork import Paperwork
from keguan.demo.papers import invented_answers
from keguan.store.schema import tasks
from keguan.tasks.desk import finish, skip
from keguan.tasks.evidence import KeptFile, keep_evidence
from keguan.texts import text

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["VirtualStaff"]

_IN_TIME, _LATE, _UNREACHABLE = 0.80, 0.91, 0.95
"""Up to here in time, up to here late, up to here closed because nobody could be reached; the rest stays open."""
_EXCELLENT = 0.7
_t = tasks.c
_NEWER = select(_t.id, _t.key, _t.city, _t.created_at, _t.due_at).where(_t.id > bindparam("newest")).order_by(_t.id)


class VirtualStaff:
    """Closes tasks at times drawn once for each. The same database keys and seed, the same work."""

    def __init__(self, installation: Installation, seed: int = 1) -> None:
        self._installation = installation
        self._seed = seed
        self._newest = 0
        self._paperwork = Paperwork(installation, installation.settings.path("var/evidence"))
        self._agenda: list[tuple[datetime, int, str]] = []

    def work(self, now: datetime) -> bool:
        """Look at new tasks and close those whose time has come by ``now``; return whether it had for any."""
        with self._installation.store.read() as connection:
            fresh = connection.execute(_NEWER, {"newest": self._newest}).all()
        for row in fresh:
            self._newest = row.id
            self._take_on(row)
        worked = False
        while self._agenda and self._agenda[0][0] <= now:
            at, task, how = heapq.heappop(self._agenda)
            self._close(task, how, at)
            worked = True
        return worked

    def _take_on(self, row: Any) -> None:
        """Decide when a task will be closed, and how."""
        random = Random(f"{self._seed}/{row.key}")  # noqa: S311 - see above: the same dice every time
        luck = random.random()
        room = max(row.due_at - row.created_at, timedelta(hours=2))
        if luck < _IN_TIME:
            at, how = row.created_at + room * random.uniform(0.1, 0.9), "done"
        elif luck < _LATE:
            at, how = row.due_at + timedelta(days=random.uniform(1, 9)), "done"
        elif luck < _UNREACHABLE:
            at, how = row.created_at + room * 0.95, "skipped"
        else:
            return
        heapq.heappush(self._agenda, (self._office_time(at, row, random), row.id, how))

    def _office_time(self, at: datetime, row: Any, random: Random) -> datetime:
        """Return an instant near ``at`` at which somebody is at work; never before the task was there."""
        city, calendar = self._installation.city(row.city), self._installation.calendar(row.city)
        day = calendar.roll_forward(city.today(at))
        created: datetime = row.created_at
        return max(created, city.at(day, time(random.randint(9, 16), random.randrange(60))))

    def _close(self, task: int, how: str, at: datetime) -> None:
        with self._installation.store.read() as connection:
            row = connection.execute(
                select(_t.status, _t.key, _t.city, _t.department, _t.evidence_required, _t.form).where(_t.id == task)
            ).one()
        if row.status != "open":
            return
        language = self._installation.language
        if how == "skipped":
            reason = text(language, "demo.staff.unreachable")
            skip(self._installation.store, [task], reason=reason, now=at, by=row.department)
            return
        if row.form is not None:
            form, today = self._installation.plugins.forms[row.form], self._installation.city(row.city).today(at)
            random = Random(f"{self._seed}/{row.key}/form")  # noqa: S311 - see above
            answers = invented_answers(form, random, today, text(language, "demo.staff.said"))
            self._paperwork.finish(task, answers, by=row.department, now=at)
            return
        pleased = Random(row.key).random() < _EXCELLENT  # noqa: S311 - see above
        with TemporaryDirectory() as desk:
            finish(
                self._installation.store,
                [task],
                now=at,
                by=row.department,
                result=text(language, "demo.staff.pleased" if pleased else "demo.staff.content"),
                files=self._evidence(Path(desk), task, row.evidence_required),
            )

    def _evidence(self, desk: Path, task: int, required: Sequence[str]) -> list[KeptFile]:
        """Write and keep a page for each piece of evidence that the task requires."""
        kept = []
        for number, name in enumerate(required, start=1):
            page = desk / f"{task}-{number}.txt"
            page.write_text(f"{name} {task}\n", encoding="utf-8")
            kept.append(keep_evidence(self._installation.settings.path("var/evidence"), page))
        return kept
