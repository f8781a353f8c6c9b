"""Make the stored plans the wanted ones: compare, write, and record how each plugin took its events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

import structlog
from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.exc import OperationalError

from keguan.errors import DatabaseError
from keguan.model import Event, Plan, Record, Subject
from keguan.plans.answers import Answers, Asked, DeliveryRow, delivery_row
from keguan.plans.deliveries import record_deliveries
from keguan.plans.following import AFTER
from keguan.plans.reconcile import ActionRule, Changes, StoredPlan, reconcile
from keguan.plans.wants import Wants, hook_for
from keguan.plans.write import PlanWriter
from keguan.plugins import Failure
from keguan.plugins.answers import failure_of
from keguan.store.engine import refusal
from keguan.store.listed import listed
from keguan.store.records import in_chunks, load_records
from keguan.store.schema import events, plans

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["Foreseen", "Planned", "foresee_answers", "store_answers"]

_p = plans.c
_NOT_BY_RECORD = frozenset({AFTER, "tick"})
"""Kinds of plans that no record asks for: what follows finished tasks, and what a business day wanted."""
_STORED = (
    _p.plugin,
    _p.subject_id,
    _p.id,
    _p.action,
    _p.occurrence,
    _p.round,
    _p.kind,
    _p.status,
    _p.due_at,
    _p.until_at,
    _p.run_at,
    _p.recurs,
    _p.clause,
    _p.note,
    _p.by_calendar,
    _p.provisional,
    _p.late_at_creation,
    _p.stale,
    _p.why,
)
"""Plugin and subject, then the fields of ``StoredPlan`` in their order."""
_STORED_OF = select(*_STORED).where(_p.subject_type == bindparam("kind"), listed(_p.subject_id))
_DELIVERED = update(events).where(listed(events.c.seq)).values(state="delivered")


@dataclass(slots=True)
class Planned:
    """What one pass did."""

    events: int = 0
    inserted: int = 0
    moved: int = 0
    cancelled: int = 0
    failures: list[Failure] = field(default_factory=list)

    def add(self, changes: Changes) -> None:
        """Count ``changes``."""
        self.inserted += len(changes.insert)
        self.moved += len(changes.move)
        self.cancelled += len(changes.cancel)

    def merge(self, other: Planned) -> None:
        """Add what another pass did."""
        self.events += other.events
        self.inserted += other.inserted
        self.moved += other.moved
        self.cancelled += other.cancelled
        self.failures += other.failures


def store_answers(
    installation: Installation,
    answers: Answers,
    now: datetime,
    *,
    finished: Sequence[int],
    reopen: bool = False,
) -> Planned:
    """Write plans, deliveries and the end of the events numbered ``finished`` in one transaction.

    With ``reopen``, plans that failed are tried again. What a table refuses fails the plugin that wanted it, for
    that subject only: then each answer is stored by itself, so that nothing can hold up the events behind it.
    """
    try:
        with installation.store.write() as connection:
            storing = _Storing(installation, connection, answers, now, finished, reopen=reopen)
            storing.store(answers.wants)
            storing.finish(answers.deliveries, finished)
    except DatabaseError:
        raise
    except Exception:  # noqa: BLE001 - whose fault it is is found out now
        with installation.store.write() as connection:
            storing = _Storing(installation, connection, answers, now, finished, reopen=reopen)
            refused = storing.store_one_by_one(answers.wants)
            answers.failures += [failure for _, failure in refused]
            storing.finish(_with_refusals(connection, answers.deliveries, refused, now), finished)
    planned = storing.planned
    planned.failures = answers.failures
    log = structlog.get_logger("keguan.plans")
    for message, count in Counter(str(failure) for failure in answers.failures).items():
        log.error("plugin failed", error=message, times=count)
    if planned.inserted or planned.moved or planned.cancelled:
        log.info("planned", new=planned.inserted, moved=planned.moved, cancelled=planned.cancelled)
    return planned


class Foreseen(NamedTuple):
    """One change that storing would make to the plans of a subject."""

    change: Literal["add", "move", "drop"]
    plugin: str
    subject: Subject
    city: str
    action: str
    before: datetime | None
    """When the plan that is moved or dropped is due now (UTC)."""
    due: datetime | None
    """When it would be due."""


def foresee_answers(
    installation: Installation, connection: Connection, answers: Answers, now: datetime
) -> Iterator[Foreseen]:
    """Yield what :func:`store_answers` would change for answers about records. Writes nothing."""
    storing = _Storing(installation, connection, answers, now, (), reopen=False)
    writer = PlanWriter(installation, now)
    for entry in answers.wants:
        plugin, city = entry[2], entry[1].city
        for subject, changes in storing.compare(entry, writer, now):
            old = {plan.id: plan for plan in storing.stored(plugin, subject)}
            for new in changes.insert:
                yield Foreseen("add", plugin, subject, city, new.plan.action, None, new.plan.due)
            for move in changes.move:
                if old[move.id].due != move.plan.due:
                    yield Foreseen("move", plugin, subject, city, move.plan.action, old[move.id].due, move.plan.due)
            for gone in changes.cancel:
                yield Foreseen("drop", plugin, subject, city, old[gone].action, old[gone].due, None)


_Refused = tuple[Subject, Failure]
"""Whom an answer that could not be stored was about (for ticks: the day), and the failure it comes to."""


class _Storing:
    """One transaction that makes the stored plans the wanted ones."""

    def __init__(
        self,
        installation: Installation,
        connection: Connection,
        answers: Answers,
        now: datetime,
        finished: Sequence[int],
        *,
        reopen: bool,
    ) -> None:
        self.planned = Planned()
        self._installation = installation
        self._connection = connection
        self._now = now
        self._reopen = reopen
        self._fresh = frozenset(finished)
        self._records = {event.subject: record for record, event, _, _ in answers.wants if record is not None}
        foreign = {
            plan.subject
            for record, _, _, wants in answers.wants
            if record is None
            for group in wants.plans.values()
            for plan in group
            if plan.subject is not None
        }
        if foreign:
            self._records.update(load_records(connection, foreign))
        self._stored = _load_stored(connection, self._records)
        self._rules = {plugin: _rules(installation, plugin) for plugin in {entry[2] for entry in answers.wants}}

    def stored(self, plugin: str, subject: Subject) -> Sequence[StoredPlan]:
        """Return the plans that ``plugin`` has for ``subject``."""
        return self._stored.get((plugin, subject), ())

    def store(self, entries: Sequence[Asked]) -> None:
        """Write what ``entries`` want."""
        writer = PlanWriter(self._installation, self._now)
        for entry in entries:
            entered = self._entered(entry[1])
            for subject, changes in self.compare(entry, writer, entered):
                self.planned.add(changes)
                writer.add(entry[2], subject, self._records[subject].project, entry[1].seq, changes, entered)
        writer.flush(self._connection)

    def store_one_by_one(self, entries: Sequence[Asked]) -> list[_Refused]:
        """Write what ``entries`` want, each under a savepoint of its own; return those that cannot be written."""
        refused: list[_Refused] = []
        for entry in entries:
            record, event, plugin, wants = entry
            counted = replace(self.planned)
            try:
                with self._connection.begin_nested():
                    self.store([entry])
            except OperationalError:  # the database has a bad day, the plugin is not to blame
                raise
            except Exception as error:  # noqa: BLE001 - see above
                self.planned = counted
                hook = hook_for(next(iter(wants.plans), event.type))
                failure = failure_of(self._installation.plugins.installed[plugin], hook, refusal(error))
                refused.append((event.subject if record is None else record.ref, failure))
        return refused

    def finish(self, rows: Sequence[DeliveryRow], finished: Sequence[int]) -> None:
        """Write how plugins took events, and the end of the events."""
        record_deliveries(self._installation.store, self._connection, rows, self._now)
        if finished:
            self._connection.execute(_DELIVERED, {"numbers": finished})

    def _entered(self, event: Event) -> datetime:
        """Return when the fact came in: lateness is the fact's, not that of a daemon that was down meanwhile.

        What is asked again without a new fact (replay, backfill, another calendar) is entered now.
        """
        if event.seq not in self._fresh:
            return self._now
        came = event.time if event.type == "tick" else event.received
        return self._now if came is None else min(came, self._now)

    def compare(self, entry: Asked, writer: PlanWriter, entered: datetime) -> Iterable[tuple[Subject, Changes]]:
        """Return the changes per subject: the one that was asked about, or those that a tick's plans are for.

        What a tick wants, and what follows on a task, is nobody else's to take back; a tick takes back nothing.
        """
        record, event, plugin, wants = entry
        if record is not None:
            old = self._stored.get((plugin, event.subject), ())
            if not wants.plans and not old:
                return ()
            unknown = _NOT_BY_RECORD.union(wants.failures)
            return ((event.subject, self._reconcile(wants.plans, old, record, plugin, writer, unknown, entered)),)
        return self._compare_tick(plugin, wants, writer, entered)

    def _compare_tick(
        self, plugin: str, wants: Wants, writer: PlanWriter, entered: datetime
    ) -> Iterator[tuple[Subject, Changes]]:
        by_subject: dict[Subject, list[Plan]] = {}
        for plan in wants.plans.get("tick", []):
            if plan.subject is not None:
                by_subject.setdefault(plan.subject, []).append(plan)
        for subject, mine in by_subject.items():
            about = self._records.get(subject)
            if about is None:
                continue
            old = self._stored.get((plugin, subject), ())
            others = {plan.kind for plan in old if plan.kind != "tick"}
            changes = self._reconcile({"tick": mine}, old, about, plugin, writer, others, entered)
            changes.cancel.clear()
            yield subject, changes

    def _reconcile(
        self,
        wanted: Mapping[str, list[Plan]],
        old: Sequence[StoredPlan],
        record: Record,
        plugin: str,
        writer: PlanWriter,
        unknown: Collection[str],
        entered: datetime,
    ) -> Changes:
        city = record.project.city
        return reconcile(
            wanted,
            old,
            self._rules[plugin],
            now=entered,
            unknown=unknown,
            reopen=self._reopen,
            provisional=lambda plan: writer.provisional(plan, city),
        )


def _with_refusals(
    connection: Connection, rows: Sequence[DeliveryRow], refused: Sequence[_Refused], now: datetime
) -> list[DeliveryRow]:
    """Return ``rows`` with those failed whose plugin wanted what could not be stored."""
    failures = {(failure.plugin, subject): failure for subject, failure in refused}
    plugins = {plugin for plugin, _ in failures}
    about: dict[int, Subject] = {}
    for chunk in in_chunks(row.event_seq for row in rows if row.plugin in plugins):
        found = connection.execute(
            select(events.c.seq, events.c.subject_type, events.c.subject_id).where(events.c.seq.in_(chunk))
        )
        about.update((row[0], Subject(row[1], row[2])) for row in found)
    return [
        row if failure is None else delivery_row(row.event_seq, row.plugin, failure, now)
        for row in rows
        for failure in [failures.get((row.plugin, about[row.event_seq])) if row.event_seq in about else None]
    ]


def _load_stored(connection: Connection, subjects: Iterable[Subject]) -> dict[tuple[str, Subject], list[StoredPlan]]:
    """Return the stored plans of ``subjects`` by plugin and subject."""
    by_type: dict[str, list[int]] = {}
    for kind, number in subjects:
        by_type.setdefault(kind, []).append(number)
    stored: dict[tuple[str, Subject], list[StoredPlan]] = {}
    for kind, ids in by_type.items():
        for plugin, number, *known in connection.execute(_STORED_OF, {"kind": kind, "numbers": ids}):
            stored.setdefault((plugin, Subject(kind, number)), []).append(StoredPlan._make(known))
    return stored


def _rules(installation: Installation, plugin: str) -> dict[str, ActionRule]:
    """Return the rules of one plugin's actions, by the action's own name."""
    return {
        name: ActionRule(action.again, action.when_late is not None)
        for (owner, name), action in installation.plugins.actions.items()
        if owner == plugin
    }
