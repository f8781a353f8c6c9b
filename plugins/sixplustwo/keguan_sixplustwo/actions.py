"""What happens when a promise falls due: a message to the main contact, or a task for a department."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import partial

from keguan.model import Action, Contract, Effect, Email, Home, Job, Person, Skip, Sms, Task
from keguan.texts import LANGUAGES, text
from keguan_sixplustwo.planner import dates_of
from keguan_sixplustwo.prepared import Prepared
from keguan_sixplustwo.touchpoint import Channel, Kind, Touchpoint

__all__ = ["actions"]


def actions(prepared: Prepared) -> list[Action]:
    """Return one action for each touchpoint of any playbook in force, named as the touchpoint.

    Which playbook applies is seen at the due time, from the job's city and project: a touchpoint may differ
    from city to city, and the action is the same.
    """
    found: dict[str, list[Touchpoint]] = {}
    ours = prepared.settings.edition  # where editions name a touchpoint differently, the word of this one counts
    for key in sorted(prepared.playbooks, key=lambda key: key[0] != ours):
        for entry in prepared.playbooks[key].touchpoints.values():
            found.setdefault(entry.id, []).append(entry)
    return [_action(name, entries) for name, entries in found.items()]


def _action(name: str, entries: Sequence[Touchpoint]) -> Action:
    """Return the action of a touchpoint, called as the first of its ``entries`` calls it."""
    first = entries[0]
    makes_up = any(entry.late == "task" for entry in entries)
    return Action(
        name,
        partial(_run, name),
        when_late=partial(_run_late, name) if makes_up else None,
        label={language: first.name.in_(language) for language in LANGUAGES},
        step=first.step,
        kind="task" if first.kind is Kind.TASK else "message",
    )


def _run(name: str, job: Job) -> Iterable[Effect] | Skip:
    """Do the touchpoint ``name`` for the job's record."""
    entry = _entry(name, job)
    if entry is None:
        return _skip(job, "sixplustwo.skip.not_in_playbook")
    if _closed(name, job):
        return _skip(job, "sixplustwo.skip.window_closed")
    if entry.kind is Kind.TASK:
        return [_task(entry, job, job.context.calendar.date_of(job.due))]
    return _messages(entry, job)


def _run_late(name: str, job: Job) -> Iterable[Effect] | Skip:
    """Make up for the touchpoint ``name``, whose window had passed before its fact came in."""
    entry = _entry(name, job)
    if entry is None:
        return _skip(job, "sixplustwo.skip.not_in_playbook")
    if entry.late == "miss":
        return _skip(job, "sixplustwo.skip.window_closed")
    calendar = job.context.calendar
    return [_task(entry, job, calendar.roll_forward(calendar.date_of(job.now)))]


def _prepared(job: Job) -> Prepared:
    prepared = job.context.prepared
    assert isinstance(prepared, Prepared)
    return prepared


def _entry(name: str, job: Job) -> Touchpoint | None:
    """Return the touchpoint as it is in the job's city now, or ``None`` when it was dropped since."""
    prepared = _prepared(job)
    edition = prepared.settings.edition_of(job.record.project.name)
    return prepared.playbook(job.context.city.key, edition).touchpoints.get(name)


def _closed(name: str, job: Job) -> bool:
    """Return whether the window is over by the record as it is now: the home was handed over meanwhile."""
    record = job.record
    assert isinstance(record, Contract | Home)
    for promises in _prepared(job).schedule(job.context.city.key, record.project.name).values():
        if promise := promises.each.get(name):
            end = promise.end(dates_of(record), job.context)
            return end is not None and end <= job.now
    return False


def _messages(entry: Touchpoint, job: Job) -> Iterable[Effect] | Skip:
    to = _main_contact(job)
    if to is None:
        return _skip(job, "sixplustwo.skip.nobody_known")
    assert entry.template is not None
    assert entry.channel is not None
    values = {"project": job.record.project.name, "home": _home(job)}
    kinds = {Channel.SMS: Sms, Channel.EMAIL: Email}
    return [kinds[channel](to, entry.template, values) for channel in entry.channel]


def _task(entry: Touchpoint, job: Job, day: date) -> Task:
    """Return the task, to be done before the office closes on ``day``."""
    language = job.context.language
    assert entry.owner is not None
    return Task(
        title=text(
            language,
            "sixplustwo.task_title",
            name=entry.name.in_(language),
            project=job.record.project.name,
            home=_home(job),
        ),
        department=entry.owner[0],
        due=max(job.due, job.context.calendar.closing(day)),
        evidence=tuple(item.in_(language) for item in entry.evidence or ()),
        form=entry.form,
    )


def _main_contact(job: Job) -> Person | None:
    record = job.record
    assert isinstance(record, Contract | Home)
    return record.owners[0] if record.owners else None


def _home(job: Job) -> str:
    """Return the home as people write it; a contract without one is named by its number."""
    record = job.record
    if isinstance(record, Home):
        return record.label
    assert isinstance(record, Contract)
    return record.home.label if record.home else record.contract_no


def _skip(job: Job, reason: str) -> Skip:
    return Skip(text(job.context.language, reason))
