"""What stays as it was when something began: the edition of a standard that a contract was sold under."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Pin", "Pins", "Tenure"]


class Pin(NamedTuple):
    """One line of a plugin's log of values: configured since a day, or moved over to on one."""

    project: str
    """The project's name; empty for all that are not named."""
    since: date
    value: str | None
    """``None``: the project is not named any more."""
    moved: bool
    """What had begun by that day was moved over to this value too; else only what begins from it on has it."""


class Tenure(NamedTuple):
    """A value and since when it holds for what began earlier; ``None``: from its beginning."""

    value: str
    since: date | None


@dataclass(frozen=True, slots=True)
class Pins:
    """The log of one plugin's values, oldest first. Pure: the same log gives the same answers."""

    log: tuple[Pin, ...] = ()

    def of(self, project: str, begun: date | None) -> tuple[Tenure, ...]:
        """Return the values that hold for what began in ``project`` on the day ``begun``, in the order of time.

        The first is the one configured on that day (before the log begins: its first), the others are those it was
        moved over to later. Without ``begun`` it goes by what is configured: every value it ever was, each from its
        day on. Empty when there is no log.
        """
        return _of(self.log, project, begun)


@lru_cache(maxsize=8192)
def _of(log: tuple[Pin, ...], project: str, begun: date | None) -> tuple[Tenure, ...]:
    configured = [pin for pin in log if not pin.moved]
    if not configured:
        return ()
    if begun is None:
        return _configured(configured, project)
    value = _value_on(configured, project, begun)
    if value is None:  # it began before the log did
        value = next(pin.value for pin in configured if pin.value is not None)
    tenures = [Tenure(value, None)]
    for pin in log:
        if pin.moved and pin.project in ("", project) and pin.since > begun and pin.value != tenures[-1].value:
            assert pin.value is not None
            tenures.append(Tenure(pin.value, pin.since))
    return tuple(tenures)


def _configured(configured: Sequence[Pin], project: str) -> tuple[Tenure, ...]:
    """Return the values that were configured for ``project`` one after another; the first held from its beginning."""
    tenures: list[Tenure] = []
    for day in sorted({pin.since for pin in configured}):
        value = _value_on(configured, project, day)
        if value is not None and (not tenures or value != tenures[-1].value):
            tenures.append(Tenure(value, day if tenures else None))
    return tuple(tenures)


def _value_on(configured: Iterable[Pin], project: str, day: date) -> str | None:
    """Return the value for ``project`` on ``day``: its own where it is named, else that of all others."""
    own: str | None = None
    general: str | None = None
    for pin in configured:
        if pin.since <= day:
            if pin.project == project:
                own = pin.value
            elif not pin.project:
                general = pin.value
    return own if own is not None else general
