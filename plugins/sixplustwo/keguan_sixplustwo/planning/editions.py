"""One record's promises when it was moved over from one edition to another on its way. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime

from keguan.model import Plan, Tenure

__all__ = ["Wanted", "moved_over"]

Wanted = tuple[str, Plan]
"""A plan, and the kind of event because of which it is wanted."""


def moved_over(
    tenures: Sequence[Tenure], plans_of: Callable[[str], Iterable[Wanted]], midnight: Callable[[date], datetime]
) -> list[Wanted]:
    """Return what is wanted in the end: ``plans_of`` gives all that one edition alone would want.

    What was due before the day of a move stays as the old edition had it; from that day on the new one counts.
    Nothing is promised twice, and nothing is lost: what the new edition would have wanted before the move, and the
    old one only after it, stays due when the old one said; unless it comes again, and the new edition's next is sooner.
    """
    wanted = list(plans_of(tenures[0].value))
    for tenure in tenures[1:]:
        assert tenure.since is not None
        wanted = _moved(wanted, list(plans_of(tenure.value)), midnight(tenure.since))
    return wanted


def _moved(old: Sequence[Wanted], new: Sequence[Wanted], day: datetime) -> list[Wanted]:
    begun = [found for found in old if found[1].due < day]
    done = {_key(plan) for _, plan in begun}
    coming = [(kind, plan) for kind, plan in new if plan.due >= day and _key(plan) not in done]
    too_early = {_key(plan) for _, plan in new if plan.due < day}
    nexts: dict[str, datetime] = {}
    for _, plan in coming:
        nexts[plan.action] = min(plan.due, nexts.get(plan.action, plan.due))
    kept = [
        (kind, plan)
        for kind, plan in old
        if plan.due >= day
        and _key(plan) in too_early
        and not (plan.recurs and plan.action in nexts and nexts[plan.action] <= plan.due)
    ]
    return [*begun, *coming, *kept]


def _key(plan: Plan) -> tuple[str, int]:
    return plan.action, plan.occurrence
