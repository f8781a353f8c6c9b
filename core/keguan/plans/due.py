"""Run what is due: claim plans, give each action its snapshot, put the effects into the outbox and the task list."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Connection, Row, and_, case, or_, select, update

from keguan.errors import TemplateError
from keguan.model import Effect, Email, Job, Record, Skip, Sms, Subject, Task
from keguan.outbox.queue import worker_name
from keguan.plugins import Failure
from keguan.store.records import load_records
from keguan.store.schema import messages, plans, tasks
from keguan.store.types import dump_json, to_stored

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["RunTally", "make_job", "plan_key", "recover_plans", "run_due", "work_out"]

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


def plan_key(plan: Any) -> str:
    """Return the plan's unique key as people and logs see it: ``sixplustwo.sms_congratulation/contract/7/1``."""
    key = f"{plan.plugin}.{plan.action}/{plan.subject_type}/{plan.subject_id}/{plan.occurrence}"
    return f"{key}.{plan.round}" if plan.round else key


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
    _write(installation, worked, now, tally)
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
    installation: Installation, worked: Sequence[tuple[Row[Any], Worked]], now: datetime, tally: RunTally
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
        installation.store.insert(connection, messages, _MESSAGE_COLUMNS, rendered_messages, ignore_repeats=True)
        installation.store.insert(connection, tasks, _TASK_COLUMNS, rendered_tasks, ignore_repeats=True)
        _end_plans(connection, ends, again, now)
    for task in rendered_tasks:
        log.info("task", key=task[0], plugin=task[2], action=task[3], clause=task[4], status="open")


def _end_plans(
    connection: Connection,
    ends: dict[tuple[str, str | None], list[int]],
    again: list[tuple[int, str]],
    now: datetime,
) -> None:
    for (status, why), ids in ends.items():
        connection.execute(
            update(plans)
            .where(_p.id.in_(ids), _p.status == "running")
            .values(status=status, why=why, worker=None, lease_until=None, changed_at=now, attempts=_p.attempts + 1)
        )
    for plan_id, why in again:  # rests under a lease of nobody, then is planned again
        connection.execute(
            update(plans)
            .where(_p.id == plan_id, _p.status == "running")
            .values(worker=None, lease_until=now + _PAUSE, why=why, changed_at=now, attempts=_p.attempts + 1)
        )


def recover_plans(connection: Connection, now: datetime, *, own_host_only: str | None = None) -> int:
    """Plan again what was claimed and not finished: leases that ended, or of a worker known to be dead."""
    gone = _p.lease_until <= now
    if own_host_only is not None:
        gone = or_(gone, _p.worker == own_host_only)
    result = connection.execute(
        update(plans)
        .where(_p.status == "running", gone)
        .values(status="planned", worker=None, lease_until=None, changed_at=now)
    )
    return result.rowcount


# --- Effects as rows -----------------------------------------------------------------------------------------

_MESSAGE_COLUMNS = (
    "key",
    "plan_id",
    "plugin",
    "action",
    "clause",
    "project_id",
    "city",
    "channel",
    "message_class",
    "urgent",
    "late",
    "person_id",
    "title",
    "body",
    "html",
    "attachments",
    "segments",
    "status",
    "due_at",
    "next_at",
    "expires_at",
    "created_at",
)
_TASK_COLUMNS = (
    "key",
    "plan_id",
    "plugin",
    "action",
    "clause",
    "title",
    "project_id",
    "city",
    "subject_type",
    "subject_id",
    "department",
    "assignee_id",
    "due_at",
    "status",
    "evidence_required",
    "created_at",
)


def render_effects(
    installation: Installation,
    row: Any,
    effects: Sequence[Effect],
    now: datetime,
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return the rows of ``messages`` and ``tasks`` for one plan's effects, numbered in their order.

    Raises ``TemplateError`` when a template is missing or lacks a value.
    """
    key = plan_key(row)
    stamp = to_stored(now)
    rendered: list[tuple[Any, ...]] = []
    work: list[tuple[Any, ...]] = []
    for number, effect in enumerate(effects, start=1):
        own_key = key if len(effects) == 1 else f"{key}#{number}"
        if isinstance(effect, Task):
            work.append(
                (
                    own_key,
                    row.id,
                    row.plugin,
                    row.action,
                    row.clause,
                    effect.title,
                    row.project_id,
                    row.city,
                    row.subject_type,
                    row.subject_id,
                    effect.department,
                    effect.assignee_id,
                    to_stored(effect.due),
                    "open",
                    dump_json(list(effect.evidence)),
                    stamp,
                )
            )
        else:
            rendered.append(_message_row(installation, row, own_key, effect, stamp))
    return rendered, work


def _message_row(
    installation: Installation,
    row: Any,
    key: str,
    effect: Sms | Email,
    stamp: int,
) -> tuple[Any, ...]:
    html = attachments = segments = None
    if isinstance(effect, Sms):
        channel, title = "sms", ""
        sms = installation.templates.render_sms(row.plugin, effect.template, effect.values)
        body, segments = sms.text, sms.segments
    else:
        channel = "email"
        mail = installation.templates.render_email(row.plugin, effect.template, effect.values)
        title, body, html = mail.subject, mail.text, mail.html
        if effect.attachments:
            attachments = dump_json(
                [
                    {
                        "filename": item.filename,
                        "media_type": item.media_type,
                        "content": base64.b64encode(item.content).decode(),
                    }
                    for item in effect.attachments
                ]
            )
    return (
        key,
        row.id,
        row.plugin,
        row.action,
        row.clause,
        row.project_id,
        row.city,
        channel,
        effect.message_class,
        effect.urgent,
        row.late_at_creation,
        effect.to.id,
        title,
        body,
        html,
        attachments,
        segments,
        "queued",
        to_stored(row.due_at),
        stamp,
        None if row.until_at is None else to_stored(row.until_at),
        stamp,
    )
