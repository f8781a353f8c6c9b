"""Run what is due: claim plans, give each action its snapshot, put the effects into the outbox and the task list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import ColumnElement, Connection, Row, and_, case, or_, select, update

from keguan.errors import TemplateError
from keguan.model import Effect, Job, Record, Skip, Subject
from keguan.outbox.queue import is_gone, worker_name
from keguan.plans.effects import MESSAGE_COLUMNS, TASK_COLUMNS, plan_key, render_effects
from keguan.plugins import Failure
from keguan.store.records import load_records
from keguan.store.schema import messages, plans, tasks
from keguan.store.types import to_stored

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["RunTally", "make_job", "recover_plans", "run_due", "take_back_plans", "work_out"]

_LEASE = timedelta(minutes=10)
_ATTEMPTS = 5
_PAUSE = timedelta(minutes=5)
_p = plans.c


@dataclass(slots=True)
class RunTally:
    """What one pass did."""

    claimed: int = 0
    done: int = 0
    missed: int = 0
    failed: int = 0
    messages: int = 0
    tasks: int = 0


@dataclass(frozen=True, slots=True)
class Worked:
    """What became of one plan: its new status, why, and the effects to store."""

    status: str
    why: str | None
    effects: tuple[Effect, ...] = ()
    detail: str | None = None


def claim_due(connection: Connection, worker: str, now: datetime, limit: int) -> Sequence[Row[Any]]:
    """Take up to ``limit`` plans that are due; those whose window has passed become ``missed`` on the way."""
    passed = and_(_p.until_at <= now, ~_p.stale)
    due = (
        select(_p.id)
        .where(_p.status == "planned", _p.due_at <= now)
        .order_by(_p.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(plans)
        .where(_p.id.in_(due))
        .values(
            status=case((passed, "missed"), else_="running"),
            why=case((passed, "plan.window_passed"), else_=None),
            worker=case((passed, None), else_=worker),
            lease_until=case((passed, None), else_=to_stored(now + _LEASE)),
            changed_at=now,
        )
        .returning(plans)
    )
    return sorted(connection.execute(statement), key=lambda row: (row.due_at, row.id))


def run_due(installation: Installation, limit: int = 500) -> RunTally:
    """Run one batch of due plans; ``claimed`` is 0 when nothing was due.

    Actions run outside any transaction; their effects, the keys that make them unique and the end of the plan
    are then written in one. A crash in between leaves the plan claimed, and it runs again after its lease.
    """
    now = installation.clock.now()
    worker = worker_name()
    tally = RunTally()
    with installation.store.write() as connection:
        batch = claim_due(connection, worker, now, limit)
    tally.claimed = len(batch)
    tally.missed = sum(row.status == "missed" for row in batch)
    running = [row for row in batch if row.status == "running"]
    if not running:
        return tally
    with installation.store.read() as connection:
        records = load_records(connection, {Subject(row.subject_type, row.subject_id) for row in running})
    with installation.plugins.watchdog.batch():
        worked = [
            (row, work_out(installation, row, records.get(Subject(row.subject_type, row.subject_id)), now))
            for row in running
        ]
    _write(installation, worker, worked, now, tally)
    return tally


def make_job(installation: Installation, row: Any, record: Record, now: datetime) -> Job:
    """Return what an action gets for the plan in ``row``."""
    return Job(
        key=plan_key(row),
        action=row.action,
        record=record,
        due=row.due_at,
        until=row.until_at,
        occurrence=row.occurrence,
        clause=row.clause,
        late=row.late_at_creation,
        now=now,
        company=installation.company,
        context=installation.context(row.plugin, row.city),
    )


def work_out(installation: Installation, row: Any, record: Record | None, now: datetime) -> Worked:
    """Return the effects of one plan, or why there are none. Writes nothing."""
    if record is None:
        return Worked("cancelled", "plan.record_gone")
    action = installation.plugins.actions.get((row.plugin, row.action))
    if action is None:
        return Worked("failed", "plan.action_gone")
    run = action.when_late if row.stale and action.when_late is not None else action.run
    answer = installation.plugins.run_action(row.plugin, row.action, run, make_job(installation, row, record, now))
    if isinstance(answer, Failure):
        return Worked("failed", str(answer), detail=answer.traceback)
    if isinstance(answer, Skip):
        return Worked("missed", answer.reason)
    return Worked("done", None, answer)


def _write(
    installation: Installation,
    worker: str,
    worked: Sequence[tuple[Row[Any], Worked]],
    now: datetime,
    tally: RunTally,
) -> None:
    """Store effects and ends of plans in one transaction; log a line per effect."""
    rendered_messages: list[tuple[Any, ...]] = []
    rendered_tasks: list[tuple[Any, ...]] = []
    ends: dict[tuple[str, str | None], list[int]] = {}
    again: list[tuple[int, str]] = []
    log = structlog.get_logger("keguan.plans")
    for row, result in worked:
        outcome = result
        mine: tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]] = ([], [])
        if outcome.status == "done":
            try:
                mine = render_effects(installation, row, outcome.effects, now)
            except TemplateError as error:
                outcome = Worked("failed", str(error))
        rendered_messages += mine[0]
        rendered_tasks += mine[1]
        tally.messages += len(mine[0])
        tally.tasks += len(mine[1])
        if outcome.status == "failed" and row.attempts + 1 < _ATTEMPTS and outcome.why != "plan.action_gone":
            again.append((row.id, outcome.why or ""))
        else:
            ends.setdefault((outcome.status, outcome.why), []).append(row.id)
        if outcome.status == "failed":
            tally.failed += 1
            log.error("action failed", plugin=row.plugin, action=row.action, key=plan_key(row), error=outcome.why)
            if outcome.detail:
                log.debug("traceback", key=plan_key(row), detail=outcome.detail)
    tally.done += sum(len(ids) for (status, _), ids in ends.items() if status == "done")
    tally.missed += sum(len(ids) for (status, _), ids in ends.items() if status == "missed")

    with installation.store.write() as connection:
        lost = {row.id for row, _ in worked} - _still_mine(connection, worker)
        if lost:  # the lease had ended, and another one runs them
            rendered_messages = [each for each in rendered_messages if each[1] not in lost]
            rendered_tasks = [each for each in rendered_tasks if each[1] not in lost]
        installation.store.insert(connection, messages, MESSAGE_COLUMNS, rendered_messages, ignore_repeats=True)
        installation.store.insert(connection, tasks, TASK_COLUMNS, rendered_tasks, ignore_repeats=True)
        _end_plans(connection, worker, ends, again, now)
    for task in rendered_tasks:
        log.info("task", key=task[0], plugin=task[2], action=task[3], clause=task[4], status="open")


def _still_mine(connection: Connection, worker: str) -> set[int]:
    """Return the plans that ``worker`` has claimed, locked until the transaction ends."""
    claimed = select(_p.id).where(_p.status == "running", _p.worker == worker).with_for_update()
    return set(connection.execute(claimed).scalars())


def _end_plans(
    connection: Connection,
    worker: str,
    ends: dict[tuple[str, str | None], list[int]],
    again: list[tuple[int, str]],
    now: datetime,
) -> None:
    for (status, why), ids in ends.items():
        connection.execute(
            update(plans)
            .where(_p.id.in_(ids), _p.status == "running", _p.worker == worker)
            .values(status=status, why=why, worker=None, lease_until=None, changed_at=now, attempts=_p.attempts + 1)
        )
    for plan_id, why in again:  # rests under a lease of nobody, then is planned again
        connection.execute(
            update(plans)
            .where(_p.id == plan_id, _p.status == "running", _p.worker == worker)
            .values(worker=None, lease_until=now + _PAUSE, why=why, changed_at=now, attempts=_p.attempts + 1)
        )


def recover_plans(connection: Connection, now: datetime) -> int:
    """Plan again what was claimed and not finished: leases that ended, and those of processes that are dead."""
    running = _p.status == "running"
    workers = connection.execute(select(_p.worker).where(running, _p.worker.is_not(None)).distinct()).scalars()
    gone = [worker for worker in workers if is_gone(worker)]
    return _plan_again(connection, or_(_p.lease_until <= now, _p.worker.in_(gone)), now)


def take_back_plans(connection: Connection, now: datetime) -> int:
    """Plan again what this process had claimed in a pass that failed."""
    return _plan_again(connection, _p.worker == worker_name(), now)


def _plan_again(connection: Connection, which: ColumnElement[bool], now: datetime) -> int:
    return connection.execute(
        update(plans)
        .where(_p.status == "running", which)
        .values(status="planned", worker=None, lease_until=None, changed_at=now)
    ).rowcount
