"""Run what is due: claim plans, give each action its snapshot, put the effects into the outbox and the task list."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, Text, and_, bindparam, case, or_, select, update

from keguan.model import Job, Record, Skip, Subject
from keguan.outbox.queue import is_gone, worker_name
from keguan.plans.bringing import NOTHING, Brought, bring_along
from keguan.plans.effects import plan_key
from keguan.plans.outcomes import CLAIMED, LEASE, RunTally, Worked, keep_claims, store_outcomes
from keguan.plugins import Failure
from keguan.store.records import load_records
from keguan.store.schema import plans
from keguan.store.types import Instant

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["RunTally", "recover_plans", "run_due", "take_back_plans", "work_out"]

_PORTION = 1000
"""Effects that one transaction stores before the next plans are worked out."""
_p = plans.c
_AT = bindparam("at", type_=Instant())
_PASSED = and_(_p.until_at <= _AT, ~_p.stale)
_DUE = (
    select(_p.id)
    .where(
        _p.status == "planned",
        _p.run_at <= _AT,
        or_(_p.lease_until.is_(None), _p.lease_until <= _AT),
        _p.plugin.in_(bindparam("loaded", expanding=True)),
    )
    .order_by(_p.run_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    update(plans)
    .where(_p.id.in_(_DUE))
    .values(
        status=case((_PASSED, "missed"), else_="running"),
        why=case((_PASSED, "plan.window_passed"), else_=None),
        worker=case((_PASSED, None), else_=bindparam("new_worker", type_=Text())),
        lease_until=case((_PASSED, None), else_=bindparam("new_lease", type_=Instant())),
        changed_at=_AT,
    )
    .returning(plans)
)
"""Built once: whenever anything falls due it is asked."""


def claim_due(
    connection: Connection, worker: str, now: datetime, limit: int, plugins: Collection[str]
) -> Sequence[Row[Any]]:
    """Take up to ``limit`` plans that are due and do not rest; those whose window has passed become ``missed``.

    Plans of other ``plugins`` are left to a process that has loaded them: around a change of the configuration
    two processes may see it differently.
    """
    asked = {"at": now, "loaded": list(plugins), "most": limit, "new_worker": worker, "new_lease": now + LEASE}
    return sorted(connection.execute(_CLAIM, asked), key=lambda row: (row.run_at, row.id))


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
    for number, portion in enumerate(_worked_out(installation, running, now)):
        if number:
            keep_claims(installation, worker)
        store_outcomes(installation, worker, portion, now, tally)
    return tally


def _worked_out(
    installation: Installation, running: Sequence[Row[Any]], now: datetime
) -> Iterator[list[tuple[Row[Any], Worked]]]:
    """Yield what became of the plans, in portions that a transaction can hold: a letter to thousands is one alone.

    One plan is never divided. Its effects are numbered by their place; were a part of them stored when the process
    dies and somebody buys before the plan runs again, the numbers would mean other people. Ten thousand messages are
    written within a second. Nothing of a portion is kept when the next is worked out, so memory grows with the
    largest plan, not with the batch.
    """
    with installation.store.read() as connection:
        records = load_records(connection, {Subject(row.subject_type, row.subject_id) for row in running})
        brought = bring_along(connection, installation, running, records)
    todo = deque(running)
    while todo:
        portion: list[tuple[Row[Any], Worked]] = []
        effects = 0
        with installation.plugins.watchdog.batch():
            while todo and effects < _PORTION:
                row = todo.popleft()
                about = Subject(row.subject_type, row.subject_id)
                worked = work_out(installation, row, records.get(about), now, brought.pop(row.id, NOTHING))
                effects += len(worked.effects)
                portion.append((row, worked))
        yield portion


def _make_job(installation: Installation, row: Any, record: Record, now: datetime, brought: Brought) -> Job:
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
        filled=brought.filled,
        homes=brought.homes,
        contracts=brought.contracts,
    )


def work_out(
    installation: Installation, row: Any, record: Record | None, now: datetime, brought: Brought = NOTHING
) -> Worked:
    """Return the effects of one plan, or why there are none. Writes nothing.

    ``brought`` is what ``bring_along`` found for it.
    """
    if record is None:
        return Worked("cancelled", "plan.record_gone")
    action = installation.plugins.actions.get((row.plugin, row.action))
    if action is None:
        return Worked("failed", "plan.action_gone")
    run = action.when_late if row.stale and action.when_late is not None else action.run
    job = _make_job(installation, row, record, now, brought)
    answer = installation.plugins.run_action(row.plugin, row.action, run, job)
    if isinstance(answer, Failure):
        return Worked("failed", str(answer), detail=answer.traceback)
    if isinstance(answer, Skip):
        return Worked("done" if answer.kept else "missed", answer.reason)
    return Worked("done", None, answer)


def recover_plans(connection: Connection, now: datetime) -> list[Subject]:
    """Plan again what was claimed and not finished; return what those plans are about.

    That is: leases that ended, and those of processes that are dead. While a plan was claimed nothing could be
    changed about it, so its subject has to be asked about again before it runs.
    """
    workers = connection.execute(select(_p.worker).where(CLAIMED).distinct()).scalars()
    gone = [worker for worker in workers if is_gone(worker)]
    return _plan_again(connection, or_(_p.lease_until <= now, _p.worker.in_(gone)), now)


def take_back_plans(connection: Connection, now: datetime) -> list[Subject]:
    """Plan again what this process had claimed in a pass that failed; return what those plans are about."""
    return _plan_again(connection, _p.worker == worker_name(), now)


def _plan_again(connection: Connection, which: ColumnElement[bool], now: datetime) -> list[Subject]:
    rows = connection.execute(
        update(plans)
        .where(CLAIMED, which)
        .values(status="planned", worker=None, lease_until=None, changed_at=now)
        .returning(_p.subject_type, _p.subject_id)
    )
    return [Subject(*row) for row in rows]
