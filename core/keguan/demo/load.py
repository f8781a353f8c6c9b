"""What years of work come to: counted by day, and as the document that people and programs read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from keguan.texts import Language

__all__ = ["Load", "Touchpoint", "as_document", "busiest_days"]

Touchpoint = tuple[str, str]
"""The plugin, and its action's own name."""
_TOP = 10


@dataclass(slots=True)
class Load:
    """What the years brought: counts by day (of the city where it happened) and by channel or department."""

    homes: int = 0
    contracts: int = 0
    messages: Counter[tuple[date, str]] = field(default_factory=Counter)
    """Messages that left, by day and channel."""
    segments: Counter[date] = field(default_factory=Counter)
    """SMS as the operator bills them, by day."""
    tasks: Counter[tuple[date, str]] = field(default_factory=Counter)
    """Tasks by the day of their deadline and department; those that were taken back before it left out."""
    open: Counter[str] = field(default_factory=Counter)
    """Tasks that are open at the end, by department."""
    messages_of: Counter[Touchpoint] = field(default_factory=Counter)
    tasks_of: Counter[Touchpoint] = field(default_factory=Counter)
    labels: dict[Touchpoint, Mapping[Language, str]] = field(default_factory=dict)
    """What people call the touchpoints, where they say."""
    plans: Counter[str] = field(default_factory=Counter)
    """How the promises stand at the end: status to number."""
    failures: Counter[str] = field(default_factory=Counter)
    """What plugins failed with, and how often."""

    def merge(self, other: Load) -> None:
        """Add what other projects brought in the same time."""
        self.homes += other.homes
        self.contracts += other.contracts
        self.messages.update(other.messages)
        self.segments.update(other.segments)
        self.tasks.update(other.tasks)
        self.open.update(other.open)
        self.messages_of.update(other.messages_of)
        self.tasks_of.update(other.tasks_of)
        self.labels |= other.labels
        self.plans.update(other.plans)
        self.failures.update(other.failures)


def as_document(load: Load, start: date, end: date, segment_price: float, language: Language) -> dict[str, Any]:
    """Return what ``keguan simulate --json`` prints; ``segment_price`` is yuan for one SMS as billed.

    Keys: ``from to contracts{homes,contracts} channels[{channel,total,per_day,busiest}]
    departments[{department,total,per_day,busiest,open}] sms{segments,price,cost}
    touchpoints[{plugin,action,label,messages,tasks}] days[{date,messages,segments,tasks}] open plans{status: number}
    failures``. ``per_day`` is the average over all days, ``busiest`` the day with the most; ``touchpoints`` begin with
    the one that makes most work; ``days`` has those on which anything happens. ``open`` are tasks at the end.
    """
    length = (end - start).days + 1
    segments = sum(load.segments.values())
    messages, tasks = _by_day(load.messages), _by_day(load.tasks)
    return {
        "from": start,
        "to": end,
        "contracts": {"homes": load.homes, "contracts": load.contracts},
        "channels": [{"channel": name, **shares} for name, shares in _shares(load.messages, length)],
        "departments": [
            {"department": name, **shares, "open": load.open[name]} for name, shares in _shares(load.tasks, length)
        ],
        "sms": {"segments": segments, "price": segment_price, "cost": round(segments * segment_price, 2)},
        "touchpoints": _touchpoints(load, language),
        "open": sum(load.open.values()),
        "plans": dict(sorted(load.plans.items())),
        "failures": sorted(load.failures),
        "days": [
            {
                "date": day,
                "messages": messages.get(day, {}),
                "segments": load.segments[day],
                "tasks": tasks.get(day, {}),
            }
            for day in sorted({*messages, *tasks})
        ],
    }


def busiest_days(document: Mapping[str, Any], most: int = _TOP) -> list[dict[str, Any]]:
    """Return the days of such a document with most messages and tasks together: ``date messages tasks``."""
    days = [
        {"date": day["date"], "messages": sum(day["messages"].values()), "tasks": sum(day["tasks"].values())}
        for day in document["days"]
    ]
    return sorted(days, key=lambda day: (-day["messages"] - day["tasks"], day["date"]))[:most]


def _touchpoints(load: Load, language: Language) -> list[dict[str, Any]]:
    """Return every touchpoint that made work, the one with most first."""
    total = load.messages_of + load.tasks_of
    return [
        {
            "plugin": plugin,
            "action": action,
            "label": load.labels.get((plugin, action), {}).get(language, action),
            "messages": load.messages_of[plugin, action],
            "tasks": load.tasks_of[plugin, action],
        }
        for plugin, action in sorted(total, key=lambda name: (-total[name], name))
    ]


def _shares(counts: Counter[tuple[date, str]], days: int) -> list[tuple[str, dict[str, Any]]]:
    """Return total, average and peak by name, the biggest first."""
    totals: Counter[str] = Counter()
    peaks: dict[str, tuple[int, date]] = {}
    for (day, name), count in sorted(counts.items()):
        totals[name] += count
        if name not in peaks or count > peaks[name][0]:
            peaks[name] = count, day
    return [
        (
            name,
            {
                "total": total,
                "per_day": round(total / days, 2),
                "busiest": {"date": peaks[name][1], "total": peaks[name][0]},
            },
        )
        for name, total in totals.most_common()
    ]


def _by_day(counts: Counter[tuple[date, str]]) -> dict[date, dict[str, int]]:
    days: dict[date, dict[str, int]] = {}
    for (day, name), count in sorted(counts.items()):
        days.setdefault(day, {})[name] = count
    return days
