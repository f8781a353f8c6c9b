"""What people do with the city's tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from keguan.authoring.paperwork import Paperwork
from keguan.intake.cells import Cell
from keguan.model import Subject
from keguan.store.schema import plans, tasks
from keguan.tasks.desk import skip
from keguan.testing.happenings import Happenings, Sale

__all__ = ["Desk"]

_t = tasks.c


class Desk(Happenings):
    """Finds tasks by what they are about, and closes them."""

    def finish(
        self,
        action: str,
        about: Sale | Subject,
        *,
        occurrence: int | None = None,
        lines: Sequence[Mapping[str, Cell]] = (),
        **answers: Cell,
    ) -> None:
        """Do the open task of ``action``: fill in its form with ``answers`` and ``lines``, attach evidence, close it.

        What its form requires and nobody says is made up, pleasantly; so is the evidence. ``lines`` name the line
        that they are about by the table's key. Raises ``Refusals`` where something cannot be given.
        """
        paperwork = Paperwork(self.installation, self.folder / "evidence")
        paperwork.finish(self._task(action, about, occurrence), answers, lines)

    def leave(self, action: str, about: Sale | Subject, reason: str, *, occurrence: int | None = None) -> None:
        """Close the open task of ``action`` as one that need not be done, for a ``reason``."""
        skip(self.store, [self._task(action, about, occurrence)], reason=reason, now=self.clock.now(), by="author")

    def subjects(self, about: Sale | Subject) -> list[Subject]:
        """Return what promises to ``about`` hang on: of a sale the contract, the home, and the buyers."""
        if isinstance(about, Sale):
            return [about.contract, about.home, *self.buyers(about)]
        return [about]

    def _task(self, action: str, about: Sale | Subject, occurrence: int | None) -> int:
        """Return the number of the oldest open task of ``action``."""
        subjects = set(self.subjects(about))
        statement = (
            select(_t.id, _t.action, _t.subject_type, _t.subject_id, plans.c.occurrence)
            .join_from(tasks, plans, plans.c.id == _t.plan_id)
            .where(_t.status == "open")
            .order_by(_t.id)
        )
        with self.store.read() as connection:
            rows = connection.execute(statement).all()
        mine = [row for row in rows if (row.subject_type, row.subject_id) in subjects]
        found = [row.id for row in mine if row.action == action and occurrence in (None, row.occurrence)]
        there = ", ".join(sorted({row.action for row in mine})) or "nothing"
        assert found, f"there is no open task {action}; open is: {there}"
        return int(found[0])
