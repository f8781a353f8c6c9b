"""Run what is due: claim plans, give each action its snapshot, put the effects into the outbox and the task list."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import ColumnElement, Connection, Row, and_, case, or_, select, update
from sqlalchemy.exc import OperationalError

from keguan.errors import DatabaseError, TemplateError
from keguan.model import Effect, Job, Record, Skip, Subject
from keguan.outbox.queue import is_gone, worker_name
from keguan.plans.effects import MESSAGE_COLUMNS, TASK_COLUMNS, CodeOf, make_codes, plan_key, render_effects
from keguan.plugins import Failure
from keguan.plugins.answers import failure_of
from keguan.store.engine import refusal
from keguan.store.records import in_chunks, load_records
from keguan.store.schema import messages, plans, tasks
from keguan.store.types import to_stored

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["RunTally", "make_job", "recover_plans", "run_due", "take_back_plans", "work_out"]

_LEASE = timedelta(minutes=10)
_ATTEMPTS = 5
_PAUSE = timedelta(minutes=5)
_p = plans.c
_CLAIMED = and_(_p.status == "running", _p.lease_until.is_not(None))  # so that the index on leases is used


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


def claim_due(
    connection: Connection, worker: str, now: datetime, limit: int, plugins: Collection[str]
) -> Sequence[Row[Any]]:
    """Take up to ``limit`` plans that are due and do not rest; those whose window has passed become ``missed``.

    Plans of other ``plugins`` are left to a process that has loaded them: around a change of the configuration
    two processes may see it differently.
    """
    passed = and_(_p.until_at <= now, ~_p.stale)
    due = (
        select(_p.id)
        .where(
            _p.status == "planned",
            _p.run_at <= now,
            or_(_p.lease_until.is_(None), _p.lease_until <= now),
            _p.plugin.in_(plugins),
        )
        .order_by(_p.run_at)
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
    return sorted(connection.execute(statement), key=lambda row: (row.run_at, row.id))


def run_due(installation: Installation, limit: int = 500) -> RunTally:
    """Run one batch of due plans; ``claimed`` is 0 when nothing was due.

    Actions run outside any transaction; their effects, the keys that make them unique and the end of the plan
    are then written in one. A crash in between leaves the plan claimed, and it runs again after its lease.
    """
    now = installation.clock.now()
    worker = worker_name()
    tally = RunTally()
    with installation.store.write() as connection:
        batch = claim_due(connection, worker, now, limit, installation.plugins.names)
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
        opens=row.run_at if row.run_at < row.due_at else None,
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
    """Store effects and ends of plans in one transaction; log a line per effect.

    Effects that a table refuses fail their own plan only: then each plan is stored by itself.
    """
    codes = make_codes(installation, ((row, result.effects) for row, result in worked), now)
    rendered = [_rendered(installation, row, result, now, codes.__getitem__) for row, result in worked]
    try:
        with installation.store.write() as connection:
            mine = _still_mine(connection, worker)
            done = _store(installation, connection, [each for each in rendered if each[0].id in mine], worker, now)
    except DatabaseError:
        raise
    except Exception:  # noqa: BLE001 - what a plugin returned cannot be stored; whose it was is found out now
        with installation.store.write() as connection:
            mine = _still_mine(connection, worker)
            done = [
                _store_alone(installation, connection, each, worker, now) for each in rendered if each[0].id in mine
            ]
    for row, result, texts, tasks_of_row in done:
        _tell(row, result, tasks_of_row)
        tally.messages += len(texts)
        tally.tasks += len(tasks_of_row)
        tally.done += result.status == "done"
        tally.missed += result.status == "missed"
        tally.failed += result.status == "failed"


_Rendered = tuple[Row[Any], Worked, list[tuple[Any, ...]], list[tuple[Any, ...]]]
"""A plan, what became of it, its messages and its tasks as rows."""


def _rendered(installation: Installation, row: Row[Any], result: Worked, now: datetime, code_of: CodeOf) -> _Rendered:
    """Return the rows of a plan's effects, or the failure that they come to."""
    if result.status != "done":
        return row, result, [], []
    try:
        return row, result, *render_effects(installation, row, result.effects, now, code_of)
    except TemplateError as error:
        return row, Worked("failed", str(error)), [], []
    except Exception as error:  # noqa: BLE001 - an effect may hold whatever a plugin put into it
        return row, _failed(installation, row, error), [], []


