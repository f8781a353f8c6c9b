"""From a playbook to promises: everything that can be decided without a record is decided here, at start."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from keguan.errors import PluginError
from keguan.model import Context
from keguan_sixplustwo.planning.anchors import Anchors, components_note
from keguan_sixplustwo.planning.components import Warranty
from keguan_sixplustwo.planning.dates import EVENTS, Dates, kind_of
from keguan_sixplustwo.planning.promises import Promise, Promises, Schedule
from keguan_sixplustwo.planning.rows import Row, Rows, each, every, interval, numbered, once
from keguan_sixplustwo.planning.rules import Rule
from keguan_sixplustwo.playbook import Playbook
from keguan_sixplustwo.timing import Earliest, Moment, Timing, anchors_of
from keguan_sixplustwo.touchpoint import About, Kind, Period, Touchpoint, Trigger

__all__ = ["schedule"]

_Fitting = Literal["fitted", "bare"]

_BEGINS: Mapping[About, Timing] = {
    About.CONTRACT: Timing(Moment(Earliest((Moment("deposit"), Moment("contract_signed"))))),
    About.HOME: Timing(Moment("handover")),
    About.CUSTOMER: Timing(Moment("begun")),
    About.PROJECT: Timing(
        Moment(Earliest(tuple(map(Moment, ("first_show", "launch", "planned_handover", "handover")))))
    ),
    About.COMPANY: Timing(Moment("begun")),
}
"""When promises that recur by the calendar begin, where the touchpoint does not say: the first date that is known."""

_AT_ONCE = Timing(Moment("event"))


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A touchpoint for one fitting, with what others that count from it need to know."""

    rule: Rule
    rows: Rows
    plural: bool
    """It may have several occurrences."""
    own: frozenset[str]
    """The dates of its occurrences: ``period``, ``warranty_expiry`` and so on."""
    reads: frozenset[str]
    """The names of all ``Dates`` that it hangs on."""


def schedule(playbook: Playbook, warranty: Warranty, optional: Collection[str] = ()) -> Schedule:
    """Return the promises of ``playbook``, by kind of event; ``optional`` names those that are switched on.

    Raises ``PluginError`` when a timing counts from a date that is not at hand, or from itself. Of a lenient playbook
    such touchpoints are left out.
    """
    compiler = _Compiler(playbook, warranty)
    found: dict[str, list[Promise]] = {}
    for entry in playbook.touchpoints.values():
        kind = kind_of(entry)
        if kind is None:
            continue
        try:
            promise = compiler.promise(entry)
        except PluginError:
            if playbook.lenient:
                continue
            raise
        if not entry.optional or entry.id in optional:
            found.setdefault(kind, []).append(promise)
    return {kind: Promises(promises) for kind, promises in found.items()}


