"""Write reconciled changes in bulk: the hot path of planning."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, update

from keguan.model import Plan, Project, Subject
from keguan.plans.reconcile import Changes, Move, runs_at
from keguan.store.records import in_chunks
from keguan.store.schema import plans
from keguan.store.types import to_stored

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["PlanWriter"]

_COLUMNS = (
    "plugin",
    "action",
    "subject_type",
    "subject_id",
    "occurrence",
    "round",
    "kind",
    "event_seq",
    "clause",
    "project_id",
    "city",
    "due_at",
    "until_at",
    "run_at",
    "recurs",
    "status",
    "by_calendar",
    "provisional",
    "late_at_creation",
    "stale",
    "note",
    "why",
    "created_at",
    "changed_at",
)


class PlanWriter:
    """Collects the changes of many subjects and writes them with a few statements."""

    def __init__(self, installation: Installation, now: datetime) -> None:
        self._installation = installation
        self._now = now
        self._stamp = to_stored(now)
        self._inserts: list[tuple[Any, ...]] = []
        self._moves: list[tuple[str, int, Move]] = []
        self._cancels: list[int] = []
        self._provisional: dict[tuple[str, datetime], bool] = {}

    def add(
        self, plugin: str, subject: Subject, project: Project, event_seq: int, changes: Changes, entered: datetime
    ) -> None:
        """Take over the changes of one plugin for one subject, caused by the event ``event_seq``.

        ``entered`` is when the fact behind it came in: a plan that was due by then is late.
        """
        stamp = self._stamp
        subject_type, subject_id = subject
        city, project_id = project.city, project.id or None  # a branch belongs to none
        for plan, kind, number, status, stale, why in changes.insert:
            self._inserts.append(
                (
                    plugin,
                    plan.action,
                    subject_type,
                    subject_id,
                    plan.occurrence,
                    number,
                    kind,
                    event_seq,
                    plan.clause,
                    project_id,
                    city,
                    to_stored(plan.due),
                    None if plan.until is None else to_stored(plan.until),
                    to_stored(runs_at(plan)),
                    plan.recurs,
                    status,
                    plan.by_calendar,
                    plan.by_calendar and self.provisional(plan, city),
                    plan.due <= entered,
                    stale,
                    plan.note or None,
                    why,
                    stamp,
                    stamp,
                )
            )
        self._moves += [(city, event_seq, move) for move in changes.move]
        self._cancels += changes.cancel

    def flush(self, connection: Connection) -> None:
        """Write everything collected."""
        self._installation.store.insert(connection, plans, _COLUMNS, self._inserts, ignore_repeats=True)
        for city, event_seq, move in self._moves:
            connection.execute(
                update(plans)
                .where(plans.c.id == move.id, plans.c.status != "running")
                .values(self._moved(city, event_seq, move))
            )
        for chunk in in_chunks(self._cancels):
            connection.execute(
                update(plans)
                .where(plans.c.id.in_(chunk), plans.c.status.in_(("planned", "held")))
                .values(status="cancelled", why="plan.not_wanted", changed_at=self._now)
            )

    def _moved(self, city: str, event_seq: int, move: Move) -> dict[str, Any]:
        plan = move.plan
        return {
            "kind": move.kind,
            "event_seq": event_seq,
            "clause": plan.clause,
            "due_at": plan.due,
            "until_at": plan.until,
            "run_at": runs_at(plan),
            "recurs": plan.recurs,
            "status": move.status,
            "by_calendar": plan.by_calendar,
            "provisional": self.provisional(plan, city),
            "late_at_creation": move.late,
            "stale": move.stale,
            "note": plan.note or None,
            "why": move.why,
            "attempts": 0,
            "changed_at": self._now,
        }

    def provisional(self, plan: Plan, city: str) -> bool:
        """Whether the due time was counted through days that are not announced yet."""
        if not plan.by_calendar:
            return False
        known = self._provisional.get((city, plan.due))
        if known is None:
            day = self._installation.city(city).today(plan.due)
            known = self._provisional[city, plan.due] = self._installation.calendar(city).is_provisional(day)
        return known
