"""What the plugin works out once, at start: the playbook of each edition in each city, with its variants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import cast

from keguan.errors import PluginError
from keguan.model import City, Context, Contract, Job, Plan, Record, Tenure
from keguan_sixplustwo import hookspecs
from keguan_sixplustwo.library import forms, playbooks, templates, warranted
from keguan_sixplustwo.planning.compiling import schedule
from keguan_sixplustwo.planning.components import Warranty
from keguan_sixplustwo.planning.dates import Dates, begun_on, dates_of
from keguan_sixplustwo.planning.editions import Wanted, moved_over
from keguan_sixplustwo.planning.promises import Schedule
from keguan_sixplustwo.planning.rules import MIDNIGHT, Rule
from keguan_sixplustwo.playbook import Playbook, nearest
from keguan_sixplustwo.settings import Settings
from keguan_sixplustwo.touchpoint import Edition, Kind, Touchpoint

__all__ = ["Prepared", "fold", "prepare"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Playbooks and their schedules, by edition and city key."""

    settings: Settings
    playbooks: Mapping[tuple[Edition, str | None], Playbook]
    """City ``None`` is the edition as its document has it: for cities that nobody configured."""
    schedules: Mapping[tuple[Edition, str | None], Schedule]
    warranty: Warranty

    def playbook(self, city: str | None = None, edition: Edition | None = None) -> Playbook:
        """Return the playbook in force in ``city`` for ``edition`` (default: the configured one)."""
        wanted = edition or self.settings.edition
        return self.playbooks.get((wanted, city)) or self.playbooks[wanted, None]

    def schedule(self, city: str, edition: Edition) -> Schedule:
        """Return the promises of ``edition`` as they are in ``city``."""
        found = self.schedules.get((edition, city))
        return self.schedules[edition, None] if found is None else found

    def plans(self, kind: str, record: Record, context: Context, dates: Dates | None = None) -> list[Plan]:
        """Return what ``record`` was promised because of a ``kind`` of event, by the editions it has had.

        ``dates``: those of a single event; else the record's own.
        """
        counted = dates_of(record, context) if dates is None else dates
        tenures = self.tenures(record, context)
        if len(tenures) == 1:
            promises = self.schedule(context.city.key, cast("Edition", tenures[0].value)).get(kind)
            return [] if promises is None else promises.plans(counted, context)
        kinds = ("deposit", "contract_signed") if isinstance(record, Contract) else (kind,)

        def plans_of(edition: str) -> list[Wanted]:
            alone = self.schedule(context.city.key, cast("Edition", edition))
            return [(of, plan) for of in kinds if of in alone for plan in alone[of].plans(counted, context)]

        wanted = moved_over(tenures, plans_of, lambda day: context.city.at(day, MIDNIGHT))
        return [plan for of, plan in wanted if of == kind]

    def tenures(self, record: Record, context: Context) -> Sequence[Tenure]:
        """Return the editions that hold for ``record``, in the order of time: at least one."""
        project = record.project.name
        pinned = context.pins.of(project, begun_on(record))
        return pinned or (Tenure(self.settings.edition_of(project), None),)

    def edition_at(self, record: Record, due: datetime, context: Context) -> Edition:
        """Return the edition that what was due for ``record`` at ``due`` is done by."""
        city = context.city
        held = [t for t in self.tenures(record, context) if t.since is None or city.at(t.since, MIDNIGHT) <= due]
        return cast("Edition", held[-1].value)

    def entry(self, name: str, job: Job) -> Touchpoint | None:
        """Return the touchpoint as it is for the job's record now, or ``None`` when it was dropped since."""
        edition = self.edition_at(job.record, job.due, job.context)
        return self.playbook(job.context.city.key, edition).touchpoints.get(name)

    def is_over(self, job: Job) -> bool:
        """Return whether the window is over by the record as it is now: the home was handed over meanwhile."""
        end, found = job.until, self._occurrence(job)
        if found is not None and (plan := found[0].plan(found[1], job.context)) is not None:
            end = plan.until
        return end is not None and end <= job.now

    def latest(self, job: Job) -> date | None:
        """Return the last day that the job's task can be postponed to; ``None``: any day."""
        found = self._occurrence(job)
        return None if found is None else found[0].latest_day(found[1], job.context)

    def _occurrence(self, job: Job) -> tuple[Rule, Dates] | None:
        """Return the promise behind ``job``; ``None`` when it follows from an event, or is not promised any more."""
        schedule = self.schedule(job.context.city.key, self.edition_at(job.record, job.due, job.context))
        dates = dates_of(job.record, job.context)
        for promises in schedule.values():
            if promise := promises.each.get(job.action):
                return promise.occurrence(dates, job.occurrence, job.context)
        return None


