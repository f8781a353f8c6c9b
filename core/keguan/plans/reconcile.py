"""Compare what a plugin wants for a subject with what is stored: the one operation behind every change.

Late entries, corrections, resale, cancellation, changed playbooks, corrected calendars, backfill and replay
are all this. Pure: values in, values out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from keguan.model import Plan

__all__ = ["ActionRule", "Changes", "Move", "NewPlan", "StoredPlan", "reconcile", "runs_at"]


class StoredPlan(NamedTuple):
    """What reconciling needs to know of a plan that exists."""

    id: int
    action: str
    occurrence: int
    round: int
    kind: str
    status: str
    due: datetime
    until: datetime | None
    run_at: datetime
    recurs: bool
    clause: str
    note: str | None
    by_calendar: bool
    provisional: bool
    late: bool
    stale: bool
    why: str | None


class NewPlan(NamedTuple):
    """A plan to insert: what was wanted, by which kind of event, in which round."""

    plan: Plan
    kind: str
    round: int
    status: str
    stale: bool
    why: str | None


class Move(NamedTuple):
    """A stored plan that takes over what is wanted now."""

    id: int
    plan: Plan
    kind: str
    status: str
    late: bool
    stale: bool
    why: str | None


class ActionRule(NamedTuple):
    """How the action behind a plan behaves; from the plugin's registered actions."""

    again: bool
    when_late: bool


@dataclass(slots=True)
class Changes:
    """What has to be written so that the stored plans become the wanted ones."""

    insert: list[NewPlan] = field(default_factory=list)
    move: list[Move] = field(default_factory=list)
    cancel: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.insert or self.move or self.cancel)


_OPEN = ("planned", "held")


def _certain(_plan: Plan) -> bool:
    return False


def runs_at(plan: Plan) -> datetime:
    """Return when the action of ``plan`` runs: at its due time, or when it opens before that."""
    return plan.due if plan.opens is None or plan.opens > plan.due else plan.opens


def reconcile(
    wanted: Mapping[str, Iterable[Plan]],
    stored: Collection[StoredPlan],
    actions: Mapping[str, ActionRule],
    *,
    now: datetime,
    unknown: Collection[str] = (),
    reopen: bool = False,
    provisional: Callable[[Plan], bool] = _certain,
) -> Changes:
    """Return the changes for one plugin and one subject.

    ``wanted`` maps each kind of event the subject has been through to the plans wanted because of it; a stored
    plan of a kind that is not in it is wanted no longer. ``unknown`` are kinds whose hook failed: their plans
    stay as they are. ``now`` is when the fact came in. ``reopen``: plans that failed are planned again (replay
    after a fix). ``provisional`` says whether a plan that was counted in working days hangs on days that are not
    announced yet.

    What runs is never touched. What is done stays done, unless its date moved and its action says *again*: then
    a further round is planned; it is taken back when the date returns to what was done. A missed, failed or cancelled
    promise whose window is moved and not over is open again; one whose window is over takes the dates and stays
    what it was; another opening alone opens nothing again. An action and occurrence may be wanted because of one
    kind only; who asked the plugins has seen to that.
    """
    changes = Changes()
    if not stored:  # most subjects of an import
        for kind, plans in wanted.items():
            changes.insert += [_new(plan, kind, 0, actions[plan.action], now) for plan in plans]
        return changes
    latest = _latest(stored)
    seen: set[tuple[str, int]] = set()
    for kind, plans in wanted.items():
        for plan in plans:
            key = (plan.action, plan.occurrence)
            seen.add(key)
            previous = latest.get(key)
            rule = actions[plan.action]
            if previous is None:
                changes.insert.append(_new(plan, kind, 0, rule, now))
            elif previous.kind in unknown and previous.kind != kind:
                continue
            elif previous.round and previous.status != "done" and _done_then(plan, stored):
                if previous.status in _OPEN:
                    changes.cancel.append(previous.id)  # its date moved to and fro
            else:
                uncertain = plan.by_calendar and provisional(plan)
                _meet(changes, plan, kind, previous, rule, now, reopen, uncertain)

    changes.cancel.extend(
        old.id for key, old in latest.items() if key not in seen and old.status in _OPEN and old.kind not in unknown
    )
    return changes


def _latest(stored: Iterable[StoredPlan]) -> dict[tuple[str, int], StoredPlan]:
    """Return the last round of each plan, by action and occurrence."""
    latest: dict[tuple[str, int], StoredPlan] = {}
    for old in stored:
        key = (old.action, old.occurrence)
        if key not in latest or latest[key].round < old.round:
            latest[key] = old
    return latest


def _stale(plan: Plan, now: datetime) -> bool:
    return plan.until is not None and plan.until <= now


def _entry(plan: Plan, rule: ActionRule, now: datetime) -> tuple[str, bool, str | None]:
    """Return status, stale and why for a promise that is (again) open from now on."""
    stale = _stale(plan, now)
    if stale and not rule.when_late:
        return "missed", True, "plan.entered_after_window"
    return "planned", stale, None


def _new(plan: Plan, kind: str, number: int, rule: ActionRule, now: datetime) -> NewPlan:
    if plan.until is None or plan.until > now:
        return NewPlan(plan, kind, number, "planned", False, None)
    return NewPlan(plan, kind, number, *_entry(plan, rule, now))


def _done_then(plan: Plan, stored: Iterable[StoredPlan]) -> bool:
    """Whether the last round of ``plan`` that was done was done at the date that is wanted again."""
    key = (plan.action, plan.occurrence)
    done = [old for old in stored if old.status == "done" and (old.action, old.occurrence) == key]
    return bool(done) and max(done, key=lambda old: old.round).due == plan.due


def _meet(
    changes: Changes,
    plan: Plan,
    kind: str,
    old: StoredPlan,
    rule: ActionRule,
    now: datetime,
    reopen: bool,
    uncertain: bool,
) -> None:
    """Bring one stored plan in line with what is wanted."""
    moved = old.due != plan.due or old.until != plan.until
    rewritten = moved or old.run_at != runs_at(plan) or old.recurs != plan.recurs
    if old.status == "running":
        return
    if old.status == "done":
        if old.due != plan.due and rule.again:
            changes.insert.append(_new(plan, kind, old.round + 1, rule, now))
        return
    late, stale = plan.due <= now, _stale(plan, now)
    if old.status in _OPEN:
        if moved:
            status, _, why = _entry(plan, rule, now)
            if status == "planned":  # a held plan stays held, at its new date
                status, why = old.status, old.why
            changes.move.append(Move(old.id, plan, kind, status, late, stale, why))
        elif rewritten or _described_otherwise(plan, kind, old, uncertain):
            changes.move.append(Move(old.id, plan, kind, old.status, old.late, old.stale, old.why))
        return
    # missed, cancelled or failed
    retried = reopen and old.status == "failed" and (not stale or (old.stale and rule.when_late))
    if old.status == "cancelled" or retried or (moved and not stale):
        status, stale, why = _entry(plan, rule, now)
        changes.move.append(Move(old.id, plan, kind, status, late, stale, why))
    elif rewritten:  # it was in time when it ended, if it was: else asking once more would try it again
        changes.move.append(Move(old.id, plan, kind, old.status, late, old.stale, old.why))


def _described_otherwise(plan: Plan, kind: str, old: StoredPlan, uncertain: bool) -> bool:
    """Whether anything but the dates of an open plan has to be written."""
    return (
        old.clause != plan.clause
        or (old.note or "") != plan.note
        or old.kind != kind
        or old.by_calendar != plan.by_calendar
        or old.provisional != uncertain
    )
