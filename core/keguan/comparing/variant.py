"""Loads the plugins twice, with and without a variant, and compares what they promise and the work it makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from keguan import hookspecs
from keguan.comparing.rows import Row, compare_rows
from keguan.demo.simulation import simulate
from keguan.demo.years import Period
from keguan.errors import PluginError
from keguan.plugins import Failure
from keguan.plugins.loading import load_plugins

if TYPE_CHECKING:
    from keguan.demo.load import Load
    from keguan.plugins.discovery import Installed
    from keguan.settings import Settings
    from keguan.texts import Language

__all__ = ["compare_variant"]


def compare_variant(
    settings: Settings,
    variant: str,
    city: str,
    period: Period,
    language: Language,
    installed: Mapping[str, Installed] | None = None,
) -> dict[str, Any]:
    """Return what the plugin ``variant``, on or off, changes in ``city`` (its key).

    Keys: ``plugin city from to homes touchpoints[{plugin,id,name,change,clause,fields[{field,before,after,by}]}]
    load{messages,tasks,segments}``; each load is ``[{name,before,after,difference}]`` over the whole ``period``.
    Raises what a start of the daemon would raise, and ``PluginError`` for a description that is none.
    """
    sides = tuple(_switched(settings, variant, city, on=on) for on in (False, True))
    before, after = (_descriptions(side, city, language, installed) for side in sides)
    touchpoints = [
        {"plugin": plugin, **row}
        for plugin in sorted({*before, *after})
        for row in compare_rows(before.get(plugin, ()), after.get(plugin, ()), variant)
    ]
    less, more = (simulate(side, period, installed=installed) for side in sides)
    return {
        "plugin": variant,
        "city": city,
        "from": period.start,
        "to": period.end,
        "homes": period.homes,
        "touchpoints": touchpoints,
        "load": _compare_loads(less, more),
    }


def _switched(settings: Settings, variant: str, city: str, *, on: bool) -> Settings:
    """Return ``settings`` with the plugin on in ``city`` alone, or off."""
    scope = {"enabled": on, "cities": (city,) if on else None, "except_cities": None}
    table = settings.plugin(variant).model_copy(update=scope)
    return settings.model_copy(update={"plugins": {**settings.plugins, variant: table}})


def _descriptions(
    settings: Settings, city: str, language: Language, installed: Mapping[str, Installed] | None
) -> dict[str, list[Row]]:
    """Return what each plugin says of its standard in ``city``."""
    plugins = load_plugins(settings, installed=installed)
    found = {}
    for name in plugins.names:
        if not plugins.active(name, city):
            continue
        prepared = plugins.prepared.get(name)
        answer = plugins.call_one(name, hookspecs.describe, prepared=prepared, city=city, language=language)
        if isinstance(answer, Failure):
            raise answer.noted()
        if answer is not None:
            found[name] = _checked(name, answer.value)
    return found


def _checked(plugin: str, answer: object) -> list[Row]:
    """Return the rows of a description; raises ``PluginError`` for what is none."""
    if not isinstance(answer, list) or not all(
        isinstance(row, Mapping) and isinstance(row.get("id"), str) for row in answer
    ):
        raise PluginError("diff.no_rows", plugin=plugin)
    for name, times in Counter(row["id"] for row in answer).items():
        if times > 1:
            raise PluginError("diff.row_twice", plugin=plugin, id=name)
    return answer


def _compare_loads(less: Load, more: Load) -> dict[str, list[dict[str, Any]]]:
    def by_name(counts: Counter[tuple[date, str]]) -> Counter[str]:
        total: Counter[str] = Counter()
        for (_, name), number in counts.items():
            total[name] += number
        return total

    def compared(before: Counter[str], after: Counter[str]) -> list[dict[str, Any]]:
        return [
            {"name": name, "before": before[name], "after": after[name], "difference": after[name] - before[name]}
            for name in sorted({*before, *after})
        ]

    segments = [Counter({"sms": sum(load.segments.values())}) for load in (less, more)]
    return {
        "messages": compared(by_name(less.messages), by_name(more.messages)),
        "tasks": compared(by_name(less.tasks), by_name(more.tasks)),
        "segments": compared(*segments),
    }
