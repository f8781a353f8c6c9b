"""How a promise stands: derived from what became of its effects, not from its plan alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from keguan.model.checks import PromiseStatus

__all__ = ["EffectFacts", "PlanFacts", "PromiseState", "effect_state", "promise_state"]


class PlanFacts(NamedTuple):
    """What deriving needs to know of a plan."""

    status: str
    run_at: datetime
    """When its action runs: at its due time, or when it opens before that."""
    until: datetime | None = None
    stale: bool = False
    """Its window had passed already when the fact came in."""
    why: str | None = None


class EffectFacts(NamedTuple):
    """What deriving needs to know of a message or a task."""

    kind: Literal["message", "task"]
    status: str
    deadline: datetime | None = None
    """A task's due time, the end of a message's window."""
    done_at: datetime | None = None
    why: str | None = None


class PromiseState(NamedTuple):
    """How the promise stands, why (a catalogue key or somebody's own words), and since when it is done."""

    status: PromiseStatus
    why: str | None = None
    done_at: datetime | None = None


_WORST_FIRST: tuple[PromiseStatus, ...] = (
    "failed",
    "missed",
    "held",
    "late",
    "due",
    "planned",
    "kept",
    "waived",
    "cancelled",
)


def promise_state(plan: PlanFacts, effects: Sequence[EffectFacts], now: datetime) -> PromiseState:
    """Return how the promise behind ``plan`` stands at ``now``.

    A plan that ran stands as the worst of its effects: one dead message of two means that not everything that was
    promised arrived. It is done when nothing of it is open any more, at the time of its last effect.
    """
    if plan.status != "done":
        return _not_run(plan, now)
    if not effects:  # a reason says that what was promised was there already
        return PromiseState("kept", plan.why) if plan.why else PromiseState("waived", "journey.nothing_to_do")
    states = [effect_state(effect, plan.until, now) for effect in effects]
    worst = min(states, key=lambda state: _WORST_FIRST.index(state.status))
    ends = [state.done_at for state in states if state.status in ("kept", "late")]
    known = [end for end in ends if end is not None]
    finished = max(known) if known and len(known) == len(ends) else None
    return worst._replace(done_at=finished if worst.status in ("kept", "late") else None)


def _not_run(plan: PlanFacts, now: datetime) -> PromiseState:
    passed = plan.until is not None and plan.until <= now and not plan.stale
    match plan.status:
        case "planned" | "held" if passed:
            return PromiseState("missed", "plan.window_passed")
        case "planned":
            return PromiseState("planned" if plan.run_at > now else "due", plan.why)
        case "running":
            return PromiseState("due", plan.why)
        case "held":
            return PromiseState("held", plan.why)
        case "missed":
            return PromiseState("missed", plan.why)
        case "cancelled":
            return PromiseState("cancelled", plan.why)
    return PromiseState("failed", plan.why)


def effect_state(effect: EffectFacts, until: datetime | None, now: datetime) -> PromiseState:
    """Return how one effect stands at ``now``; ``until`` is the end of the promise's window."""
    return _task(effect, until, now) if effect.kind == "task" else _message(effect, until, now)


def _task(task: EffectFacts, until: datetime | None, now: datetime) -> PromiseState:
    match task.status:
        case "open" if task.deadline is not None and task.deadline < now:
            return PromiseState("late", task.why or "journey.overdue")
        case "open":
            return PromiseState("due", task.why)
        case "done":
            return _finished(task, until)
        case "skipped":
            return PromiseState("waived", task.why)
    return PromiseState("cancelled", task.why)


def _message(message: EffectFacts, until: datetime | None, now: datetime) -> PromiseState:
    passed = message.deadline is not None and message.deadline <= now
    match message.status:
        case "queued" | "held" | "expired" if passed or message.status == "expired":
            return PromiseState("missed", "gate.window_passed")
        case "queued" | "sending":
            return PromiseState("due", message.why)
        case "sent" | "delivered":
            return _finished(message, until)
        case "held":
            return PromiseState("held", message.why)
        case "in_doubt":  # nobody knows whether it left: a person decides
            return PromiseState("held", "journey.in_doubt")
        case "suppressed" | "dropped":
            return PromiseState("waived", message.why)
    return PromiseState("failed", message.why or f"journey.{message.status}")  # dead, undelivered


def _finished(effect: EffectFacts, until: datetime | None) -> PromiseState:
    """Kept when done by its deadline and within the window of the promise, else late."""
    limits = [limit for limit in (effect.deadline, until) if limit is not None]
    late = effect.done_at is not None and any(effect.done_at > limit for limit in limits)
    return PromiseState("late" if late else "kept", None, effect.done_at)
