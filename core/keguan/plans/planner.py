"""Deliver events to plugins and make the stored plans the wanted ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import structlog
from sqlalchemy import Connection, select, update

from keguan.model import Event, Plan, Record, Subject
from keguan.plans.reconcile import ActionRule, Changes, StoredPlan, reconcile
from keguan.plans.wants import Wants, ask_for_tick, ask_plugins, hook_for, kinds_in_force, load_history
from keguan.plans.write import PlanWriter
from keguan.plugins import Failure
from keguan.store.records import contracts_of_homes, in_chunks, load_records
from keguan.store.schema import deliveries, events, plans
from keguan.store.types import to_stored

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["Planned", "deliver_events", "replan", "retry_deliveries"]

_BATCH = 1000
_RETRY_FIRST = timedelta(minutes=1)
_RETRY_LONGEST = timedelta(hours=6)
_e = events.c
_p = plans.c


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


class _DeliveryRow(NamedTuple):
    """How one plugin took one event."""

    event_seq: int
    plugin: str
    status: str
    retry_at: int | None
    error: str | None
    detail: str | None


@dataclass(slots=True)
class _Answers:
    """What the plugins want for a batch of subjects, and how each took its events."""

    wants: list[tuple[Record | None, Event, str, Wants]] = field(default_factory=list)
    """Record (``None`` for ticks), newest event, plugin, what it wants."""
    deliveries: list[_DeliveryRow] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


def deliver_events(installation: Installation, limit: int = _BATCH) -> Planned:
    """Give the oldest new events to the plugins and store what they want; ``events`` is 0 when there are none.

    Plans, deliveries and the end of the events are written in one transaction. Planners take turns, because
    two that worked from different states of one record could otherwise overwrite each other.
    """
    with installation.planning():
        now = installation.clock.now()
        with installation.store.read() as connection:
            fresh = [
                Event(row.seq, row.source, row.id, row.type, row.time, Subject(row[5], row[6]), row.city, row.data)
                for row in connection.execute(
                    select(_e.seq, _e.source, _e.id, _e.type, _e.time, _e.subject_type, _e.subject_id, _e.city, _e.data)
                    .where(_e.state == "new")
                    .order_by(_e.seq)
                    .limit(limit)
                )
            ]
            if not fresh:
                return Planned()
            ticks = [event for event in fresh if event.type == "tick"]
            facts = [event for event in fresh if event.type != "tick"]
            subjects = {event.subject for event in facts}
            subjects |= contracts_of_homes(connection, subjects)
            records = load_records(connection, subjects)
            history = load_history(connection, subjects)
        answers = _Answers()
        with installation.plugins.watchdog.batch():
            _ask_for_facts(installation, facts, records, history, answers, now)
            _ask_for_ticks(installation, ticks, answers, now)
        planned = _write(installation, answers, now, finished=[event.seq for event in fresh])
        planned.events = len(fresh)
        return planned


def replan(
    installation: Installation,
    subjects: Iterable[Subject],
    *,
    only: Collection[str] | None = None,
    reopen: bool = False,
) -> Planned:
    """Ask again for ``subjects`` and store what is wanted now: replay, backfill, a changed calendar.

    ``only`` limits it to some plugins. With ``reopen``, plans that failed are tried again. Deliveries of the
    subjects' events to these plugins that had failed or been skipped become done.
    """
    total = Planned()
    todo = sorted(set(subjects))
    for start in range(0, len(todo), _BATCH):
        chunk = todo[start : start + _BATCH]
        with installation.planning():
            now = installation.clock.now()
            with installation.store.read() as connection:
                records = load_records(connection, chunk)
                history = load_history(connection, chunk)
            answers = _Answers()
            with installation.plugins.watchdog.batch():
                for subject in chunk:
                    mine = history.get(subject, [])
                    _ask_for_subject(installation, records.get(subject), mine, answers, now, only, delivered=mine)
            done = _write(installation, answers, now, finished=[], reopen=reopen)
        done.events = sum(len(history.get(subject, [])) for subject in chunk)
        total.merge(done)
    return total


def retry_deliveries(installation: Installation, limit: int = 200) -> Planned:
    """Call the hooks again whose delivery failed and whose pause is over, for the failed plugin only."""
    now = installation.clock.now()
    with installation.store.read() as connection:
        due = connection.execute(
            select(deliveries.c.plugin, _e.subject_type, _e.subject_id, _e.seq, _e.type)
            .join_from(deliveries, events, deliveries.c.event_seq == _e.seq)
            .where(deliveries.c.status == "failed", deliveries.c.retry_at <= now)
            .order_by(deliveries.c.retry_at)
            .limit(limit)
        ).all()
    total = Planned()
    for plugin in sorted({row.plugin for row in due}):
        rows = [row for row in due if row.plugin == plugin]
        done = replan(
            installation,
            {Subject(row.subject_type, row.subject_id) for row in rows if row.type != "tick"},
            only=(plugin,),
        )
        ticks = [row.seq for row in rows if row.type == "tick"]
        if ticks:
            done.merge(replay_ticks(installation, ticks, only=(plugin,)))
        done.events = len(rows)
        total.merge(done)
    return total


def replay_ticks(installation: Installation, seqs: Sequence[int], *, only: Collection[str] | None = None) -> Planned:
    """Call ``daily_tick`` again for the ticks with these numbers."""
    with installation.planning():
        now = installation.clock.now()
        ticks: list[Event] = []
        with installation.store.read() as connection:
            for chunk in in_chunks(seqs):
                ticks += [
                    Event(row.seq, row.source, row.id, row.type, row.time, Subject("day", row.subject_id), row.city)
                    for row in connection.execute(select(events).where(_e.seq.in_(chunk), _e.type == "tick"))
                ]
        answers = _Answers()
        with installation.plugins.watchdog.batch():
            _ask_for_ticks(installation, ticks, answers, now, only)
        return _write(installation, answers, now, finished=[])


# --- Asking --------------------------------------------------------------------------------------------------


def _ask_for_facts(
    installation: Installation,
    facts: Sequence[Event],
    records: dict[Subject, Record],
    history: dict[Subject, list[Event]],
    answers: _Answers,
    now: datetime,
) -> None:
    news: dict[Subject, list[Event]] = {subject: [] for subject in history}
    for event in facts:
        news[event.subject].append(event)
    for subject, delivered in news.items():
        _ask_for_subject(installation, records.get(subject), history[subject], answers, now, delivered=delivered)


def _ask_for_subject(
    installation: Installation,
    record: Record | None,
    history: Sequence[Event],
    answers: _Answers,
    now: datetime,
    only: Collection[str] | None = None,
    *,
    delivered: Sequence[Event],
) -> None:
    """Ask every plugin in scope about one subject and note how it took the events in ``delivered``."""
    if record is None or not history:
        return
    kinds = kinds_in_force(history, installation.plugins.event_types)
    for plugin, wants in ask_plugins(installation, record, kinds, only):
        answers.wants.append((record, history[-1], plugin, wants))
        failure = next(iter(wants.failures.values()), None)
        hooks = installation.plugins.hooks_of(plugin)
        for event in delivered:
            if failure is not None or wants.plans or hook_for(event.type) in hooks:
                answers.deliveries.append(_delivery(event.seq, plugin, failure, now))
        if failure is not None:
            answers.failures.append(failure)
    city = record.project.city
    for plugin, off_hooks in installation.plugins_off(city).items():
        if only is None:
            answers.deliveries.extend(
                _DeliveryRow(event.seq, plugin, "skipped", None, None, None)
                for event in delivered
                if hook_for(event.type) in off_hooks
            )


def _ask_for_ticks(
    installation: Installation,
    ticks: Sequence[Event],
    answers: _Answers,
    now: datetime,
    only: Collection[str] | None = None,
) -> None:
    for event in ticks:
        for plugin, wants in ask_for_tick(installation, event, only):
            answers.wants.append((None, event, plugin, wants))
            failure = wants.failures.get("tick")
            answers.deliveries.append(_delivery(event.seq, plugin, failure, now))
            if failure is not None:
                answers.failures.append(failure)
        if only is None:
            answers.deliveries.extend(
                _DeliveryRow(event.seq, plugin, "skipped", None, None, None)
                for plugin, off_hooks in installation.plugins_off(event.city).items()
                if "daily_tick" in off_hooks
            )


def _delivery(seq: int, plugin: str, failure: Failure | None, now: datetime) -> _DeliveryRow:
    if failure is None:
        return _DeliveryRow(seq, plugin, "done", None, None, None)
    return _DeliveryRow(seq, plugin, "failed", to_stored(now + _RETRY_FIRST), str(failure), failure.traceback)


# --- Writing -------------------------------------------------------------------------------------------------


def _write(
    installation: Installation,
    answers: _Answers,
    now: datetime,
    *,
    finished: Sequence[int],
    reopen: bool = False,
) -> Planned:
    planned = Planned(failures=answers.failures)
    records = {record.ref: record for record, _, _, _ in answers.wants if record is not None}
    foreign = {
        plan.subject
        for record, _, _, wants in answers.wants
        if record is None
        for group in wants.plans.values()
        for plan in group
        if plan.subject is not None
    }
    with installation.store.write() as connection:
        if foreign:
            records.update(load_records(connection, foreign))
        stored = _load_stored(connection, records)
        writer = PlanWriter(installation, now)
        for record, event, plugin, wants in answers.wants:
            for about, changes in _compare(installation, plugin, record, wants, records, stored, now, reopen=reopen):
                planned.add(changes)
                writer.add(plugin, about, event.seq, changes)
        writer.flush(connection)
        _record_deliveries(installation, connection, answers.deliveries, now)
        for chunk in in_chunks(finished):
            connection.execute(update(events).where(_e.seq.in_(chunk)).values(state="delivered"))
    log = structlog.get_logger("keguan.plans")
    for message, count in Counter(str(failure) for failure in answers.failures).items():
        log.error("plugin failed", error=message, times=count)
    if planned.inserted or planned.moved or planned.cancelled:
        log.info("planned", new=planned.inserted, moved=planned.moved, cancelled=planned.cancelled)
    return planned


def _load_stored(connection: Connection, subjects: Iterable[Subject]) -> dict[tuple[str, Subject], list[StoredPlan]]:
    """Return the stored plans of ``subjects`` by plugin and subject."""
    by_type: dict[str, set[int]] = {}
    for subject in subjects:
        by_type.setdefault(subject.type, set()).add(subject.id)
    stored: dict[tuple[str, Subject], list[StoredPlan]] = {}
    for kind, ids in by_type.items():
        for chunk in in_chunks(ids):
            for row in connection.execute(
                select(
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
                    _p.clause,
                    _p.note,
                    _p.by_calendar,
                ).where(_p.subject_type == kind, _p.subject_id.in_(chunk))
            ):
                stored.setdefault((row[0], Subject(kind, row[1])), []).append(StoredPlan._make(row[2:]))
    return stored


def _compare(
    installation: Installation,
    plugin: str,
    record: Record | None,
    wants: Wants,
    records: dict[Subject, Record],
    stored: dict[tuple[str, Subject], list[StoredPlan]],
    now: datetime,
    *,
    reopen: bool,
) -> Iterator[tuple[Record, Changes]]:
    """Yield the changes per record: the one that was asked about, or those that a tick's plans are for."""
    if record is not None:
        old = stored.get((plugin, record.ref), [])
        if wants.plans or old:
            yield (
                record,
                reconcile(
                    wants.plans,
                    [plan for plan in old if plan.kind != "tick"],
                    _Rules(installation, plugin),
                    now=now,
                    unknown=wants.failures,
                    reopen=reopen,
                ),
            )
        return
    by_subject: dict[Subject, list[Plan]] = {}
    for plan in wants.plans.get("tick", []):
        if plan.subject is not None:
            by_subject.setdefault(plan.subject, []).append(plan)
    for subject, mine in by_subject.items():
        about = records.get(subject)
        if about is None:
            continue
        changes = reconcile(
            {"tick": mine}, stored.get((plugin, subject), []), _Rules(installation, plugin), now=now, reopen=reopen
        )
        changes.cancel.clear()  # a tick adds; a later one takes nothing back
        yield about, changes


