"""Call-backs: what customers answered, counted by project and period, and how many of them were reached.

Whoever was called three times on two days and never answered is unreachable: the call was made, the customer was not
heard. Coverage is therefore shown twice, of all customers and of those who could be reached.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from keguan.model import FilledForm, Form, Promised
from keguan_sixplustwo.planning.rows import period_of
from keguan_sixplustwo.touchpoint import Period

__all__ = [
    "RESULTS",
    "SCALE",
    "Call",
    "Reach",
    "calls_of",
    "coverage",
    "is_callback",
    "questions_of",
    "tally",
    "tried_enough",
]

Key = TypeVar("Key", bound=Hashable)

SCALE = ("very_satisfied", "satisfied", "neutral", "dissatisfied", "very_dissatisfied")
"""The five steps of the edition of 2011, best first."""
RESULTS = (*SCALE, "refused", "unreachable", "unanswered")
"""What may come of one question in one call; ``unanswered``: the customer was reached, the question left out."""

_ATTEMPTS, _DAYS = 3, 2
"""So many attempts on so many days, before somebody counts as unreachable. Ours."""

_JUDGED = frozenset({"kept", "late", "missed", "failed", "waived"})
"""Promises whose time has come; what is held or cancelled is nobody's call."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call-back that was closed."""

    promise: str
    """The key of the promise that it keeps."""
    project: str
    form: str
    day: date
    reached: bool
    """Somebody answered, be it to say that they would not talk."""
    results: Mapping[str, str] = field(default_factory=dict)
    """By question one of ``RESULTS``."""


@dataclass(slots=True)
class Reach:
    """How many customers of some promises were called, heard, and beyond reach."""

    example: Promised
    """The first of the promises."""
    all: int = 0
    """Promises whose time has come, those that were waived among them."""
    reached: int = 0
    unreachable: int = 0
    """Tried often enough without success, or waived by a person with a reason."""

    @property
    def of_all(self) -> float | None:
        """The share that was reached, in per cent; ``None`` without any."""
        return 100 * self.reached / self.all if self.all else None

    @property
    def of_reachable(self) -> float | None:
        """The share of those who could be reached."""
        reachable = self.all - self.unreachable
        return 100 * self.reached / reachable if reachable else None

    def meets(self, percent: int) -> bool:
        """Return whether so many of those who could be reached were."""
        return 100 * self.reached >= percent * (self.all - self.unreachable)


def is_callback(form: Form) -> bool:
    """Return whether ``form`` records a call: it asks whether the customer was reached."""
    return any(each.name == "reached" for each in form.fields)


def questions_of(form: Form) -> Sequence[str]:
    """Return the questions of ``form`` that are answered on the five steps."""
    return [each.name for each in form.fields if {choice.name for choice in each.choices} >= set(SCALE)]


def calls_of(filled: Iterable[FilledForm], forms: Mapping[str, Form]) -> Iterator[Call]:
    """Yield the calls among what was filled in: the complete ones of promises, with the result of each question."""
    for each in filled:
        form = forms.get(each.form)
        if form is None or not each.complete or each.task_status in (None, "cancelled"):
            continue
        answer = each.answers.get("reached")
        yield Call(
            promise=f"{each.action}/{each.subject.type}/{each.subject.id}/{each.occurrence}",
            project=each.project or "",
            form=each.form,
            day=_day(each),
            reached=answer in ("answered", "refused"),
            results={name: _result(answer, each.answers.get(name)) for name in questions_of(form)},
        )


def tried_enough(filled: FilledForm) -> bool:
    """Return whether a call that nobody answered was tried often enough, on enough days; others need no more tries."""
    if filled.answers.get("reached") != "no_answer":
        return True
    days = [line.get("tried_on") for line in filled.lines if line.get("tried_on")]
    return len(days) >= _ATTEMPTS and len(set(days)) >= _DAYS


def tally(calls: Iterable[Call], by: Period = Period.WEEK) -> list[dict[str, object]]:
    """Return what came of each question, a row for each project, form, question and period.

    Keys: ``project form question from until calls`` and those of ``RESULTS``, which sum up to ``calls``. Sorted by
    project, form, period, question.
    """
    counts: dict[tuple[str, str, date, date, str], Counter[str]] = {}
    for call in calls:
        _, first, last = period_of(by, call.day)
        for question, result in call.results.items():
            counts.setdefault((call.project, call.form, first, last, question), Counter())[result] += 1
    return [
        {
            "project": project,
            "form": form,
            "question": question,
            "from": first,
            "until": last,
            "calls": counted.total(),
            **{result: counted[result] for result in RESULTS},
        }
        for (project, form, first, last, question), counted in sorted(counts.items(), key=lambda each: each[0])
    ]


def coverage(promises: Iterable[Promised], calls: Iterable[Call], key: Callable[[Promised], Key]) -> dict[Key, Reach]:
    """Return how many of the customers to whom a call was promised were reached, by ``key`` of the promise.

    Somebody counts as unreachable by a call that was closed so, and by a promise that a person waived.
    """
    outcome = {call.promise: call.reached for call in calls}
    found: dict[Key, Reach] = {}
    for promised in promises:
        if promised.status not in _JUDGED:
            continue
        reach = found.setdefault(key(promised), Reach(promised))
        reach.all += 1
        reached = outcome.get(_promise(promised))
        reach.reached += reached is True
        reach.unreachable += reached is False or (reached is None and promised.status == "waived")
    return found


def _promise(promised: Promised) -> str:
    """Return the key of a promise without the plugin and without the round: doing it again keeps the same promise."""
    path, _, occurrence = promised.key.removeprefix(f"{promised.plugin}.").rpartition("/")
    return f"{path}/{occurrence.partition('.')[0]}"


def _result(reached: object, answer: object) -> str:
    """Return what came of one question: who would not talk at all refused each of them."""
    if reached == "refused":
        return "refused"
    if reached != "answered":
        return "unreachable"
    return answer if isinstance(answer, str) and answer in RESULTS else "unanswered"


def _day(filled: FilledForm) -> date:
    """Return the day of the call: as it was written down, else of the last attempt, else when it was written down."""
    tried = [str(line["tried_on"]) for line in filled.lines if line.get("tried_on")]
    called = filled.answers.get("called_on") or max(tried, default=None)
    return date.fromisoformat(called) if isinstance(called, str) else filled.at.date()
