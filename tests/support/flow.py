"""Throw-away plugins as objects, and a look into the tables of the flow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select

from keguan import Action, Contract, EventType, Home, Job, Plan, Sms, Task, hookimpl
from keguan.store.engine import Store

__all__ = ["Area", "call", "greet", "only", "rows", "templates"]


class Area:
    """A plugin whose answers a test may change: each ``wants_…`` is a function or ``None`` for nothing."""

    def __init__(self, *actions: Action, **wants: Callable[..., list[Plan]]) -> None:
        self.actions = list(actions)
        self.types: list[EventType] = []
        self.asked: list[str] = []
        """Which hooks were called, in order."""
        self.wants = wants

    def _answer(self, hook: str, *arguments: Any) -> list[Plan]:
        self.asked.append(hook)
        wants = self.wants.get(hook)
        return wants(*arguments) if wants else []

    @hookimpl
    def on_contract_signed(self, contract: Contract, context: Any) -> list[Plan]:
        return self._answer("signed", contract, context)

    @hookimpl
    def on_handover(self, home: Home, context: Any) -> list[Plan]:
        return self._answer("handover", home, context)

    @hookimpl
    def daily_tick(self, today: Any, context: Any) -> list[Plan]:
        return self._answer("tick", today, context)

    @hookimpl
    def on_event(self, event: Any, record: Any, context: Any) -> list[Plan]:
        return self._answer(event.type, record, context)

    @hookimpl
    def register_actions(self) -> list[Action]:
        return self.actions

    @hookimpl
    def register_event_types(self) -> list[EventType]:
        return self.types


def greet(job: Job) -> list[Sms]:
    """Say hello to the main contact by SMS."""
    owner = job.record.owners[0]  # type: ignore[attr-defined]  # contracts and homes have owners
    return [Sms(owner, "hello", {"name": owner.name})]


def call(job: Job) -> list[Task]:
    """Have somebody call."""
    return [Task("call the owner", "service", due=job.due)]


def templates(folder: Path, *plugins: str, **extra: str) -> dict[str, Path]:
    """Write the SMS ``hello`` and those in ``extra`` for each of ``plugins``; return their folders."""
    sms = folder / "templates" / "en"
    sms.mkdir(parents=True)
    for name, text in {"hello": "Hello {{ name }}", **extra}.items():
        (sms / f"{name}.sms.j2").write_text(text, encoding="utf-8")
    return dict.fromkeys(plugins or ("area",), sms.parent)


def rows(store: Store, table: Table, *columns: str, where: Any = None) -> list[Any]:
    """Return what stands in a table, in the order of its first key."""
    statement = select(*(table.c[name] for name in columns)) if columns else select(table)
    if where is not None:
        statement = statement.where(where)
    with store.read() as connection:
        return list(connection.execute(statement.order_by(*table.primary_key)))


def only(found: Sequence[Any] | Iterable[Any]) -> Any:
    """Return the one thing that was found."""
    (one,) = found
    return one
