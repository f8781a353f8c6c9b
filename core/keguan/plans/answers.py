"""What the plugins answered for a batch of subjects, and how each took its events."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from keguan.model import Event, Record
from keguan.plans.wants import Place, Wants, ask_for_tick, ask_plugins, hook_for, kinds_in_force
from keguan.plugins import Failure
from keguan.store.types import to_stored

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["RETRY_FIRST", "Answers", "Asked", "DeliveryRow", "ask_about", "ask_about_ticks", "delivery_row"]

RETRY_FIRST = timedelta(minutes=1)


class DeliveryRow(NamedTuple):
    """How one plugin took one event."""

    event_seq: int
    plugin: str
    status: str
    retry_at: int | None
    error: str | None
    detail: str | None


Asked = tuple[Record | None, Event, str, Wants]
"""Record (``None`` for ticks), newest event, plugin, what it wants."""


@dataclass(slots=True)
class Answers:
    """What the plugins want for a batch of subjects, and how each took its events."""

    wants: list[Asked] = field(default_factory=list)
    deliveries: list[DeliveryRow] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


def ask_about(
    installation: Installation,
    record: Record | None,
    history: Sequence[Event],
    answers: Answers,
    now: datetime,
    only: Collection[str] | None = None,
    *,
    delivered: Sequence[Event],
) -> None:
    """Ask every plugin in scope about one subject and note how it took the events in ``delivered``."""
    if record is None or not history:
        return
    kinds = kinds_in_force(history, installation.plugins.event_types)
    for plugin, wants in ask_plugins(installation, record, kinds, only):
        answers.wants.append((record, history[-1], plugin, wants))
        failure = next(iter(wants.failures.values()), None)
        hooks = installation.plugins.hooks_of(plugin)
        for event in delivered:
            if failure is not None or wants.plans or hook_for(event.type) in hooks:
                answers.deliveries.append(delivery_row(event.seq, plugin, failure, now))
        if failure is not None:
            answers.failures.append(failure)
    city = record.project.city
    for plugin, off_hooks in installation.plugins_off(city).items():
        if only is None:
            answers.deliveries.extend(
                DeliveryRow(event.seq, plugin, "skipped", None, None, None)
                for event in delivered
                if hook_for(event.type) in off_hooks
            )


def ask_about_ticks(
    installation: Installation,
    ticks: Sequence[Event],
    places: Mapping[str, Place],
    answers: Answers,
    now: datetime,
    only: Collection[str] | None = None,
) -> None:
    """Ask every plugin in scope about business days and note how it took them; ``places`` are their cities."""
    for event in ticks:
        for plugin, wants in ask_for_tick(installation, event, places[event.city], only):
            answers.wants.append((None, event, plugin, wants))
            failure = wants.failures.get("tick")
            answers.deliveries.append(delivery_row(event.seq, plugin, failure, now))
            if failure is not None:
                answers.failures.append(failure)
        if only is None:
            answers.deliveries.extend(
                DeliveryRow(event.seq, plugin, "skipped", None, None, None)
                for plugin, off_hooks in installation.plugins_off(event.city).items()
                if "daily_tick" in off_hooks
            )


def delivery_row(seq: int, plugin: str, failure: Failure | None, now: datetime) -> DeliveryRow:
    """Return that ``plugin`` took the event ``seq``, or how it failed to for the first time."""
    if failure is None:
        return DeliveryRow(seq, plugin, "done", None, None, None)
    return DeliveryRow(seq, plugin, "failed", to_stored(now + RETRY_FIRST), str(failure), failure.traceback)
