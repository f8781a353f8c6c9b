"""What jobs bring along beside their record: forms that were filled in, the homes or contracts of a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, select

from keguan.model import Action, Branch, Contract, Filled, Home, Record, Subject
from keguan.store.listed import listed
from keguan.store.records import load_records
from keguan.store.schema import contracts, form_entries, homes, plans, projects, tasks

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["NOTHING", "Brought", "bring_along"]

_p, _t, _e = plans.c, tasks.c, form_entries.c
_IN_FORCE = ("reserved", "signed")
_FORMS = (
    select(_p.plugin, _p.subject_id, _p.occurrence, _p.action, _e.answers, _e.lines, _e.filled_at)
    .join_from(plans, tasks, _t.plan_id == _p.id)
    .join(form_entries, (_e.task_id == _t.id) & (_e.form == _t.form))
    .where(_p.subject_type == bindparam("kind"), listed(_p.subject_id))
    .where(_p.plugin == bindparam("of_plugin"), _p.action.in_(bindparam("actions", expanding=True)))
    .where(_e.complete, _e.removed_at.is_(None))
    .order_by(_e.filled_at, _e.id)
)
_OF_PROJECTS = {
    "home": select(homes.c.id).where(listed(homes.c.project_id)),
    "contract": select(contracts.c.id).where(listed(contracts.c.project_id), contracts.c.status.in_(_IN_FORCE)),
}


@dataclass(frozen=True, slots=True)
class Brought:
    """What one plan's job brings along; see the fields of ``Job``."""

    filled: Mapping[str, Filled] = field(default_factory=dict)
    homes: Sequence[Home] = ()
    contracts: Sequence[Contract] = ()


NOTHING = Brought()
"""What most actions ask for."""


def bring_along(
    connection: Connection, installation: Installation, rows: Sequence[Any], records: Mapping[Subject, Record]
) -> dict[int, Brought]:
    """Return what the actions of the plans ``rows`` ask for, by the plan's number; the others are not in it.

    Costs a handful of statements for any number of plans, none when no action asks. A project's homes or contracts
    are loaded once, however many plans share them.
    """
    actions = {row.id: installation.plugins.actions.get((row.plugin, row.action)) for row in rows}
    asking = [(row, action) for row in rows if (action := actions[row.id]) is not None and _asks(action)]
    if not asking:
        return {}
    filled = _filled(connection, asking)
    places = {need: _of_projects(connection, need, asking, records) for need in ("homes", "contracts")}
    found: dict[int, Brought] = {}
    for row, action in asking:
        about = Subject(row.subject_type, row.subject_id)
        own = filled.get((row.plugin, about, row.occurrence), {})
        mine = {name: own[name] for name in _names(action) if name in own}
        here = {need: places[need].get(about, ()) if action.needs == need else () for need in places}
        found[row.id] = Brought(mine, **here)
    return found


def _asks(action: Action) -> bool:
    return bool(action.after or action.reads or action.needs)


def _names(action: Action) -> tuple[str, ...]:
    """Return the actions whose forms ``action`` gets."""
    return action.reads if action.after is None else (action.after, *action.reads)


def _filled(
    connection: Connection, asking: Sequence[tuple[Any, Action]]
) -> dict[tuple[str, Subject, int], dict[str, Filled]]:
    """Return the newest complete form of each action that is asked for, by plugin, subject and occurrence."""
    subjects: dict[str, set[int]] = {}
    names: dict[str, set[str]] = {}
    for row, action in asking:
        if wanted := _names(action):
            subjects.setdefault(row.subject_type, set()).add(row.subject_id)
            names.setdefault(row.plugin, set()).update(wanted)
    found: dict[tuple[str, Subject, int], dict[str, Filled]] = {}
    for plugin, wanted_names in names.items():
        for kind, ids in subjects.items():
            asked = {"kind": kind, "numbers": ids, "of_plugin": plugin, "actions": sorted(wanted_names)}
            for row in connection.execute(_FORMS, asked):  # the newest comes last
                of_promise = found.setdefault((plugin, Subject(kind, row.subject_id), row.occurrence), {})
                of_promise[row.action] = Filled(row.answers, row.lines, row.filled_at)
    return found


def _of_projects(
    connection: Connection, need: str, asking: Sequence[tuple[Any, Action]], records: Mapping[Subject, Record]
) -> dict[Subject, Sequence[Any]]:
    """Return all homes or contracts of the project of each subject that needs them, of a branch those of its city."""
    about = {Subject(row.subject_type, row.subject_id) for row, action in asking if action.needs == need}
    present = {subject: records[subject] for subject in about if subject in records}
    if not present:
        return {}
    cities = {record.city for record in present.values() if isinstance(record, Branch)}
    of_city: dict[str, set[int]] = {}
    if cities:
        chosen = select(projects.c.city, projects.c.id).where(projects.c.city.in_(sorted(cities)))
        for city, number in connection.execute(chosen):
            of_city.setdefault(city, set()).add(number)
    mine = {
        subject: of_city.get(record.city, set()) if isinstance(record, Branch) else {record.project.id}
        for subject, record in present.items()
    }
    loaded = _loaded(connection, "home" if need == "homes" else "contract", set().union(*mine.values()))
    shared = {  # one list for all subjects of a project
        chosen: tuple(sorted((one for number in chosen for one in loaded.get(number, ())), key=lambda one: one.id))
        for chosen in {frozenset(numbers) for numbers in mine.values()}
    }
    return {subject: shared[frozenset(numbers)] for subject, numbers in mine.items()}


def _loaded(connection: Connection, kind: str, of: set[int]) -> dict[int, list[Any]]:
    """Return the homes or the contracts in force, by the number of their project."""
    numbers = connection.execute(_OF_PROJECTS[kind], {"numbers": of}).scalars()
    found: dict[int, list[Any]] = {}
    for record in load_records(connection, {Subject(kind, number) for number in numbers}).values():
        found.setdefault(record.project.id, []).append(record)
    return found
