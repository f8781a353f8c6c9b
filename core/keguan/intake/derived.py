"""What is known of a project by its contracts and homes: kept up in bulk while these change.

A change tells only which values a project lost and which it gained. An earlier day that was gained is the new value;
the records are asked again only when the value itself was lost, so that importing a project's contracts one after the
other does not read the project's contracts again each time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from sqlalchemy import Column, ColumnElement, Connection, func, select, true

from keguan.intake.entries import LIVE, ContractEntry, HomeEntry, ProjectEntry
from keguan.store.schema import contracts, homes

__all__ = ["DERIVED", "Shifts", "derive", "note_shifts"]

Value: TypeAlias = date | str
Shifts: TypeAlias = dict[str, dict[int, tuple[set[Value], set[Value]]]]
"""Name of the fact to project to the values that were lost and gained."""


@dataclass(frozen=True, slots=True)
class _Fact:
    """One fact of a project: the least or the greatest value of a column over its contracts or homes."""

    column: Column[Any]
    counts: ColumnElement[bool]
    """Which rows take part."""
    greatest: bool = False

    def best(self, values: Iterable[Any]) -> Value | None:
        """Return which of ``values`` the project has."""
        return (max if self.greatest else min)(values, default=None)

    def ask(self, connection: Connection, projects: Collection[int]) -> dict[int, Value | None]:
        """Return what the records say now of these projects."""
        table = self.column.table
        best = (func.max if self.greatest else func.min)(self.column)
        statement = select(table.c.project_id, best).where(table.c.project_id.in_(projects), self.counts)
        found = {row[0]: row[1] for row in connection.execute(statement.group_by(table.c.project_id))}
        return {project: found.get(project) for project in projects}


DERIVED: Mapping[str, _Fact] = {
    "planned_handover_on": _Fact(contracts.c.planned_handover_on, contracts.c.status.in_(LIVE)),
    "handed_over_on": _Fact(homes.c.handed_over_on, true()),
    "fitting": _Fact(homes.c.fitting, true(), greatest=True),  # by the alphabet `fitted` comes after `bare`
}
"""By the name of the column in ``projects``."""


def note_shifts(shifts: Shifts, entries: Iterable[ContractEntry | HomeEntry]) -> None:
    """Add to ``shifts`` what changed in ``entries`` since they were counted last; they count as counted then."""
    for entry in entries:
        now = entry.counts
        if now == entry.counted:
            continue
        for name, before, after in zip(entry.derives, entry.counted, now, strict=True):
            if before != after:
                lost, gained = shifts.setdefault(name, {}).setdefault(entry.project_id, (set(), set()))
                if before is not None:
                    lost.add(before)
                if after is not None:
                    gained.add(after)
        entry.counted = now


def derive(
    connection: Connection, projects: Mapping[int, ProjectEntry], shifts: Shifts
) -> dict[int, dict[str, Value | None]]:
    """Return by project what is new about it. What a person stated for a project stays.

    The contracts and homes must be written already; of ``projects`` only those that lost or gained are looked at.
    """
    news: dict[int, dict[str, Value | None]] = {}
    for name, by_project in shifts.items():
        fact = DERIVED[name]
        lost_it = []
        for key, (lost, gained) in by_project.items():
            project = projects[key]
            if name in project.stated_names:
                continue
            known = getattr(project, name)
            best = fact.best(value for value in (known, *gained) if value is not None)
            if best is not None and best in gained:
                _note(news, project, name, best)
            elif known in lost:
                lost_it.append(key)
        if lost_it:
            for key, value in fact.ask(connection, lost_it).items():
                _note(news, projects[key], name, value)
    return news


def _note(news: dict[int, dict[str, Value | None]], project: ProjectEntry, name: str, value: Value | None) -> None:
    if getattr(project, name) != value:
        news.setdefault(project.id, {})[name] = value
