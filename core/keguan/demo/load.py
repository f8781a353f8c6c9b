"""A simulation's load as a document: by channel, department and day, with peaks and cost."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keguan.demo.simulation import Load

__all__ = ["as_document"]


def as_document(load: Load, start: date, end: date, segment_price: float) -> dict[str, Any]:
    """Return what ``keguan simulate --json`` prints; ``segment_price`` is yuan for one SMS as billed.

    Keys: ``from to contracts{homes,contracts} channels[{channel,total,per_day,busiest}]
    departments[{department,total,per_day,busiest}] sms{segments,price,cost} days[{date,messages,segments,tasks}]
    plans{status: number} failures``. ``per_day`` is the average over all days, ``busiest`` the day with the
    most; ``days`` has those on which anything happens.
    """
    length = (end - start).days + 1
    segments = sum(load.segments.values())
    messages, tasks = _by_day(load.messages), _by_day(load.tasks)
    return {
        "from": start,
        "to": end,
        "contracts": {"homes": load.homes, "contracts": load.contracts},
        "channels": [{"channel": name, **shares} for name, shares in _shares(load.messages, length)],
        "departments": [{"department": name, **shares} for name, shares in _shares(load.tasks, length)],
        "sms": {"segments": segments, "price": segment_price, "cost": round(segments * segment_price, 2)},
        "plans": load.plans,
        "failures": sorted(set(load.settled.failures)),
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
    for (day, name), count in counts.items():
        days.setdefault(day, {})[name] = count
    return days
