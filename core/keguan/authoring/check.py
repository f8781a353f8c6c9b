"""What is wrong with a plugin, found by living through six years with it, and once more without it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from keguan.authoring.years import Lived, live
from keguan.errors import PluginError
from keguan.plugins.discovery import Installed
from keguan.settings import Settings

__all__ = ["check_plugin", "problems"]


def check_plugin(settings: Settings, name: str, installed: Mapping[str, Installed] | None = None) -> list[PluginError]:
    """Return what goes wrong in six invented years because of the plugin ``name``, switched on for the purpose.

    What goes wrong without it too is not its fault. ``installed`` stands in for the plugins of the environment. Raises
    what a start of the daemon would raise with it.
    """
    city = _city(settings, name)
    lived = live(_switched(settings, name, city, on=True), city, installed)
    configured = frozenset(settings.departments)
    found = list(problems(lived, configured | lived.named))
    if all(_is_of(problem, name) for problem in found):
        return found  # the usual case needs no second life
    before = live(_switched(settings, name, city, on=False), city, installed)
    known = configured | before.named | frozenset(before.departments)
    old = {_about(problem) for problem in problems(before, known)}
    return [problem for problem in problems(lived, known) if _about(problem) not in old]


def problems(lived: Lived, departments: frozenset[str]) -> Iterator[PluginError]:
    """Yield what went wrong, a line for each, sorted by what it is about.

    ``departments`` are those that are known; when none is, none is unknown.
    """
    for plugin, action in sorted(lived.expected - lived.fates.keys()):
        yield PluginError("authoring.never_planned", action=f"{plugin}.{action}")
    for (plugin, action), fate in sorted(lived.fates.items()):
        name = f"{plugin}.{action}"
        if fate.late_from_the_start * 2 > fate.promised:
            late, promised = fate.late_from_the_start, fate.promised
            yield PluginError("authoring.late_from_the_start", action=name, late=late, promised=promised)
        if fate.past and not fate.done and (plugin, action) not in lived.stuck:
            why = next((reason for reason, _ in fate.reasons.most_common(1)), "–")
            yield PluginError("authoring.never_kept", action=name, promised=fate.past, why=why)
    for (plugin, action), error in sorted(lived.stuck.items(), key=lambda one: one[0]):
        yield PluginError("authoring.stuck", action=f"{plugin}.{action}", why=error)
    for (language, plugin, template, channel), wrong in sorted(lived.unrenderable.items(), key=lambda one: one[0]):
        shown = f"{plugin}/{template} {channel}".strip()
        yield PluginError("authoring.unrenderable", template=shown, language=language, why=wrong)
    for department, (plugin, action) in sorted(lived.departments.items()):
        if not department or (departments and department not in departments):
            yield PluginError("authoring.department_unknown", department=department, action=f"{plugin}.{action}")


def _is_of(problem: PluginError, name: str) -> bool:
    """Return whether ``problem`` is about what the plugin ``name`` itself does, and cannot be there without it."""
    about = str(problem.values.get("action") or problem.values["template"])
    return about.startswith((f"{name}.", f"{name}/")) and "department" not in problem.values


def _about(problem: PluginError) -> tuple[str, ...]:
    """Return what tells a problem from others: reasons and numbers may read otherwise from one life to the next."""
    return (problem.key, *(str(problem.values.get(name)) for name in ("action", "template", "language", "department")))


def _city(settings: Settings, name: str) -> str:
    """Return the city to look at: the first in which the plugin is, or could be, on."""
    table = settings.plugin(name)
    known = table.cities or [city for city in settings.cities if city not in (table.except_cities or ())]
    return next(iter(known), "shenzhen")


def _switched(settings: Settings, name: str, city: str, *, on: bool) -> Settings:
    table = settings.plugin(name)
    only = None if table.cities is None else (city,)
    changed = table.model_copy(update={"enabled": on, "cities": only})
    return settings.model_copy(update={"plugins": {**settings.plugins, name: changed}})
