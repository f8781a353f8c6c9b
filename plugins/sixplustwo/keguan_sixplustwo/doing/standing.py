"""How a touchpoint stands when its promise falls due: what the playbook says now, whom it is for, by when."""

from __future__ import annotations

from datetime import date, datetime

from keguan.model import Branch, Contract, Customer, Filled, Home, Job, Person, Plan, Project, Skip, Task
from keguan.texts import text
from keguan_sixplustwo.planning.dates import kind_of
from keguan_sixplustwo.prepared import Prepared
from keguan_sixplustwo.touchpoint import Touchpoint

__all__ = [
    "contact",
    "department_of",
    "due_on",
    "entry_of",
    "errand",
    "home_of",
    "make_task",
    "place",
    "plan_of",
    "prepared_of",
    "skip",
]

_FALLBACK = "客关"
"""Whose work it is where a touchpoint names nobody: that of customer relations. Ours."""


def prepared_of(job: Job) -> Prepared:
    """Return what the plugin worked out at start."""
    prepared = job.context.prepared
    assert isinstance(prepared, Prepared)
    return prepared


def entry_of(name: str, job: Job) -> Touchpoint | None:
    """Return the touchpoint as it is for the job's record now, or ``None`` when it was dropped since."""
    return prepared_of(job).entry(name, job)


def plan_of(entry: Touchpoint, job: Job) -> Plan | None:
    """Return what another touchpoint promises to the job's record, in the same occurrence; ``None``: nothing now."""
    kind = kind_of(entry)
    plans = [] if kind is None else prepared_of(job).plans(kind, job.record, job.context)
    return next((plan for plan in plans if (plan.action, plan.occurrence) == (entry.id, job.occurrence)), None)


# --- Whom and what it is about ----------------------------------------------------------------------------------


def contact(job: Job) -> Person | None:
    """Return whom a message goes to: the customer, of a contract or a home its main contact."""
    record = job.record
    if isinstance(record, Customer):
        return record.person
    assert isinstance(record, Contract | Home)
    return record.owners[0] if record.owners else None


def home_of(job: Job) -> str:
    """Return the home as people write it; a contract without one is named by its number. Empty: about no home."""
    match job.record:
        case Home() as home:
            return home.label
        case Contract() as contract:
            return contract.home.label if contract.home else contract.contract_no
        case Customer(homes=(first, *_)):
            return first.label
        case _:
            return ""


def place(job: Job) -> str:
    """Return what a task is about as its title names it: project and home, project, or the company's city."""
    record = job.record
    if isinstance(record, Branch):
        return job.context.city.name
    if isinstance(record, Project):
        return record.name
    return f"{record.project.name} {home_of(job)}".strip()


# --- What it comes to -------------------------------------------------------------------------------------------


def department_of(entry: Touchpoint) -> str:
    """Return the department that a touchpoint's tasks go to."""
    return entry.owner[0] if entry.owner else _FALLBACK


def due_on(job: Job, day: date | None = None) -> datetime:
    """Return the deadline of a person for ``day`` (default: the day the promise is due): when the office closes."""
    calendar = job.context.calendar
    if day is None:
        return max(job.due, calendar.closing(calendar.date_of(job.due)))
    return calendar.closing(day)


def make_task(
    entry: Touchpoint, job: Job, *, title: str | None = None, due: datetime | None = None, filled: Filled | None = None
) -> Task:
    """Return the touchpoint's own task: its evidence, its form, how far it can be postponed.

    ``title`` and ``due`` stand in for the usual ones; ``filled`` is what its form starts with.
    """
    language = job.context.language
    latest = prepared_of(job).latest(job)
    return Task(
        title=title or text(language, "sixplustwo.task_title", name=entry.name.in_(language), place=place(job)),
        department=department_of(entry),
        due=due or due_on(job),
        evidence=tuple(item.in_(language) for item in entry.evidence or ()),
        form=entry.form,
        filled=filled,
        latest=None if latest is None else job.context.calendar.closing(latest),
    )


def errand(entry: Touchpoint, title: str, due: datetime) -> Task:
    """Return a task that goes with a touchpoint and is not what the standard asks for itself: no form, no evidence."""
    return Task(title=title, department=department_of(entry), due=due)


def skip(job: Job, reason: str, /, **values: object) -> Skip:
    """Return a ``Skip`` that gives the catalogue's sentence ``reason``."""
    return Skip(text(job.context.language, reason, **values))
