"""``[staff]`` and ``[departments."NAME"]``: who is told of work, when, and whom overdue work climbs to."""

from __future__ import annotations

import re
from datetime import time, timedelta
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from keguan.settings.values import Clock, mistake

__all__ = ["OUR_LADDER", "After", "DepartmentSettings", "LadderStep", "StaffChannel", "StaffSettings"]

StaffChannel = Literal["email", "chat"]
"""How staff are written to: e-mail to a person or a department, a chat robot to a department."""

_AFTER = re.compile(r"(\d{1,3})\s*(workdays?|working\s+hours?)")


class After(NamedTuple):
    """How long after the deadline: working days, or working hours."""

    workdays: int = 0
    worktime: timedelta | None = None

    def __str__(self) -> str:
        if self.worktime is None:
            return f"{self.workdays} workday{'' if self.workdays == 1 else 's'}"
        hours = self.worktime // timedelta(hours=1)
        return f"{hours} working hour{'' if hours == 1 else 's'}"


def _after(value: object) -> After:
    """``"1 workday"`` or ``"4 working hours"``."""
    if isinstance(value, After):
        return value
    found = _AFTER.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise mistake("config.ladder_after", value=value)
    amount = int(found[1])
    return After(amount) if found[2].startswith("workday") else After(worktime=timedelta(hours=amount))


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LadderStep(_Section):
    """``[[staff.ladder]]``: whom an overdue task is told to, and when."""

    after: Annotated[After, BeforeValidator(_after)]
    to: Literal["assignee", "head", "manager"]
    channels: tuple[StaffChannel, ...] = ("email",)
    """``chat`` reaches the robot of the task's department."""


OUR_LADDER = (
    LadderStep(after=After(0), to="assignee"),
    LadderStep(after=After(1), to="head"),
    LadderStep(after=After(3), to="manager"),
)
"""A default of ours: the person at the deadline, the head a working day later, the manager after three."""


def _ascending(steps: tuple[LadderStep, ...]) -> tuple[LadderStep, ...]:
    """Refuse a ladder that goes down; days and hours are compared as a day of eight hours has them."""
    for lower, upper in pairwise(steps):
        if _length(upper.after) < _length(lower.after):
            raise mistake("config.ladder_order", lower=str(lower.after), upper=str(upper.after))
    return steps


def _length(after: After) -> timedelta:
    return timedelta(hours=8) * after.workdays if after.worktime is None else after.worktime


class StaffSettings(_Section):
    """``[staff]``: the day of those who do the work."""

    digest_at: Clock = time(8, 30)
    """Local time of the digests on working days."""
    digest_channels: tuple[StaffChannel, ...] = ("email", "chat")
    """E-mail reaches people and departments that have an address, chat the departments that have a robot."""
    empty_digests: bool = False
    """Whether somebody who has nothing to do is told so."""
    ladder: Annotated[tuple[LadderStep, ...], AfterValidator(_ascending)] = OUR_LADDER


class DepartmentSettings(_Section):
    """``[departments."NAME"]``: who leads a department and how it is reached."""

    head: str | None = None
    """A member of staff: number, or name on file."""
    manager: str | None = None
    """Whom the head reports to: number, or name on file."""
    email: str | None = None
    chat: str | None = None
    """The department's robot: the name under which the chat adapter has its address."""
    digest: bool = True
