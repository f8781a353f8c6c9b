"""What became of plans that ran: their effects into the outbox and the task list, and the end of the plans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from sqlalchemy import Connection, Row, and_, bindparam, select, update
from sqlalchemy.exc import OperationalError

from keguan.errors import DatabaseError, PluginError, TemplateError
from keguan.model import Effect
from keguan.plans.effects import (
    MESSAGE_COLUMNS,
    TASK_COLUMNS,
    CodeOf,
    Rendered,
    make_codes,
    plan_key,
    render_effects,
)
from keguan.plans.filling import store_first_entries
from keguan.plugins.answers import failure_of
from keguan.store.engine import refusal
from keguan.store.listed import listed
from keguan.store.schema import messages, plans, tasks

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["CLAIMED", "LEASE", "RunTally", "Worked", "keep_claims", "store_outcomes"]

LEASE = timedelta(minutes=10)
"""How long plans are claimed for; whoever needs longer says so in time."""
_ATTEMPTS = 5
_PAUSE = timedelta(minutes=5)
_p = plans.c
CLAIMED = and_(_p.status == "running", _p.lease_until.is_not(None))  # so that the index on leases is used

_MINE = select(_p.id).where(CLAIMED, _p.worker == bindparam("own_worker")).with_for_update()
_END = (
    update(plans)
    .where(listed(_p.id), _p.status == "running", _p.worker == bindparam("own_worker"))
    .values(worker=None, attempts=_p.attempts + 1)
)
"""What else is set goes with the parameters."""


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


def store_outcomes(
    installation: Installation,
    worker: str,
    worked: Sequence[tuple[Row[Any], Worked]],
    now: datetime,
    tally: RunTally,
) -> None:
    """Store effects and ends of plans in one transaction; log a line for each task.

    Texts are rendered before it begins. Effects that a table refuses fail their own plan only: then each plan is
    stored by itself.
    """
    codes = make_codes(installation, ((row, result.effects) for row, result in worked), now)
    outcomes = [_rendered(installation, row, result, now, codes.__getitem__) for row, result in worked]
    try:
        with installation.store.write() as connection:
            mine = _still_mine(connection, worker)
            done = [each for each in outcomes if each.plan.id in mine]
            _store(installation, connection, done, worker, now)
    except DatabaseError:
        raise
    except Exception:  # noqa: BLE001 - what a plugin returned cannot be stored; whose it was is found out now
        with installation.store.write() as connection:
            mine = _still_mine(connection, worker)
            done = [
                _store_alone(installation, connection, each, worker, now) for each in outcomes if each.plan.id in mine
            ]
    for row, result, rows in done:
        _tell(row, result, rows.tasks)
        tally.messages += len(rows.messages)
        tally.tasks += len(rows.tasks)
        tally.done += result.status == "done"
        tally.missed += result.status == "missed"
        tally.failed += result.status == "failed"


def keep_claims(installation: Installation, worker: str) -> None:
    """Claim what ``worker`` has left for another while: a batch of large letters may outlast its lease."""
    until = installation.clock.now() + LEASE
    with installation.store.write() as connection:
        connection.execute(update(plans).where(CLAIMED, _p.worker == worker).values(lease_until=until))


class _Outcome(NamedTuple):
    """A plan, what became of it, and its effects as rows."""

    plan: Row[Any]
    worked: Worked
    rows: Rendered


def _without_effects(row: Row[Any], result: Worked) -> _Outcome:
    return _Outcome(row, result, Rendered([], [], []))


def _rendered(installation: Installation, row: Row[Any], result: Worked, now: datetime, code_of: CodeOf) -> _Outcome:
    """Return the rows of a plan's effects, or the failure that they come to."""
    if result.status != "done":
        return _without_effects(row, result)
    try:
        return _Outcome(row, result, render_effects(installation, row, result.effects, now, code_of))
    except (PluginError, TemplateError) as error:
        return _without_effects(row, Worked("failed", str(error)))
    except Exception as error:  # noqa: BLE001 - an effect may hold whatever a plugin put into it
        return _without_effects(row, _failed(installation, row, error))


def _failed(installation: Installation, row: Row[Any], error: Exception) -> Worked:
    failure = failure_of(installation.plugins.installed[row.plugin], row.action, refusal(error))
    return Worked("failed", str(failure), detail=failure.traceback)


def _store(
    installation: Installation, connection: Connection, outcomes: Sequence[_Outcome], worker: str, now: datetime
) -> None:
    store = installation.store
    texts = [message for each in outcomes for message in each.rows.messages]
    work = [task for each in outcomes for task in each.rows.tasks]
    store.insert(connection, messages, MESSAGE_COLUMNS, texts, ignore_repeats=True)
    store.insert(connection, tasks, TASK_COLUMNS, work, ignore_repeats=True)
    store_first_entries(store, connection, [entry for each in outcomes for entry in each.rows.entries], now)
    _end_plans(connection, worker, [(each.plan, each.worked) for each in outcomes], now)


def _store_alone(
    installation: Installation, connection: Connection, each: _Outcome, worker: str, now: datetime
) -> _Outcome:
    """Store one plan's effects; when the table refuses them, its failure instead."""
    try:
        with connection.begin_nested():
            _store(installation, connection, [each], worker, now)
    except OperationalError:  # the database has a bad day, the plugin is not to blame
        raise
    except Exception as error:  # noqa: BLE001 - see above
        each = _without_effects(each.plan, _failed(installation, each.plan, error))
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
    return set(connection.execute(_MINE, {"own_worker": worker}).scalars())


def _end_plans(connection: Connection, worker: str, worked: Iterable[tuple[Row[Any], Worked]], now: datetime) -> None:
    ends: dict[tuple[str, str | None, datetime | None], list[int]] = {}
    for row, result in worked:
        status, rest = result.status, None
        if status == "failed" and row.attempts + 1 < _ATTEMPTS and result.why != "plan.action_gone":
            status, rest = "planned", now + _PAUSE  # whatever changes meanwhile can still move it or take it back
        ends.setdefault((status, result.why, rest), []).append(row.id)
    for (status, why, rest), ids in ends.items():
        values = {"status": status, "why": why, "lease_until": rest, "changed_at": now}
        connection.execute(_END, {"numbers": ids, "own_worker": worker, **values})
