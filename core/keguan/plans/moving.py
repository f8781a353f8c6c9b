"""Move what has begun over to another value of what stays as it was: a contract from one edition to another.

What was done stays; what has fallen due stays with the value it began under; what is still to come is wanted by the
new one. The plugin's planner sees to that from ``Context.pins``; here the log is written and everybody asked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import Connection, or_, select

from keguan.events.history import load_history
from keguan.model import Pin, Pins, Subject
from keguan.plans.answers import Answers, ask_about
from keguan.plans.pinning import add_moves, load_pins, unnoted_pins
from keguan.plans.planner import replan
from keguan.plans.storing import Foreseen, Planned, foresee_answers
from keguan.store.records import in_chunks, load_records
from keguan.store.schema import contracts, homes, projects

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["foresee_move", "move_over", "projects_to_move"]

_BATCH = 500


def projects_to_move(installation: Installation, plugin: str, project: str | None = None) -> dict[str, date]:
    """Return the projects that ``plugin`` is at work in, or just the one, each with today's date there.

    Empty when there is no such project.
    """
    now = installation.clock.now()
    statement = select(projects.c.name, projects.c.city).order_by(projects.c.name)
    if project is not None:
        statement = statement.where(projects.c.name == project)
    with installation.store.read() as connection:
        rows = connection.execute(statement).all()
    return {
        row.name: installation.city(row.city).today(now)
        for row in rows
        if installation.plugins.active(plugin, row.city)
    }


def foresee_move(installation: Installation, plugin: str, value: str, days: Mapping[str, date]) -> Iterator[Foreseen]:
    """Yield what moving these projects over would change, contract by contract and home by home. Writes nothing.

    The process goes on as if it had happened, so ask in one that ends.
    """
    with installation.store.read() as connection:
        known = load_pins(connection).get(plugin, Pins())
        subjects = _begun(connection, days)
    # projects go by what is configured, which the daemon may not have noted yet
    configured = unnoted_pins(installation, plugin, known)
    moves = tuple(Pin(project, day, value, moved=True) for project, day in days.items())
    installation.suppose_pins(plugin, Pins(known.log + configured + moves))
    now = installation.clock.now()
    for start in range(0, len(subjects), _BATCH):
        chunk = subjects[start : start + _BATCH]
        with installation.store.read() as connection:
            records = load_records(connection, chunk)
            history = load_history(connection, chunk)
            answers = Answers()
            with installation.plugins.watchdog.batch():
                for subject in chunk:
                    mine = history.get(subject, [])
                    ask_about(installation, records.get(subject), mine, answers, now, (plugin,), delivered=())
            yield from foresee_answers(installation, connection, answers, now)


def move_over(installation: Installation, plugin: str, value: str, days: Mapping[str, date], by: str) -> Planned:
    """Write down that these projects are moved over to ``value`` and ask about everything that has begun in them.

    ``days`` gives each project's date. Safe to repeat when it was broken off: asking again changes nothing that is
    as it should be.
    """
    moves = {project: (day, value) for project, day in days.items()}
    with installation.planning(), installation.store.write() as connection:
        add_moves(installation, connection, plugin, moves, by)
    with installation.store.read() as connection:
        subjects = _begun(connection, days)
    return replan(installation, subjects, only=(plugin,))


def _begun(connection: Connection, days: Mapping[str, date]) -> Sequence[Subject]:
    """Return the projects themselves, their contracts in force, and their homes that were handed over."""
    rows = connection.execute(select(projects.c.id, projects.c.name)).all()
    ids = [row.id for row in rows if row.name in days]
    found = [Subject("project", key) for key in ids]
    for chunk in in_chunks(ids):
        c, h = contracts.c, homes.c
        in_force = select(c.id).where(c.project_id.in_(chunk), c.status.in_(("reserved", "signed")))
        lived_in = or_(h.handed_over_on.is_not(None), h.move_in_on.is_not(None))
        taken = select(h.id).where(h.project_id.in_(chunk), lived_in)
        found += [Subject("contract", key) for key in connection.execute(in_force).scalars()]
        found += [Subject("home", key) for key in connection.execute(taken).scalars()]
    return sorted(found)
