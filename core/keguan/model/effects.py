"""Effects: what leaves. An action returns these; the core renders, dedupes, judges and delivers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from keguan.model.records import Person

__all__ = ["Attachment", "CodePurpose", "Effect", "Email", "Filled", "MessageClass", "Skip", "Sms", "Task"]

MessageClass = Literal["code", "service", "promotion"]
"""What China's SMS rules tell apart; each class has its own consent and hours."""
CodePurpose = Literal["survey", "status"]
"""What a short code opens."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with an e-mail."""

    filename: str
    content: bytes = field(repr=False)
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Sms:
    """A text message: a template of the plugin (``PLUGIN/NAME``: of another) and the values it names."""

    to: Person
    template: str
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    message_class: MessageClass = "service"
    urgent: bool = False
    """Exempt from quiet hours; recorded as such."""
    code_for: CodePurpose | None = None
    """The template gets a short ``code`` that opens this at ``company.web``; the same for all messages of a plan."""


@dataclass(frozen=True, slots=True)
class Email:
    """An e-mail: a template (subject, text, optional HTML), named as for ``Sms``, and the values it names."""

    to: Person
    template: str
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    message_class: MessageClass = "service"
    urgent: bool = False
    attachments: tuple[Attachment, ...] = ()
    code_for: CodePurpose | None = None
    """As for ``Sms``."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was, or is to be, filled in: answers by field, lines as in the form's table."""

    answers: Mapping[str, object] = field(default_factory=dict, repr=False)
    lines: Sequence[Mapping[str, object]] = field(default=(), repr=False)
    at: datetime | None = None
    """When it was filled in last; ``None`` for what a task starts with."""


@dataclass(frozen=True, slots=True)
class Task:
    """Work for staff, with a deadline and the evidence that proves it was done."""

    title: str
    """What the person reads, in the language of the job; from the plugin's data or catalogue."""
    department: str
    due: datetime
    """Aware; the deadline of the person, never before the plan's own due time."""
    evidence: tuple[str, ...] = ()
    """What must be attached before the task can be done, as people read it."""
    assignee_id: int | None = None
    """A member of staff, or nobody in particular."""
    form: str | None = None
    """One of the plugin's own forms, which must be filled in before the task can be done."""
    filled: Filled | None = None
    """What the form holds when the task comes up: a sample that was drawn, figures that keguan knows."""
    latest: datetime | None = None
    """Aware; the task cannot be postponed beyond it."""


@dataclass(frozen=True, slots=True)
class Skip:
    """The action finds nothing to do, and says why. The plan ends as ``missed`` with this reason."""

    reason: str
    kept: bool = False
    """There is nothing to do because what was promised is there already: the plan ends as ``done``, the promise is
    kept."""


Effect = Sms | Email | Task