class _Rules(Mapping[str, ActionRule]):
    """The action rules of one plugin, by the action's own name."""

    def __init__(self, installation: Installation, plugin: str) -> None:
        self._actions = installation.plugins.actions
        self._plugin = plugin

    def __getitem__(self, name: str) -> ActionRule:
        action = self._actions[self._plugin, name]
        return ActionRule(action.again, action.when_late is not None)

    def __iter__(self) -> Iterator[str]:
        return (name for plugin, name in self._actions if plugin == self._plugin)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _record_deliveries(
    installation: Installation, connection: Connection, rows: Sequence[_DeliveryRow], now: datetime
) -> None:
    """Write how each plugin took each event; a failure that repeats is retried later and later."""
    stamp = to_stored(now)
    seqs = [row[0] for row in rows]
    attempts: dict[tuple[int, str], int] = {}
    d = deliveries.c
    for chunk in in_chunks(seqs):
        for row in connection.execute(select(d.event_seq, d.plugin, d.attempts).where(d.event_seq.in_(chunk))):
            attempts[row.event_seq, row.plugin] = row.attempts
    new = [row for row in rows if (row[0], row[1]) not in attempts]
    installation.store.insert(
        connection,
        deliveries,
        ("event_seq", "plugin", "status", "retry_at", "error", "detail", "at", "attempts"),
        [(*row, stamp, 1) for row in new],
        ignore_repeats=True,
    )
    for seq, plugin, status, _, error, detail in rows:
        count = attempts.get((seq, plugin))
        if count is None:
            continue
        pause = min(_RETRY_FIRST * 4**count, _RETRY_LONGEST)
        connection.execute(
            update(deliveries)
            .where(d.event_seq == seq, d.plugin == plugin)
            .values(
                status=status,
                attempts=count + 1,
                retry_at=now + pause if status == "failed" else None,
                error=error,
                detail=detail,
                at=now,
            )
        )
