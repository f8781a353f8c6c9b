"""Gates: what may not begin before an assessment was passed, and what becomes of it when it was not.

The blocked touchpoint reads the assessment's form when its time has come. An assessment that is passed later lets it
through then. After one that failed a person decides: postponed, it happens on the new day once a second assessment
was passed; cancelled, it has the consequences that the standard states.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from keguan.model import Effect, Filled, Job, Skip, Task
from keguan.texts import text
from keguan_sixplustwo.doing.standing import department_of, due_on, entry_of, make_task, place, plan_of, skip
from keguan_sixplustwo.touchpoint import Touchpoint

__all__ = ["DECISION_FORM", "blocked", "decide", "let_through", "postponed"]

DECISION_FORM = "gate_decision"
"""What is filled in by whoever decides: ``decision`` (postpone, cancel), ``new_date``, ``passed``, ``reason``."""

_DAYS_TO_DECIDE = 2
"""How many working days there are to decide. Ours."""


def blocked(entry: Touchpoint, job: Job) -> Skip | None:
    """Return why the touchpoint cannot begin, or ``None`` when its gate was passed by the time it should.

    One that was passed after that counts as blocked, whenever this runs: ``let_through`` does it, and only that. A
    gate that is in the playbook no more blocks nothing.
    """
    assert entry.gate is not None
    if entry_of(entry.gate, job) is None:
        return None
    assessed = job.filled.get(entry.gate)
    if assessed is None:
        return _blocked("sixplustwo.skip.blocked", entry, job)
    if not _passed(assessed):
        return _blocked("sixplustwo.skip.blocked_failed", entry, job)
    return _blocked("sixplustwo.skip.blocked", entry, job) if _after(assessed, job.opens or job.due) else None


def let_through(entry: Touchpoint, job: Job, *, gate: str) -> Iterable[Effect]:
    """Return the touchpoint's task when ``gate`` was passed after the touchpoint should have begun, else nothing."""
    assessed, plan = job.filled.get(gate), plan_of(entry, job)
    if assessed is None or plan is None or not _passed(assessed) or not _after(assessed, plan.opens or plan.due):
        return []
    return [make_task(entry, job, due=max(due_on(job), due_on(job, job.context.calendar.date_of(plan.due))))]


def decide(job: Job, *, gate: str, behind: Sequence[str]) -> Iterable[Effect]:
    """Return the task to decide what becomes of ``behind``, what ``gate`` blocks, when the assessment failed."""
    assessed, assessment = job.filled.get(gate), entry_of(gate, job)
    waiting = [found for name in behind if (found := entry_of(name, job)) is not None]
    if assessed is None or assessment is None or not waiting or _passed(assessed):
        return []
    language, between = job.context.language, "、" if job.context.language == "zh" else ", "
    title = text(
        language,
        "sixplustwo.gate_failed_title",
        gate=assessment.name.in_(language),
        name=between.join(entry.name.in_(language) for entry in waiting),
        place=place(job),
        consequence=_consequence(assessment, waiting[0], job),
    )
    # who assesses decides too: the source gives that right to one department
    by = job.context.calendar.workday_limit(job.due, _DAYS_TO_DECIDE)
    return [Task(title=title, department=department_of(assessment), due=by, form=DECISION_FORM)]


def postponed(entry: Touchpoint, job: Job, *, decision: str) -> Iterable[Effect] | Skip:
    """Return the touchpoint's task for its new day; nothing when it was cancelled.

    Skipped when the second assessment was not passed either.
    """
    decided = job.filled.get(decision)
    if decided is None or decided.answers.get("decision") != "postpone":
        return []
    day = decided.answers.get("new_date")
    if not _passed(decided) or not isinstance(day, str):
        return _blocked("sixplustwo.skip.blocked_failed", entry, job)
    new_day = job.context.calendar.roll_forward(date.fromisoformat(day))
    return [make_task(entry, job, due=max(job.due, due_on(job, new_day)))]


def _blocked(reason: str, entry: Touchpoint, job: Job) -> Skip:
    assert entry.gate is not None
    gate = entry_of(entry.gate, job)
    name = entry.gate if gate is None else gate.name.in_(job.context.language)
    return skip(job, reason, gate=name, consequence=_consequence(gate, entry, job))


def _passed(filled: Filled) -> bool:
    return filled.answers.get("passed") is True


def _after(filled: Filled, begins: datetime) -> bool:
    return filled.at is not None and filled.at > begins


def _consequence(gate: Touchpoint | None, behind: Touchpoint, job: Job) -> str:
    """Return what the standard states for a failed gate, else for the touchpoint behind it."""
    for entry in (gate, behind):
        if entry is not None and entry.consequence is not None:
            return entry.consequence.in_(job.context.language)
    return "–"
