"""What readers of journeys and yearly plans are told of a touchpoint: defaults of ours, who does it, who gathers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import get_args

from keguan.model import Contract, Remarks
from keguan.texts import Language
from keguan_sixplustwo.doing.standing import department_of
from keguan_sixplustwo.playbook import Playbook
from keguan_sixplustwo.prepared import Prepared
from keguan_sixplustwo.saying import say_ours
from keguan_sixplustwo.timing import anchors_of
from keguan_sixplustwo.touchpoint import Channel, Edition, Touchpoint

__all__ = ["follow_up_remarks", "remarks", "touches"]

_WAITING = frozenset({"signed_customer", "unhanded_buyers", "buyers_and_owners"})
"""Who has bought and waits for the home …"""
_LIVING = frozenset(
    {
        "owners",
        "buyers_and_owners",
        "handed_over_owners",
        "moved_in_owners",
        "moved_in_owners_sample",
        "inspecting_owners",
        "long_term_owners",
    }
)
"""… and who has taken it over."""


def remarks(prepared: Prepared, name: str, city: str, clause: str, language: Language) -> Remarks:
    """Return what to say of the touchpoint ``name`` as it is in ``city`` in the edition that ``clause`` belongs to."""
    found = _entry(prepared, name, city, clause)
    if found is None:
        return Remarks()
    entry, playbook = found
    return Remarks(
        ours=say_ours(entry, playbook, language),
        step=entry.step,
        step_name=next(step.name.in_(language) for step in playbook.steps if step.order == entry.step),
        department=department_of(entry),
        gathering=_gathering(entry, playbook),
    )


def follow_up_remarks(prepared: Prepared, name: str, city: str, clause: str, language: Language) -> Remarks:
    """Return what to say of what comes after the touchpoint ``name``: where it belongs, and nothing of its dates."""
    return replace(remarks(prepared, name, city, clause, language), ours=(), gathering=None)


def touches(audiences: frozenset[str], contract: Contract, day: date) -> bool:
    """Return whether those who bought by ``contract`` are among ``audiences`` on ``day``."""
    began = contract.signed_on or contract.deposit_on
    if contract.status not in ("reserved", "signed", "transferred") or began is None or day < began:
        return False
    taken_over = None if contract.home is None else contract.home.handed_over_on
    waits = taken_over is None or day < taken_over
    return not audiences.isdisjoint(_WAITING if waits else _LIVING)


def _entry(prepared: Prepared, name: str, city: str, clause: str) -> tuple[Touchpoint, Playbook] | None:
    """Return the touchpoint whose clause it is; where an edition's data were changed since, the one in force."""
    found = list(_entries(prepared, name, city))
    exact = (each for each in found if str(each[0].clause or "") == clause)
    return next(exact, found[0] if found else None)


def _entries(prepared: Prepared, name: str, city: str) -> Iterator[tuple[Touchpoint, Playbook]]:
    configured = prepared.settings.edition
    for edition in sorted(get_args(Edition), key=lambda edition: edition != configured):
        playbook = prepared.playbook(city, edition)
        if name in playbook:
            yield playbook.touchpoints[name], playbook


def _gathering(entry: Touchpoint, playbook: Playbook) -> str | None:
    """Return the gathering that a touchpoint is: one that counts from the date of another's goes along with it."""
    if entry.channel != (Channel.EVENT,):
        return None
    for timing in entry.due:
        for anchor in anchors_of(timing.moment):
            other = playbook.touchpoints.get(anchor)
            if other is not None and other.channel == (Channel.EVENT,):
                return other.id
    return entry.id
