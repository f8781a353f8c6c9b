"""What a customer may see of what was promised about one subject: what it is, when, and whether it is done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, and_, or_, select

from keguan.model import Action, Subject
from keguan.queries.promises import read_promises
from keguan.queries.reader import Reader
from keguan.store.schema import contracts, plans

__all__ = ["Shown", "promises_to_customer"]

_p = plans.c
_STATES = {
    "kept": "done",
    "late": "late",
    "missed": "late",
    "failed": "late",
    "planned": "planned",
    "due": "planned",
    "held": "planned",
}
"""Whatever is cancelled or waived is nothing to wait for."""


class Shown(NamedTuple):
    """One promise as its customer sees it."""

    label: str
    due_at: datetime
    """In the time of the subject's city."""
    state: str
    """``planned``, ``done`` or ``late``."""


def promises_to_customer(
    reader: Reader, connection: Connection, subject: Subject, actions: Mapping[tuple[str, str], Action]
) -> list[Shown]:
    """Return the promises about ``subject`` (of a contract also those about its home), by date.

    Only actions that have a label for people are shown, and nothing of why, who, clause or result.
    """
    about = and_(_p.subject_type == subject.type, _p.subject_id == subject.id)
    if subject.type == "contract":
        home = select(contracts.c.home_id).where(contracts.c.id == subject.id)
        about = or_(about, and_(_p.subject_type == "home", _p.subject_id.in_(home)))
    found = []
    for promised in read_promises(reader, connection, about):
        action = actions.get((promised.plugin, promised.action))
        state = _STATES.get(promised.status)
        if state is not None and action is not None and action.label:
            found.append(Shown(action.label[reader.language], promised.due_at, state))
    return sorted(found, key=lambda one: one.due_at)
