"""The promises of one playbook for records: worked out once for the dates they hang on.

Of a record only its dates count, and many share them (a launch signs a hundred contracts a day, a building is handed
over in a week). Planning is the hot path of every import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from keguan.model import Context, Plan
from keguan_sixplustwo.planning.dates import Dates
from keguan_sixplustwo.planning.rows import Rows
from keguan_sixplustwo.planning.rules import Rule

__all__ = ["Promise", "Promises", "Schedule"]

_REMEMBERED = 4096
"""How many dates are kept for promises that hang on the same ones: more than ten years of signing days."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A touchpoint, ready to be planned for any record of its kind."""

    action: str
    rules: Mapping[str | None, tuple[Rule, Rows]]
    """By fitting; that of ``None`` holds where the fitting is not known or makes no difference."""
    anchors: frozenset[str]
    """The names of all ``Dates`` that it hangs on."""
    recurring: bool
    """It repeats, by the calendar or every so often."""

    def plans(self, dates: Dates, context: Context) -> Iterable[Plan]:
        """Return a plan for each occurrence whose date is known."""
        rule, rows = self._of(dates)
        row = rows(dates, context)
        plans = (rule.plan(occasion, context, recurs=row.recurs) for occasion in row.occasions)
        return (plan for plan in plans if plan is not None)

    def occurrence(self, dates: Dates, number: int, context: Context) -> tuple[Rule, Dates] | None:
        """Return rule and dates of one occurrence, ``None`` when it is not promised any more."""
        rule, rows = self._of(dates)
        found = (occasion for occasion in rows(dates, context).occasions if occasion.number == number)
        return next(((rule, occasion) for occasion in found), None)

    def _of(self, dates: Dates) -> tuple[Rule, Rows]:
        return self.rules.get(dates.fitting) or self.rules[None]


class _Group(NamedTuple):
    """Promises that hang on the same dates."""

    read: Callable[[Dates], object]
    """Returns just these dates."""
    promises: Sequence[Promise]


class _Memory(NamedTuple):
    """The plans worked out in one context: for each group by the dates they were counted from."""

    context: Context
    plans: Sequence[dict[object, Sequence[Plan]]]


class Promises:
    """What one kind of event brings about; it remembers the plans it worked out last."""

    def __init__(self, promises: Iterable[Promise]) -> None:
        self.each: Mapping[str, Promise] = {promise.action: promise for promise in promises}
        """By action."""
        groups: dict[frozenset[str], list[Promise]] = {}
        for promise in self.each.values():
            groups.setdefault(promise.anchors, []).append(promise)
        places = {name: place for place, name in enumerate(Dates._fields)}
        self._groups = [
            _Group(itemgetter(*sorted(places[anchor] for anchor in anchors)), promises)
            for anchors, promises in groups.items()
        ]
        self._memories: dict[str, _Memory] = {}

    def plans(self, dates: Dates, context: Context) -> list[Plan]:
        """Return a plan for each promise whose date is known; the others come when the record gets theirs."""
        memory = self._memories.get(context.city.key)
        if memory is None or memory.context is not context:
            # the core makes a new context when the calendar changes: it may count to other days
            memory = self._memories[context.city.key] = _Memory(context, [{} for _ in self._groups])
        wanted: list[Plan] = []
        for (read, promises), known in zip(self._groups, memory.plans, strict=True):
            key = read(dates)
            found = known.get(key)
            if found is None:
                if len(known) >= _REMEMBERED:
                    known.clear()
                found = known[key] = [plan for promise in promises for plan in promise.plans(dates, context)]
            wanted += found
        return wanted


Schedule = Mapping[str, Promises]
"""All promises of one playbook, by the kind of event that brings them about."""
