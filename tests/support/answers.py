"""Promises and filled-in forms that a test gives, and a view over them for checks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from keguan import FilledForm, Promised
from keguan.model import PromiseStatus, Subject
from keguan.texts import Language

__all__ = ["DUE", "Records", "call", "filled", "promised"]

DUE = datetime.fromisoformat("2026-03-02T09:30+08:00")


def promised(
    status: PromiseStatus,
    number: int = 7,
    *,
    action: str = "sms_congratulation",
    project: str = "云璟一期",
    due: datetime = DUE,
    done: datetime | None = None,
) -> Promised:
    """Return a promise to a contract."""
    return Promised(
        key=f"sixplustwo.{action}/contract/{number}/1",
        plugin="sixplustwo",
        action=action,
        clause="6+2指引 5.2.1",
        subject=Subject("contract", number),
        project=project,
        city="wuhan",
        due_at=due,
        until=None,
        status=status,
        kind="message",
        late_at_creation=False,
        why="no address",
        done_at=done,
    )


def filled(form: str, action: str, number: int = 7, **more: Any) -> FilledForm:
    """Return a complete form about a contract whose task is done; ``more`` are its other fields."""
    known: dict[str, Any] = {
        "subject": Subject("contract", number),
        "project": "云璟一期",
        "city": "wuhan",
        "at": DUE,
        "complete": True,
        "answers": {},
        "lines": [],
        "occurrence": 1,
        "task": number,
        "task_status": "done",
    } | more
    return FilledForm(form=form, action=action, **known)


def call(
    number: int,
    reached: str = "answered",
    satisfaction: str | None = None,
    *,
    on: str = "2026-03-04",
    tries: Sequence[str] = (),
    **more: Any,
) -> FilledForm:
    """Return a call-back after signing, with the days on which it was tried."""
    answers: Mapping[str, object] = {"called_on": on, "reached": reached} | (
        {} if satisfaction is None else {"satisfaction": satisfaction}
    )
    lines = [{"tried_on": day, "outcome": "no_answer"} for day in tries]
    return filled("signing_callback", "signing_callback", number, answers=answers, lines=lines, **more)


@dataclass
class Records:
    """A view over what the test gives, in English, thirty days later."""

    promised: Sequence[Promised] = ()
    filled: Sequence[FilledForm] = ()
    language: Language = "en"
    now: datetime = field(default=DUE + timedelta(days=30))

    def promises(self, *, plugin: str | None = None, actions: Collection[str] = ()) -> Iterator[Promised]:
        """Return the promises that were given, of these actions."""
        assert plugin == "sixplustwo"
        return (each for each in self.promised if not actions or each.action in actions)

    def forms(self, plugin: str, forms: Collection[str]) -> Iterator[FilledForm]:
        """Return what was filled into these forms."""
        assert plugin == "sixplustwo"
        return (each for each in self.filled if each.form in forms)
