"""Deliver events to plugins and make the stored plans the wanted ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select

from keguan.events.history import load_history, new_events, ticks_by_number
from keguan.model import Event, Subject
from keguan.plans.answers import Answers, ask_about, ask_about_ticks
from keguan.plans.deliveries import skip_unanswered
from keguan.plans.storing import Planned, store_answers
from keguan.plans.wants import Place
from keguan.store.branches import ensure_branches, load_branches
from keguan.store.records import load_projects, load_records
from keguan.store.schema import deliveries, events

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["Planned", "deliver_events", "replan", "replay_ticks", "retry_deliveries"]

_BATCH = 1000
_e = events.c


def deliver_events(installation: Installation, limit: int = _BATCH) -> Planned:
    """Give the oldest new events to the plugins and store what they want; ``events`` is 0 when there are none.

    Plans, deliveries and the end of the events are written in one transaction. Planners take turns, because
    two that worked from different states of one record could otherwise overwrite each other.
    """
    with installation.planning():
        now = installation.clock.now()
        with installation.store.read() as connection:
            fresh = new_events(connection, limit)
            if not fresh:
                return Planned()
            ticks = [event for event in fresh if event.type == "tick"]
            news: dict[Subject, list[Event]] = {}
            for event in fresh:
                if event.type != "tick":
                    news.setdefault(event.subject, []).append(event)
            records = load_records(connection, news)
            history = load_history(connection, news, fresh)
        places = _places(installation, ticks)
        answers = Answers()
        with installation.plugins.watchdog.batch():
            for subject, mine in history.items():
                ask_about(installation, records.get(subject), mine, answers, now, delivered=news[subject])
            ask_about_ticks(installation, ticks, places, answers, now)
        planned = store_answers(installation, answers, now, finished=[event.seq for event in fresh])
        planned.events = len(fresh)
        return planned


def replan(
    installation: Installation,
    subjects: Iterable[Subject],
    *,
    only: Collection[str] | None = None,
    reopen: bool = False,
) -> Planned:
    """Ask again for ``subjects`` and store what is wanted now: replay, backfill, a changed calendar.

    ``only`` limits it to some plugins. With ``reopen``, plans that failed are tried again. Deliveries of the
    subjects' events to these plugins that had failed or been skipped become done.
    """
    total = Planned()
    todo = sorted(set(subjects))
    for start in range(0, len(todo), _BATCH):
        chunk = todo[start : start + _BATCH]
        with installation.planning():
            now = installation.clock.now()
            with installation.store.read() as connection:
                records = load_records(connection, chunk)
                history = load_history(connection, chunk)
            answers = Answers()
            with installation.plugins.watchdog.batch():
                for subject in chunk:
                    mine = history.get(subject, [])
                    ask_about(installation, records.get(subject), mine, answers, now, only, delivered=mine)
            done = store_answers(installation, answers, now, finished=[], reopen=reopen)
        done.events = sum(len(history.get(subject, [])) for subject in chunk)
        total.merge(done)
    return total


def retry_deliveries(installation: Installation, limit: int = 200) -> Planned:
    """Call the hooks again whose delivery failed and whose pause is over, for the failed plugin only.

    A delivery that nobody can answer any more counts as skipped: its plugin is off there now, or its record gone.
    """
    now = installation.clock.now()
    with installation.store.read() as connection:
        due = connection.execute(
            select(deliveries.c.plugin, _e.subject_type, _e.subject_id, _e.seq, _e.type)
            .join_from(deliveries, events, deliveries.c.event_seq == _e.seq)
            .where(deliveries.c.status == "failed", deliveries.c.retry_at <= now)
            .order_by(deliveries.c.retry_at)
            .limit(limit)
        ).all()
    total = Planned()
    for plugin in sorted({row.plugin for row in due}):
        rows = [row for row in due if row.plugin == plugin]
        done = replan(
            installation,
            {Subject(row.subject_type, row.subject_id) for row in rows if row.type != "tick"},
            only=(plugin,),
        )
        ticks = [row.seq for row in rows if row.type == "tick"]
        if ticks:
            done.merge(replay_ticks(installation, ticks, only=(plugin,)))
        done.events = len(rows)
        total.merge(done)
        with installation.store.write() as connection:
            skip_unanswered(connection, plugin, [row.seq for row in rows], now)
    return total


def replay_ticks(installation: Installation, seqs: Sequence[int], *, only: Collection[str] | None = None) -> Planned:
    """Call ``daily_tick`` again for the ticks with these numbers."""
    with installation.planning():
        now = installation.clock.now()
        with installation.store.read() as connection:
            ticks = ticks_by_number(connection, seqs)
        places = _places(installation, ticks)
        answers = Answers()
        with installation.plugins.watchdog.batch():
            ask_about_ticks(installation, ticks, places, answers, now, only)
        return store_answers(installation, answers, now, finished=[])


def _places(installation: Installation, ticks: Iterable[Event]) -> dict[str, Place]:
    """Return what there is in the cities of ``ticks``, by their keys: read once for all days and plugins.

    Days recorded before there were branches find theirs made here.
    """
    cities = sorted({event.city for event in ticks})
    if not cities:
        return {}
    store = installation.store
    with store.read() as connection:
        branches, projects = load_branches(connection, cities), load_projects(connection, cities)
    if len(branches) < len(cities):
        with store.write() as connection:
            ensure_branches(store, connection, cities)
            branches = load_branches(connection, cities)
    return {city: Place(branches[city], projects[city]) for city in cities}
