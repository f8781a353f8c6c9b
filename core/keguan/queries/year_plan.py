"""The plan of a year: what projects and the company have to do, day by day, and which gatherings clash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, or_

from keguan.masking import mask_text
from keguan.queries.areas import Areas
from keguan.queries.promise_state import PromiseState, effect_state
from keguan.queries.promises import Traced, effect_facts, trace_promises
from keguan.queries.reader import Reader
from keguan.queries.subjects import natural_ids
from keguan.store.schema import plans, tasks

__all__ = ["read_year_plan"]

_p = plans.c
_t = tasks.c
_OVER = ("missed", "failed", "waived", "cancelled")
"""What does not take place, and so is in nobody's way."""


def read_year_plan(
    reader: Reader, year: int, areas: Areas | None = None, *, project: str | None = None, city: str | None = None
) -> dict[str, Any]:
    """Return what projects and the company in each city have to do in ``year``: ``{year entries clashes failures}``.

    An entry is ``{date place{type,id} city what touchpoint label plugin clause kind department status done_at
    postponed task gathering}``: a task on its day, postponed ones on their new one, and a promise that did not come up
    yet on the day it is due. Entries stand by place, the company before its projects, then by date. A clash is ``{date
    place{type,id} what}``: two gatherings of customers of one place on one day. ``project`` is a project's name,
    ``city`` a city's key, name or alias. Raises ``InputError`` for one that nobody knows.
    """
    known = areas or Areas()
    with reader.store.read() as connection:
        narrowed = _narrowed(reader, connection, project, city)
        traced = list(trace_promises(reader, connection, _in_year(year), *narrowed))
        names = natural_ids(connection, (each.promised.subject for each in traced), reader.settings)
    entries = [
        entry | {"place": names[each.promised.subject]}
        for each in traced
        for entry in _entries(reader, each, known)
        if entry["date"].year == year
    ]
    entries.sort(key=lambda entry: (entry["city"], entry["place"]["type"] != "branch", entry["place"]["id"]))
    ordered = [entry for place in _by_place(entries).values() for entry in sorted(place, key=_order)]
    return {"year": year, "entries": ordered, "clashes": list(_clashes(ordered)), "failures": known.failures}


def _in_year(year: int) -> ColumnElement[bool]:
    """Return the condition that a plan, or a task of it, may be due in ``year``: a day too many at either end."""
    first = datetime(year, 1, 1, tzinfo=UTC) - timedelta(days=1)
    last = datetime(year, 12, 31, tzinfo=UTC) + timedelta(days=2)
    task = exists().where(_t.plan_id == _p.id, _t.due_at.between(first, last))
    return and_(
        _p.subject_type.in_(("project", "branch")),
        _p.status != "cancelled",
        or_(_p.due_at.between(first, last), task),
    )


def _narrowed(
    reader: Reader, connection: Connection, project: str | None, city: str | None
) -> Iterator[ColumnElement[bool]]:
    if project is not None:
        number = reader.project_id(connection, project)
        yield and_(_p.subject_type == "project", _p.subject_id == number)
    if city is not None:
        yield _p.city == reader.city_key(connection, city)


# --- Entries ----------------------------------------------------------------------------------------------------


def _entries(reader: Reader, traced: Traced, areas: Areas) -> Iterator[dict[str, Any]]:
    """Yield an entry for each task of a promise, or one for the promise itself while it has none."""
    promised, plan = traced.promised, traced.plan
    remarks = areas.remarks(promised.plugin, promised.action, promised.city, promised.clause, reader.language)
    action = areas.actions.get((promised.plugin, promised.action))
    label = areas.label(promised.plugin, promised.action, reader.language)
    every = {
        "city": promised.city,
        "touchpoint": promised.action,
        "label": label,
        "plugin": promised.plugin,
        "clause": promised.clause or None,
    }
    work = [effect for effect in traced.effects if hasattr(effect, "department") and effect.status != "cancelled"]
    if not work:
        kind = promised.kind or (action.kind if action else None)
        state = PromiseState(promised.status, None, promised.done_at)
        about = {"what": label or promised.action, "kind": kind, "department": remarks.department}
        yield every | about | _shown(promised.due_at, state, reader, plan) | {"gathering": remarks.gathering}
        return
    main, follows = _main(work), action is not None and action.after is not None
    for task in work:
        itself = task is main
        about = {
            "what": label if itself and label and not follows else mask_text(task.title),
            "kind": "task",
            "department": task.department,
        }
        state = effect_state(effect_facts(task), plan.until_at, reader.now)
        yield (
            every
            | about
            | _shown(task.due_at, state, reader, plan, task)
            | {"gathering": remarks.gathering if itself else None}
        )


def _main(work: Sequence[Any]) -> Any:
    """Return the task that a promise is about: the one with a form, else the last; others prepare it."""
    return max(work, key=lambda task: (task.form is not None, task.due_at, task.id))


def _shown(at: datetime, state: PromiseState, reader: Reader, plan: Any, task: Any = None) -> dict[str, Any]:
    return {
        "date": at.astimezone(reader.zone(plan.city)).date(),
        "status": state.status,
        "done_at": reader.local(state.done_at, plan.city),
        "postponed": 0 if task is None else task.postponed,
        "task": None if task is None else task.id,
    }


def _order(entry: Mapping[str, Any]) -> tuple[date, str, int]:
    return entry["date"], entry["what"], entry["task"] or 0


# --- Clashes ----------------------------------------------------------------------------------------------------


def _by_place(entries: Sequence[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return entries by their place, in the order of the first of each."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for entry in entries:
        found.setdefault((entry["place"]["type"], entry["place"]["id"]), []).append(entry)
    return found


def _clashes(entries: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the days on which one place has two gatherings; what goes along with a gathering is no other one."""
    days: dict[tuple[str, str, date], dict[str, str]] = {}
    for entry in entries:
        if entry["gathering"] is not None and entry["status"] not in _OVER:
            where = (entry["place"]["type"], entry["place"]["id"], entry["date"])
            gathering = f"{entry['plugin']}.{entry['gathering']}"
            days.setdefault(where, {}).setdefault(gathering, entry["what"])
    for (kind, name, day), gatherings in days.items():
        if len(gatherings) > 1:
            yield {"date": day, "place": {"type": kind, "id": name}, "what": list(gatherings.values())}
