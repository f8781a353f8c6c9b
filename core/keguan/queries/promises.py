"""Promises with what became of them: plans joined with their messages, tasks and evidence, page by page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select, true

from keguan.masking import mask_text
from keguan.model import Subject
from keguan.model.checks import Promised
from keguan.plans.effects import plan_key
from keguan.queries.promise_state import EffectFacts, PlanFacts, promise_state
from keguan.queries.reader import Reader, by_key, pages, plain_why
from keguan.store.records import in_chunks
from keguan.store.schema import evidence, messages, plans, projects, tasks
from keguan.texts import text

__all__ = ["Traced", "effect_facts", "read_promises", "trace_promises"]

_p = plans.c
_m = messages.c
_t = tasks.c


class Traced(NamedTuple):
    """A promise with the rows it was derived from."""

    plan: Any
    """The row of the plan."""
    effects: Sequence[Any]
    """The rows of its messages and tasks; those of messages have a ``channel``."""
    promised: Promised


def read_promises(reader: Reader, connection: Connection, *conditions: ColumnElement[bool]) -> Iterator[Promised]:
    """Yield the promises whose plans meet ``conditions``, in the order of their due times, with their states."""
    return (traced.promised for traced in trace_promises(reader, connection, *conditions))


def trace_promises(
    reader: Reader,
    connection: Connection,
    *conditions: ColumnElement[bool],
    people: Collection[int] | None = None,
    unmask: bool = False,
) -> Iterator[Traced]:
    """Yield the same promises with what they were derived from.

    With ``people`` only messages to these persons count. What people wrote is masked unless ``unmask``.
    """
    statement = (
        select(
            _p.id,
            _p.plugin,
            _p.action,
            _p.clause,
            _p.subject_type,
            _p.subject_id,
            _p.occurrence,
            _p.round,
            _p.kind,
            _p.city,
            _p.due_at,
            _p.until_at,
            _p.run_at,
            _p.status,
            _p.stale,
            _p.late_at_creation,
            _p.note,
            _p.why,
            projects.c.name.label("project"),
        )
        .select_from(plans)
        .outerjoin(projects, projects.c.id == _p.project_id)
        .where(*conditions)
        .order_by(_p.due_at, _p.id)
    )
    for page in pages(connection, statement):
        effects = by_key(_effects(connection, [row.id for row in page], people), lambda row: row.plan_id)
        for row in page:
            mine = effects.get(row.id, [])
            yield Traced(row, mine, _promised(row, mine, reader, str if unmask else mask_text))


def _effects(connection: Connection, ids: Sequence[int], people: Collection[int] | None) -> list[Any]:
    """Return the messages and tasks of these plans, each kind with its own columns."""
    found: list[Any] = []
    to = true() if people is None else _m.person_id.in_(people)
    for chunk in in_chunks(ids):
        found += connection.execute(
            select(_m.plan_id, _m.channel, _m.status, _m.why, _m.error, _m.expires_at, _m.sent_at, _m.to_masked)
            .where(_m.plan_id.in_(chunk), to)
            .order_by(_m.id)
        )
        files = select(func.count()).where(evidence.c.task_id == _t.id).scalar_subquery()
        found += connection.execute(
            select(
                _t.plan_id,
                _t.id,
                _t.title,
                _t.department,
                _t.form,
                _t.status,
                _t.due_at,
                _t.postponed,
                _t.closed_at,
                _t.closed_by,
                _t.result,
                _t.reason,
                files.label("files"),
            )
            .where(_t.plan_id.in_(chunk))
            .order_by(_t.id)
        )
    return found


def effect_facts(row: Any) -> EffectFacts:
    """Return what deriving needs to know of a message or a task."""
    if hasattr(row, "channel"):
        return EffectFacts("message", row.status, row.expires_at, row.sent_at, row.why or row.error)
    return EffectFacts("task", row.status, row.due_at, row.closed_at, row.reason)


def _promised(row: Any, effects: Sequence[Any], reader: Reader, masked: Callable[[str], str]) -> Promised:
    plan = PlanFacts(row.status, row.run_at, row.until_at, row.stale, row.why)
    facts = [effect_facts(effect) for effect in effects]
    state = promise_state(plan, facts, reader.now)
    why = plain_why(reader.language, state.why)
    return Promised(
        key=plan_key(row),
        plugin=row.plugin,
        action=row.action,
        clause=row.clause,
        subject=Subject(row.subject_type, row.subject_id),
        project=row.project,
        city=row.city,
        due_at=row.due_at.astimezone(reader.zone(row.city)),
        until=reader.local(row.until_at, row.city),
        status=state.status,
        kind=facts[0].kind if facts else None,
        late_at_creation=row.late_at_creation,
        why="; ".join(masked(part) for part in (why, row.note) if part) or None,
        result="; ".join(proof for effect in effects if (proof := _proof(effect, row.city, reader, masked))) or None,
        done_at=reader.local(state.done_at, row.city),
    )


def _proof(effect: Any, city: str, reader: Reader, masked: Callable[[str], str]) -> str | None:
    """Return in short what shows that an effect was done; ``None`` while nothing does."""
    if hasattr(effect, "channel"):
        if effect.sent_at is None:
            return None
        channel = plain_why(reader.language, f"words.channel.{effect.channel}")
        return text(
            reader.language,
            "journey.sent",
            channel=effect.channel if channel is None or "." in channel else channel,
            at=_minute(effect.sent_at, city, reader),
            to=effect.to_masked or "–",
        )
    if effect.status != "done":
        return None
    at = "–" if effect.closed_at is None else _minute(effect.closed_at, city, reader)
    done = text(reader.language, "journey.done_proven" if effect.files else "journey.done", at=at, files=effect.files)
    if not effect.result:
        return done
    return text(reader.language, "journey.done_result", done=done, result=masked(effect.result))


def _minute(instant: datetime, city: str, reader: Reader) -> str:
    return f"{instant.astimezone(reader.zone(city)):%Y-%m-%d %H:%M}"
