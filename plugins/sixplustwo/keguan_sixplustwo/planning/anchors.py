"""The dates that the timings of one touchpoint can name, each as a function that reads it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from operator import attrgetter

from keguan.calendar import WorkCalendar
from keguan.calendar.lunar import birthday_in
from keguan.errors import PluginError
from keguan.model import Context
from keguan.texts import text
from keguan_sixplustwo.planning.components import Warranty
from keguan_sixplustwo.planning.dates import ANCHORS, Dates
from keguan_sixplustwo.planning.rules import Days, Note, Rule
from keguan_sixplustwo.playbook import nearest
from keguan_sixplustwo.timing import DayOf, Moment, Timing, anchors_of, compile_moment, counts_workdays
from keguan_sixplustwo.touchpoint import Proxy, Text, Touchpoint

__all__ = ["Anchors", "components_note"]


class Anchors:
    """Compiles the timings of ``entry`` and notes which dates they read.

    ``own`` are the dates of its occurrences. ``others`` are the touchpoints that it may count from, and ``rule_of``
    compiles one: its rule and the dates that one hangs on.
    """

    def __init__(
        self,
        entry: Touchpoint,
        own: Collection[str],
        proxies: Mapping[str, Proxy],
        others: Collection[str],
        rule_of: Callable[[str], tuple[Rule, frozenset[str]]],
    ) -> None:
        assert entry.about is not None
        self._entry = entry
        self._known = {name for name in ANCHORS[entry.about] if name != "birthday" or "period" in own} | set(own)
        self._proxies = {
            name: proxy
            for name, proxy in proxies.items()
            if name in self._known and self._known >= anchors_of(proxy.timing.moment)
        }
        self._others = others
        self._rule_of = rule_of
        self._rule: Rule | None = None
        self.reads: set[str] = set()
        """The names of all ``Dates`` that were named so far."""
        self.by_calendar = False
        """Whether anything so far was counted in working days."""

    def day(self, moment: Moment, timing: Timing) -> DayOf:
        """Return ``moment``, a part of ``timing``, as a function.

        Raises ``PluginError`` when it counts from what is not at hand.
        """
        self.by_calendar |= counts_workdays(moment)
        return compile_moment(moment, {name: self._reader(name, timing) for name in anchors_of(moment)})

    def due(self, timing: Timing) -> Days:
        """Return a timing that says when it is done."""
        moment = timing.moment
        back = bool(moment.shifts) and all(shift.count < 0 for shift in moment.shifts)
        return Days(self.day(moment, timing), timing.clock, back)

    def beside(self, timing: Timing | None) -> Days | None:
        """Return a timing that goes along with when it is done, from which it may count as well."""
        if timing is None:
            return None
        along = self._entry.id not in anchors_of(timing.moment)
        return Days(self.day(timing.moment, timing), timing.clock, along=along)

    def settle(self, rule: Rule) -> Rule:
        """Say which rule the compiled timings became: some count from its own day."""
        self._rule = rule
        return rule

    def notes(self, dues: Iterable[Timing]) -> tuple[Note, ...]:
        """Return what to say about the days it is due on: where proxies stand in for them."""
        found: list[Note] = []
        for name in sorted(frozenset().union(*(anchors_of(due.moment) for due in dues))):
            if name in self._proxies:
                found.append(_proxy_note(_recorded(name), self._proxies[name].note))
            elif name in self._others and name not in self._known:
                found += self._rule_of(name)[0].notes
        return tuple(dict.fromkeys(found))

    def _reader(self, name: str, timing: Timing) -> DayOf:
        if name == self._entry.id:
            return self._own_day
        if name in self._known:
            return self._read(name)
        if name in self._others:
            rule, reads = self._rule_of(name)
            self.reads |= reads
            self.by_calendar |= rule.by_calendar
            return rule.working_day
        raise PluginError(
            "sixplustwo.anchor_unknown",
            expression=timing,
            anchor=name,
            touchpoint=self._entry.id,
            trigger=self._entry.trigger or "-",
            known=", ".join(sorted(self._known)) or "-",
            nearest=nearest(name, self._others),
        )

    def _read(self, name: str) -> DayOf:
        if name == "birthday":
            self.reads |= {"birthday", "lunar"}
            return _birthday
        if name not in _OF_OCCURRENCES:
            self.reads.add(name)
        recorded = _recorded(name)
        if name not in self._proxies:
            return recorded
        stand_in = self._proxies[name].timing.moment
        self.by_calendar |= counts_workdays(stand_in)
        self.reads |= anchors_of(stand_in)
        return _either(recorded, compile_moment(stand_in, {other: _recorded(other) for other in anchors_of(stand_in)}))

    def _own_day(self, dates: Dates, calendar: WorkCalendar) -> date | None:
        assert self._rule is not None
        return self._rule.working_day(dates, calendar)


_OF_OCCURRENCES = frozenset({"period", "period_end", "warranty_expiry"})
"""What is no date of the record: it follows from others, which say so themselves."""


def components_note(warranty: Warranty) -> Note:
    """Return the note that names the components whose warranty ends, and says so when it is the legal minimum."""

    def note(dates: Dates, context: Context) -> str:
        assert dates.handover is not None
        endings = warranty.endings(dates.project, dates.fitting, dates.handover)
        [ending] = [ending for ending in endings if ending.number == dates.number]
        names = [name.in_(context.language) for name in ending.names]
        listed = ("、" if context.language == "zh" else ", ").join(names)
        return text(context.language, "sixplustwo.components_by_law", names=listed) if ending.by_law else listed

    return note


def _recorded(name: str) -> DayOf:
    """Return the function that reads one of the ``Dates``."""
    read = attrgetter(name)
    return lambda dates, _: read(dates)


def _birthday(dates: Dates, _: WorkCalendar) -> date | None:
    """Return the birthday in the year of the occurrence."""
    assert dates.period is not None
    return None if dates.birthday is None else birthday_in(dates.birthday, dates.period.year, dates.lunar)


def _either(recorded: DayOf, stand_in: DayOf) -> DayOf:
    """Return the date that is recorded, else the one that stands in for it."""
    return lambda dates, calendar: recorded(dates, calendar) or stand_in(dates, calendar)


def _proxy_note(recorded: DayOf, words: Text) -> Note:
    """Return the note that is shown where something stands in for a date that nobody ``recorded``."""

    def note(dates: Dates, context: Context) -> str:
        return "" if recorded(dates, context.calendar) is not None else words.in_(context.language)

    return note