class _Compiler:
    """Compiles touchpoints in the order in which they count from one another, each once for a fitting."""

    def __init__(self, playbook: Playbook, warranty: Warranty) -> None:
        self._playbook = playbook
        self._warranty = warranty
        self._done: dict[tuple[str, _Fitting | None], _Compiled] = {}
        self._open: list[str] = []

    def promise(self, entry: Touchpoint) -> Promise:
        plain = self._compiled(entry.id, None)
        rules: dict[str | None, tuple[Rule, Rows]] = {None: (plain.rule, plain.rows)}
        reads = plain.reads
        if "fitting" in reads:
            fittings: tuple[_Fitting, ...] = ("fitted", "bare")
            for fitting in fittings:
                differing = self._compiled(entry.id, fitting)
                rules[fitting] = (differing.rule, differing.rows)
                reads |= differing.reads
        return Promise(entry.id, rules, reads, recurring=bool(entry.every or _period_of(entry)))

    def _compiled(self, touchpoint: str, fitting: _Fitting | None) -> _Compiled:
        key = (touchpoint, fitting)
        if key not in self._done:
            if touchpoint in self._open:
                circle = " → ".join((*self._open[self._open.index(touchpoint) :], touchpoint))
                raise PluginError("sixplustwo.timing_circle", circle=circle, touchpoint=touchpoint)
            self._open.append(touchpoint)
            try:
                self._done[key] = self._compile(_for_fitting(self._playbook.touchpoints[touchpoint], fitting), fitting)
            finally:
                self._open.pop()
        return self._done[key]

    def _compile(self, entry: Touchpoint, fitting: _Fitting | None) -> _Compiled:
        followed = self._followed(entry, fitting)
        own = _own_dates(entry) | (frozenset() if followed is None else followed.own)
        anchors = Anchors(
            entry, own, self._playbook.proxies, self._others(entry), lambda name: self._rule_of(name, fitting)
        )
        rule = self._rule(entry, anchors)
        rows = self._rows(entry, rule, anchors) if followed is None else followed.rows
        reads = anchors.reads | (frozenset() if followed is None else followed.reads)
        if "event" in own:
            reads |= {"event", "number"}
        if "warranty_expiry" in own:
            reads |= {"handover", "fitting", "project"}
        if entry.by_fitting:
            reads |= {"fitting"}
        plural = len(rule.due) > 1 or rows is not once
        return _Compiled(rule, rows, plural, own, frozenset(reads))

    def _rule(self, entry: Touchpoint, anchors: Anchors) -> Rule:
        dues = entry.due or ((_AT_ONCE,) if entry.trigger in EVENTS else ())
        notes = anchors.notes(dues)
        if entry.trigger is Trigger.WARRANTY_EXPIRY:
            notes = (*notes, components_note(self._warranty))
        due = tuple(map(anchors.due, dues))
        opens, until, latest = map(anchors.beside, (entry.opens, entry.until, entry.postpone_to))
        staff = entry.kind is not Kind.MESSAGE
        return anchors.settle(
            Rule(
                action=entry.id,
                due=due,
                every=interval(entry.every) if entry.every else None,
                opens=opens,
                until=until,
                latest=latest,
                ahead=entry.notice if entry.kind is Kind.MEETING else None,
                clause=str(entry.clause or ""),
                staff=staff,
                by_calendar=staff or anchors.by_calendar,
                notes=notes,
            )
        )

    def _rows(self, entry: Touchpoint, rule: Rule, anchors: Anchors) -> Rows:
        ends = None if entry.ends is None else anchors.day(entry.ends.moment, entry.ends)
        if entry.every:
            return every(rule.day, ends)
        if period := _period_of(entry):
            assert entry.about is not None
            begins = entry.begins or _BEGINS[entry.about]
            return each(
                period, rule.day, anchors.day(begins.moment, begins), ends, strays=entry.trigger is Trigger.BIRTHDAY
            )
        if entry.trigger is Trigger.WARRANTY_EXPIRY:
            return _warranties(self._warranty)
        return numbered(len(rule.due)) if len(rule.due) > 1 else once

    def _followed(self, entry: Touchpoint, fitting: _Fitting | None) -> _Compiled | None:
        """Return the touchpoint whose occurrences ``entry`` shares, because it counts from each of them."""
        if len(entry.due) != 1 or entry.every or _own_dates(entry):
            return None
        for name in sorted(anchors_of(entry.due[0].moment) & self._others(entry)):
            if (other := self._compiled(name, fitting)).plural:
                return other
        return None

    def _others(self, entry: Touchpoint) -> frozenset[str]:
        """Return the touchpoints that ``entry`` may count from: those about the same kind of subject."""
        return frozenset(
            other.id
            for other in self._playbook.touchpoints.values()
            if other.about is entry.about and kind_of(other) is not None
        )

    def _rule_of(self, touchpoint: str, fitting: _Fitting | None) -> tuple[Rule, frozenset[str]]:
        found = self._compiled(touchpoint, fitting)
        return found.rule, found.reads


def _period_of(entry: Touchpoint) -> Period | None:
    """Return the period of which each has its own promise; birthdays have one a year in any case."""
    return entry.each or (Period.YEAR if entry.trigger is Trigger.BIRTHDAY else None)


def _own_dates(entry: Touchpoint) -> frozenset[str]:
    """Return the dates that the occurrences of ``entry`` have, beside those of the record."""
    names: set[str] = set()
    if _period_of(entry):
        names |= {"period", "period_end"} | ({"begun"} if entry.about in (About.CUSTOMER, About.COMPANY) else set())
    if entry.trigger in EVENTS:
        names.add("event")
    if entry.trigger is Trigger.WARRANTY_EXPIRY:
        names.add("warranty_expiry")
    return frozenset(names)


def _for_fitting(entry: Touchpoint, fitting: _Fitting | None) -> Touchpoint:
    """Return ``entry`` as it is for one fitting; where that is not known it is as it stands."""
    differs = entry.by_fitting.get(fitting) if fitting else None
    if differs is None:
        return entry
    if differs.off:
        return entry.model_copy(update={"due": ()})
    said = {name: getattr(differs, name) for name in ("due", "opens", "until")}
    return entry.model_copy(update={name: value for name, value in said.items() if value is not None})


def _warranties(warranty: Warranty) -> Rows:
    """Return the row with one occurrence for all components of a home whose warranty ends on one day."""

    def row(dates: Dates, _: Context) -> Row:
        if dates.handover is None:
            return Row(())
        endings = warranty.endings(dates.project, dates.fitting, dates.handover)
        return Row([dates._replace(number=ending.number, warranty_expiry=ending.on) for ending in endings])

    return row