def prepare(settings: Settings, cities: Mapping[str, City], ask: Callable[..., list[tuple[str, object]]]) -> Prepared:
    """Return the playbooks of all editions, adjusted by the variants of each city.

    Those that are not configured are adjusted too: contracts may have been signed under them.

    Raises ``PluginError`` for variants that clash, for adjustments of what does not exist, for templates and forms that
    do not exist, for warranties below the legal minimum, and for timings that cannot be read or count from a date that
    is not at hand.
    """
    warranty = Warranty(warranted(), settings.seasons, settings.warranty, settings.project_warranty)
    found: dict[tuple[Edition, str | None], Playbook] = {}
    for edition, playbook in playbooks().items():
        base = found[edition, None] = replace(playbook, lenient=edition not in settings.editions)
        for city in sorted(cities):
            found[edition, city] = fold(base, ask(hookspecs.sixplustwo_adjust, city=city, playbook=base), city)
    for playbook in found.values():
        _check_templates(playbook)
        _check_forms(playbook)
    _check_optional(settings, found.values())
    schedules = {key: schedule(playbook, warranty, settings.optional) for key, playbook in found.items()}
    return Prepared(settings, found, schedules, warranty)


def fold(base: Playbook, answers: Iterable[tuple[str, object]], city: str) -> Playbook:
    """Return ``base`` with what every variant did to it, each change under its plugin's name.

    ``answers`` are pairs of plugin and adjusted playbook. Raises ``PluginError`` naming both plugins when two
    touch the same field of one touchpoint; adding or removing one touches all of its fields.
    """
    result = base
    touched: dict[tuple[str, str], str] = {}
    for plugin, answer in answers:
        if not isinstance(answer, Playbook) or answer.edition != base.edition:
            raise PluginError("sixplustwo.answer_invalid", plugin=plugin, city=city, edition=base.edition)
        changes = answer.changes[len(base.changes) :]
        for change in changes:
            for name in change.fields if change.what in ("change", "rename") else ("*",):
                _refuse_clash(touched, change.touchpoint, name, plugin, city)
        for change in changes:
            for name in change.fields if change.what in ("change", "rename") else ("*",):
                touched[change.touchpoint, name] = plugin
            result = result.apply(replace(change, by=plugin))
    return result


def _refuse_clash(touched: Mapping[tuple[str, str], str], touchpoint: str, name: str, plugin: str, city: str) -> None:
    for (other, field), first in touched.items():
        if other == touchpoint and (field == name or "*" in (field, name)):
            raise PluginError(
                "sixplustwo.variants_clash",
                first=first,
                second=plugin,
                field=field if name == "*" else name,
                touchpoint=touchpoint,
                city=city,
            )


def _check_forms(playbook: Playbook) -> None:
    """Raise ``PluginError`` for a form that nobody could be given on the day."""
    for entry in playbook.touchpoints.values():
        if entry.form is not None and entry.form not in forms():
            raise PluginError(
                "sixplustwo.form_missing",
                form=entry.form,
                touchpoint=entry.id,
                nearest=nearest(entry.form, forms()),
            )


def _check_templates(playbook: Playbook) -> None:
    """Raise ``PluginError`` for a message without a template: better now than on the day it is due.

    Those that variants bring along, ``wuhan/hello``, stand in their own packages; `keguan plugins check` looks there.
    """
    for entry in playbook.touchpoints.values():
        for channel in entry.channel or () if entry.kind is Kind.MESSAGE else ():
            known = templates(channel)
            if entry.template not in known and "/" not in str(entry.template):
                raise PluginError(
                    "sixplustwo.template_missing",
                    channel=channel,
                    template=entry.template,
                    touchpoint=entry.id,
                    nearest=nearest(str(entry.template), known),
                )


def _check_optional(settings: Settings, found: Iterable[Playbook]) -> None:
    """Raise ``PluginError`` for an optional touchpoint that is switched on and does not exist in any playbook."""
    optional = {entry.id for playbook in found for entry in playbook.touchpoints.values() if entry.optional}
    for name in sorted(settings.optional - optional):
        raise PluginError("sixplustwo.optional_unknown", touchpoint=name, nearest=nearest(name, optional))
