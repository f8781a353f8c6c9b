"""The journey of one home as a page that a manager reads without training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keguan.reports.pages import render
from keguan.texts import Language

__all__ = ["STATES", "journey_page", "state_of"]

STATES = ("kept", "kept_late", "due", "planned", "overdue", "missed", "failed", "held", "waived", "cancelled")
"""How a promise stands on the page, in the order of the legend. Each has a colour and a word."""
_TILES = {
    "kept": ("kept",),
    "kept_late": ("kept_late",),
    "broken": ("overdue", "missed", "failed"),
    "coming": ("due", "planned"),
    "held": ("held",),
}
"""What the numbers at the top count."""

Step = Mapping[str, Any]


def journey_page(journey: Mapping[str, Any], language: Language) -> str:
    """Return the page; ``journey`` is what ``read_journey`` returns."""
    states = Counter(state_of(step) for step in journey["steps"])
    return render(
        "journey_page",
        language,
        journey=journey,
        tiles=[(tile, sum(states[state] for state in counted)) for tile, counted in _TILES.items()],
        states=[(state, states[state]) for state in STATES if states[state]],
        next=[step | {"state": state_of(step)} for step in journey["next"]],
        groups=_groups(journey["steps"]),
    )


def state_of(step: Step) -> str:
    """Return one of ``STATES``: a task that is late is either done or still open."""
    status: str = step["status"]
    if status == "late":
        return "overdue" if step.get("done_at") is None else "kept_late"
    return status


def _groups(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Return the steps of the standard with their promises, in its own order; promises of none stand at the end."""
    groups: dict[str | None, list[Step]] = {}
    for step in steps:
        groups.setdefault(step["step"], []).append(step)
    return [
        {
            "step": order,
            "name": next((one["step_name"] for one in groups[order] if one["step_name"]), None),
            "rows": _nested(groups[order]),
        }
        for order in sorted(groups, key=_place)
    ]


def _place(order: str | None) -> tuple[int, int, str]:
    if order is None:
        return 2, 0, ""
    return (0, int(order), "") if order.isdecimal() else (1, 0, order)


def _nested(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return the promises with what follows on them below, ``depth`` deep, whatever falls due in between."""
    below: dict[_Key, list[int]] = {}
    for place, step in enumerate(steps):
        if step["follows"] is not None:
            below.setdefault(_key(step, step["follows"]), []).append(place)
    found: dict[int, int] = {}

    def put(place: int, depth: int) -> None:
        if place not in found:
            found[place] = depth
            for follower in below.get(_key(steps[place], steps[place]["touchpoint"]), ()):
                put(follower, depth + 1)

    firsts = set({_name(step): place for place, step in reversed(list(enumerate(steps)))}.values())
    there = {_key(step, step["touchpoint"]) for step in steps}
    for place, step in enumerate(steps):
        if step["follows"] is None or _key(step, step["follows"]) not in there:
            put(place, 0)
    for place in range(len(steps)):  # what follows on one another in a ring is nowhere below
        put(place, 0)
    return [_row(steps[place], depth, first=place in firsts) for place, depth in found.items()]


def _row(step: Step, depth: int, *, first: bool) -> dict[str, Any]:
    """Return a promise as the page shows it; what is ours is said where a touchpoint comes up ``first``."""
    proofs = [piece for piece in step["evidence"] if piece["kind"] != "message"]  # the result has those already
    return {**step, "state": state_of(step), "depth": depth, "first": first, "proofs": proofs}


def _name(step: Step) -> tuple[str, str]:
    return step["plugin"], step["touchpoint"]


_Key = tuple[str, str, str, int]


def _key(step: Step, touchpoint: str) -> _Key:
    return step["plugin"], touchpoint, step["about"], step["occurrence"]
