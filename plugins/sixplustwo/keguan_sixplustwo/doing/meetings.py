"""Meetings: told in time, held with a form, and what was agreed there done afterwards.

What was agreed stands in the lines of the form (``what department by``). Forms of visits, house checks and
assessments have such lines too: whatever is written down there is tracked in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from textwrap import shorten

from keguan.masking import mask_text
from keguan.model import Effect, Form, Job, Task
from keguan.texts import text
from keguan_sixplustwo.doing.standing import department_of, due_on, errand, make_task, place
from keguan_sixplustwo.touchpoint import Touchpoint, Trigger

__all__ = ["AGREED", "follow_up", "meet", "records_agreements"]

AGREED = frozenset({"what", "department", "by"})
"""The fields of a line that says what is to be done, by whom and until when."""

_WORKDAYS = 5
"""How long somebody has for what was agreed without a day. Ours."""

_LONGEST = 80
"""How much of what was agreed a title shows; the form keeps all of it."""


def meet(entry: Touchpoint, job: Job) -> Iterable[Effect]:
    """Return the task of the meeting and, where people are told of it before, the task to do so.

    Notice is given ``entry.notice`` days before, on a day off the working day before that.
    """
    meeting = make_task(entry, job)
    if entry.notice is None:
        return [meeting]
    calendar, language = job.context.calendar, job.context.language
    day = calendar.roll_back(calendar.date_of(job.due) - timedelta(days=entry.notice))
    title = text(
        language,
        "sixplustwo.notice_title",
        name=entry.name.in_(language),
        place=place(job),
        date=calendar.date_of(job.due),
    )
    return [errand(entry, title, max(due_on(job, day), job.opens or job.due)), meeting]


def records_agreements(form: Form | None) -> bool:
    """Return whether what is filled into ``form`` may ask for something to be done afterwards."""
    return form is not None and form.lines is not None and {field.name for field in form.lines.fields} >= AGREED


def follow_up(entry: Touchpoint, job: Job, *, source: str) -> Iterable[Effect]:
    """Return a task for each line of the form of ``source`` that says what is to be done.

    ``entry`` is the touchpoint that they belong to: ``source`` itself, or the one that tracks what it found.
    """
    filled = job.filled.get(source)
    lines = () if filled is None else filled.lines
    return [_agreed(entry, job, line, own=entry.trigger is Trigger.ISSUE_FOUND) for line in lines if line.get("what")]


def _agreed(entry: Touchpoint, job: Job, line: Mapping[str, object], *, own: bool) -> Task:
    calendar, language = job.context.calendar, job.context.language
    where = " ".join(part for part in (place(job), str(line.get("home") or "")) if part)
    key = "sixplustwo.issue_title" if own else "sixplustwo.follow_up_title"
    by = line.get("by")
    agreed = calendar.date_of(job.due)
    day = date.fromisoformat(by) if isinstance(by, str) and by else calendar.add_workdays(agreed, _WORKDAYS)
    what = shorten(mask_text(str(line["what"])), _LONGEST, placeholder="…")
    return Task(
        title=text(language, key, name=entry.name.in_(language), place=where, what=what),
        department=str(line.get("department") or department_of(entry)),
        due=max(due_on(job, day), job.due),
        evidence=tuple(item.in_(language) for item in entry.evidence or ()) if own else (),
    )
