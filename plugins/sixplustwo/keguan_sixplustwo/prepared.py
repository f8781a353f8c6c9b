"""What the plugin works out once, at start: the playbook of each edition in each city, with its variants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from keguan.errors import PluginError
from keguan.model import City
from keguan_sixplustwo import hookspecs
from keguan_sixplustwo.library import playbooks, templates
from keguan_sixplustwo.planner import Schedule, schedule
from keguan_sixplustwo.playbook import Playbook, nearest
from keguan_sixplustwo.settings import Settings
from keguan_sixplustwo.touchpoint import Edition, Kind

__all__ = ["Prepared", "fold", "prepare"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Playbooks and their schedules, by edition and city key."""

    settings: Settings
    playbooks: Mapping[tuple[Edition, str | None], Playbook]
    """City ``None`` is the edition as its document has it: for editions and cities that nobody configured."""
    schedules: Mapping[tuple[Edition, str | None], Schedule]

    def playbook(self, city: str | None = None, edition: Edition | None = None) -> Playbook:
        """Return the playbook in force in ``city`` for ``edition`` (default: the configured one)."""
        wanted = edition or self.settings.edition
        return self.playbooks.get((wanted, city)) or self.playbooks[wanted, None]

    def schedule(self, city: str, project: str) -> Schedule:
        """Return the promises made to the customers of the project of this name in ``city``."""
        edition = self.settings.edition_of(project)
        found = self.schedules.get((edition, city))
        return self.schedules[edition, None] if found is None else found


def prepare(settings: Settings, cities: Mapping[str, City], ask: Callable[..., list[tuple[str, object]]]) -> Prepared:
    """Return the playbooks of all editions, those in force adjusted by the variants of each city.

    Raises ``PluginError`` for variants that clash, for adjustments of what does not exist, for templates that
    do not exist, and for timings that cannot be read or count from a date that is not at hand.
    """
    found: dict[tuple[Edition, str | None], Playbook] = {
        (edition, None): playbook for edition, playbook in playbooks().items()
    }
    for edition in sorted(settings.editions):
        for city in sorted(cities):
            base = found[edition, None]
            answers = ask(hookspecs.sixplustwo_adjust, city=city, playbook=base)
            found[edition, city] = fold(base, answers, city)
    for playbook in found.values():
        _check_templates(playbook)
    return Prepared(settings, found, {key: schedule(playbook) for key, playbook in found.items()})


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
            for name in change.fields if change.what == "change" else ("*",):
                _refuse_clash(touched, change.touchpoint, name, plugin, city)
        for change in changes:
            for name in change.fields if change.what == "change" else ("*",):
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