def _failed(installation: Installation, row: Row[Any], error: Exception) -> Worked:
    failure = failure_of(installation.plugins.installed[row.plugin], row.action, refusal(error))
    return Worked("failed", str(failure), detail=failure.traceback)


def _store(
    installation: Installation, connection: Connection, rendered: Sequence[_Rendered], worker: str, now: datetime
) -> Sequence[_Rendered]:
    texts = [message for each in rendered for message in each[2]]
    work = [task for each in rendered for task in each[3]]
    installation.store.insert(connection, messages, MESSAGE_COLUMNS, texts, ignore_repeats=True)
    installation.store.insert(connection, tasks, TASK_COLUMNS, work, ignore_repeats=True)
    _end_plans(connection, worker, [each[:2] for each in rendered], now)
    return rendered


def _store_alone(
    installation: Installation, connection: Connection, each: _Rendered, worker: str, now: datetime
) -> _Rendered:
    """Store one plan's effects; when the table refuses them, its failure instead."""
    try:
        with connection.begin_nested():
            _store(installation, connection, [each], worker, now)
    except OperationalError:  # the database has a bad day, the plugin is not to blame
        raise
    except Exception as error:  # noqa: BLE001 - see above
        each = (each[0], _failed(installation, each[0], error), [], [])
        _store(installation, connection, [each], worker, now)
    return each


def _tell(row: Row[Any], result: Worked, work: Sequence[tuple[Any, ...]]) -> None:
    log = structlog.get_logger("keguan.plans")
    if result.status == "failed":
        log.error("action failed", plugin=row.plugin, action=row.action, key=plan_key(row), error=result.why)
        if result.detail:
            log.debug("traceback", key=plan_key(row), detail=result.detail)
    for task in work:
        log.info("task", key=task[0], plugin=task[2], action=task[3], clause=task[4], status="open")


def _still_mine(connection: Connection, worker: str) -> set[int]:
    """Return the plans that ``worker`` has claimed, locked until the transaction ends.

    One whose lease had ended is missing: another worker runs it.
    """
    claimed = select(_p.id).where(_CLAIMED, _p.worker == worker).with_for_update()
    return set(connection.execute(claimed).scalars())


def _end_plans(connection: Connection, worker: str, worked: Iterable[tuple[Row[Any], Worked]], now: datetime) -> None:
    ends: dict[tuple[str, str | None, datetime | None], list[int]] = {}
    for row, result in worked:
        status, rest = result.status, None
        if status == "failed" and row.attempts + 1 < _ATTEMPTS and result.why != "plan.action_gone":
            status, rest = "planned", now + _PAUSE  # whatever changes meanwhile can still move it or take it back
        ends.setdefault((status, result.why, rest), []).append(row.id)
    for (status, why, rest), ids in ends.items():
        for chunk in in_chunks(ids):
            connection.execute(
                update(plans)
                .where(_p.id.in_(chunk), _p.status == "running", _p.worker == worker)
                .values(
                    status=status,
                    why=why,
                    worker=None,
                    lease_until=rest,
                    changed_at=now,
                    attempts=_p.attempts + 1,
                )
            )


def recover_plans(connection: Connection, now: datetime) -> list[Subject]:
    """Plan again what was claimed and not finished; return what those plans are about.

    That is: leases that ended, and those of processes that are dead. While a plan was claimed nothing could be
    changed about it, so its subject has to be asked about again before it runs.
    """
    workers = connection.execute(select(_p.worker).where(_CLAIMED).distinct()).scalars()
    gone = [worker for worker in workers if is_gone(worker)]
    return _plan_again(connection, or_(_p.lease_until <= now, _p.worker.in_(gone)), now)


def take_back_plans(connection: Connection, now: datetime) -> list[Subject]:
    """Plan again what this process had claimed in a pass that failed; return what those plans are about."""
    return _plan_again(connection, _p.worker == worker_name(), now)


def _plan_again(connection: Connection, which: ColumnElement[bool], now: datetime) -> list[Subject]:
    rows = connection.execute(
        update(plans)
        .where(_CLAIMED, which)
        .values(status="planned", worker=None, lease_until=None, changed_at=now)
        .returning(_p.subject_type, _p.subject_id)
    )
    return [Subject(*row) for row in rows]
