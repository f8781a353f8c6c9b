"""What the developer warrants of a home, for how long, and what of it ends on one day.

Of seasons those count that begin on the day of the handover or later (ours): one that is already running is not one
that the owner had.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from pydantic import BaseModel, ConfigDict

from keguan.calendar.dates import add_months, day_of_month
from keguan.errors import PluginError
from keguan.model import Home, Job
from keguan_sixplustwo.playbook import nearest
from keguan_sixplustwo.touchpoint import Text

if TYPE_CHECKING:
    from keguan_sixplustwo.prepared import Prepared

__all__ = ["Component", "Ending", "Season", "Term", "Warranty", "components_of", "read_term"]

Unit = Literal["design life", "month", "heating season", "cooling season"]
_TERM = re.compile(r"([1-9]\d?) (year|month|heating season|cooling season)s?")


class Season(NamedTuple):
    """When it begins and ends each year: ``(month, day)``, the last day included."""

    first: tuple[int, int]
    last: tuple[int, int]

    def end(self, since: date, count: int) -> date:
        """Return the last day of the season that is number ``count`` of those that begin on ``since`` or later."""
        year = since.year + count - 1 + (day_of_month(since.year, *self.first) < since)
        return day_of_month(year + (self.last < self.first), *self.last)


class Term(NamedTuple):
    """How long something is warranted: so many months or seasons, or as long as it was designed to last."""

    size: int
    unit: Unit

    def covers(self, least: Term) -> bool:
        """Return whether this is never shorter than ``least``."""
        if self.unit == least.unit:
            return self.size >= least.size
        # seasons are over a year after their number at the latest; nothing else can be compared
        return self.unit == "month" and least.unit.endswith("season") and self.size >= 12 * (least.size + 1)


def read_term(expression: str) -> Term | None:
    """Return what ``5 years``, ``18 months``, ``2 heating seasons`` or ``design life`` says, ``None`` if unreadable."""
    if expression == "design life":
        return Term(1, "design life")
    if (match := _TERM.fullmatch(expression)) is None:
        return None
    count, unit = int(match[1]), match[2]
    return Term(12 * count, "month") if unit == "year" else Term(count, cast("Unit", unit))


class Component(BaseModel):
    """A part of a home that has a warranty of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    name: Text
    minimum: str
    """What the law asks for at least."""
    fitting: Literal["fitted", "bare"] | None = None
    """Only homes of this fitting have it."""


class Ending(NamedTuple):
    """Components of a home whose warranty ends on one day."""

    number: int
    """The place of the first of them in the list of components: the number of the promise."""
    on: date
    names: tuple[Text, ...]
    by_law: bool
    """They have the legal minimum: nobody configured what the contract says."""


@dataclass(frozen=True, slots=True)
class Warranty:
    """The components, the seasons, and what the company and its projects promise beyond the legal minimum."""

    components: Sequence[Component]
    seasons: Mapping[str, Season]
    """``heating season`` and ``cooling season``."""
    terms: Mapping[str, str]
    """By component, for every project."""
    project_terms: Mapping[str, Mapping[str, str]]
    """By project and component."""

    def __post_init__(self) -> None:
        """Refuse what cannot be read, what is no component, and what is less than the law asks for."""
        least = {component.id: component.minimum for component in self.components}
        tables = {
            "warranty": self.terms,
            **{f'project_warranty."{name}"': own for name, own in self.project_terms.items()},
        }
        for table, terms in tables.items():
            for component, expression in terms.items():
                _check(f"[plugins.sixplustwo.{table}]", component, expression, least)

    def endings(self, project: str, fitting: str | None, handover: date) -> Sequence[Ending]:
        """Return what ends when, of a home that was handed over on that day; what has no date is not in it.

        Of a home whose fitting nobody knows only what every home has is known.
        """
        found: dict[date, Ending] = {}
        for number, component in enumerate(self.components, start=1):
            own = self.project_terms.get(project, {}).get(component.id) or self.terms.get(component.id)
            last = self._last_day(own or component.minimum, handover)
            if last is None or component.fitting not in (None, fitting):
                continue
            first = found.get(last, Ending(number, last, (), by_law=False))
            found[last] = first._replace(names=(*first.names, component.name), by_law=first.by_law or own is None)
        return tuple(found.values())

    def _last_day(self, expression: str, handover: date) -> date | None:
        term = read_term(expression)
        assert term is not None
        if term.unit == "month":
            return add_months(handover, term.size)
        season = self.seasons.get(term.unit)
        return None if season is None else season.end(handover, term.size)


def components_of(job: Job) -> Ending:
    """Return what the promise behind ``job``, one about the warranty of a home, is about: names and last day.

    By the record as it is now; of a home whose handover was taken back meanwhile nothing ends.
    """
    home = job.record
    assert isinstance(home, Home)
    warranty = cast("Prepared", job.context.prepared).warranty
    fitting = home.fitting or home.project.fitting
    endings = () if home.handed_over_on is None else warranty.endings(home.project.name, fitting, home.handed_over_on)
    nothing = Ending(job.occurrence, job.context.calendar.date_of(job.due), (), by_law=False)
    return next((ending for ending in endings if ending.number == job.occurrence), nothing)


def _check(where: str, component: str, expression: str, least: Mapping[str, str]) -> None:
    if component not in least:
        raise PluginError(
            "sixplustwo.component_unknown", component=component, where=where, nearest=nearest(component, least)
        )
    term, minimum = read_term(expression), read_term(least[component])
    if term is None:
        raise PluginError("sixplustwo.term_unreadable", term=expression, component=component, where=where)
    assert minimum is not None
    if not term.covers(minimum):
        raise PluginError(
            "sixplustwo.term_below_law", term=expression, component=component, where=where, minimum=least[component]
        )
