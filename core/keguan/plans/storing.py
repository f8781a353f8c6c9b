"""Make the stored plans the wanted ones: compare, write, and record how each plugin took its events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection, select, update

from keguan.model import Plan, Record, Subject
from keguan.plans.answers import RETRY_FIRST, Answers, DeliveryRow
from keguan.plans.reconcile import ActionRule, Changes, StoredPlan, reconcile
from keguan.plans.wants import Wants
from keguan.plans.write import PlanWriter
from keguan.plugins import Failure
from keguan.store.records import in_chunks, load_records
from keguan.store.schema import deliveries, events, plans
from keguan.store.types import to_stored

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["Planned", "store_answers"]

_RETRY_LONGEST = timedelta(hours=6)
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


def store_answers(
    installation: Installation,
    answers: Answers,
    now: datetime,
    *,
    finished: Sequence[int],
    reopen: bool = False,
) -> Planned:
    """Write plans, deliveries and the end of the events numbered ``finished`` in one transaction.

    With ``reopen``, plans that failed are tried again.
    """
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
        rules = {plugin: _rules(installation, plugin) for plugin in {entry[2] for entry in answers.wants}}
        for record, event, plugin, wants in answers.wants:
            for about, changes in _compare(rules[plugin], plugin, record, wants, records, stored, now, reopen=reopen):
                planned.add(changes)
                writer.add(plugin, about, event.seq, changes)
        writer.flush(connection)
        _record_deliveries(installation, connection, answers.deliveries, now)
        for chunk in in_chunks(finished):
            connection.execute(update(events).where(events.c.seq.in_(chunk)).values(state="delivered"))
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
    rules: Mapping[str, ActionRule],
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
                    rules,
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
        changes = reconcile({"tick": mine}, stored.get((plugin, subject), []), rules, now=now, reopen=reopen)
        changes.cancel.clear()  # a tick adds; a later one takes nothing back
        yield about, changes


def _rules(installation: Installation, plugin: str) -> dict[str, ActionRule]:
    """Return the rules of one plugin's actions, by the action's own name."""
    return {
        name: ActionRule(action.again, action.when_late is not None)
        for (owner, name), action in installation.plugins.actions.items()
        if owner == plugin
    }


def _record_deliveries(
    installation: Installation, connection: Connection, rows: Sequence[DeliveryRow], now: datetime
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
        pause = min(RETRY_FIRST * 4**count, _RETRY_LONGEST)
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
