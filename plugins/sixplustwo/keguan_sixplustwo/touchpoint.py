"""What the data files may say: steps, touchpoints and their clauses, checked when they are read."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from keguan.errors import PluginError
from keguan.texts import Language
from keguan_sixplustwo.timing import Timing, UnreadableTiming, parse

__all__ = [
    "Channel",
    "Clause",
    "Coverage",
    "Edition",
    "Kind",
    "Proxy",
    "Step",
    "Text",
    "Touchpoint",
    "Trigger",
    "explain",
]

Edition = Literal["original", "e2011", "guide"]


class Kind(StrEnum):
    """How a touchpoint is done."""

    MESSAGE = "message"
    """keguan sends it."""
    TASK = "task"
    """A person does it, by a deadline and with evidence."""


class Trigger(StrEnum):
    """The kind of event that brings a touchpoint about."""

    DEPOSIT = "deposit"
    CONTRACT_SIGNED = "contract_signed"
    HANDOVER = "handover"


class Channel(StrEnum):
    """How the customer is reached. Messages leave by the first two; the others are for people."""

    SMS = "sms"
    EMAIL = "email"
    PHONE = "phone"
    MAIL = "mail"
    VISIT = "visit"


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(_Data):
    """A short text in both languages."""

    zh: str
    en: str

    def in_(self, language: Language) -> str:
        """Return the text in ``language``."""
        return self.zh if language == "zh" else self.en


class Step(_Data):
    """One step of the journey: ``order`` is ``1`` to ``6``, ``+1`` or ``+2``."""

    order: str
    name: Text


class Proxy(_Data):
    """What stands in for a date that nobody recorded, and the note that says so. Always a default of ours."""

    timing: InstanceOf[Timing]
    note: Text

    @field_validator("timing", mode="before")
    @classmethod
    def _read(cls, value: object) -> object:
        return _read_timing(value, "proxies")


class Clause(_Data):
    """Where a touchpoint comes from."""

    standard: str
    section: str
    item: str | None = None
    source: tuple[str, ...] = ()
    """Places in the source documents, such as ``S003 L345-351``."""

    def __str__(self) -> str:
        return " ".join(part for part in (self.standard, self.section, self.item) if part)


class Coverage(_Data):
    """How much of the audience the standard wants reached."""

    percent: Annotated[int, Field(ge=1, le=100)]


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


_Departments = Annotated[tuple[str, ...], BeforeValidator(_one_or_more), Field(min_length=1)]
_Channels = Annotated[tuple[Channel, ...], BeforeValidator(_one_or_more), Field(min_length=1)]


class Touchpoint(_Data):
    """One standard action of the journey. ``None`` means that the source is silent.

    ``ours`` names the fields whose value is a default of ours and not the source's word.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    step: str
    name: Text
    kind: Kind
    trigger: Trigger
    due: InstanceOf[Timing]
    """When it is done: the message leaves, the task falls due (that day, until the office closes)."""
    until: InstanceOf[Timing] | None = None
    """The end of its window: that whole day still counts, unless a time is given. ``None``: no end."""
    late: Literal["miss", "task"] = "miss"
    """What becomes of it when the fact comes in after the window: missed with the reason, or a task for
    ``owner`` to make up for it."""
    audience: str | None = None
    channel: _Channels | None = None
    owner: _Departments | None = None
    """The departments that answer for it; tasks go to the first."""
    support: tuple[str, ...] = ()
    evidence: tuple[Text, ...] | None = None
    form: str | None = None
    """The form that must be filled in before its task can be done."""
    optional: bool = False
    optional_parts: tuple[Text, ...] = ()
    coverage: Coverage | None = None
    template: str | None = None
    clause: Clause | None = None
    ours: frozenset[str] = frozenset()

    @field_validator("due", "until", mode="before")
    @classmethod
    def _read(cls, value: object, info: ValidationInfo) -> object:
        return _read_timing(value, info.data.get("id", "?"))

    @model_validator(mode="after")
    def _complete(self) -> Touchpoint:
        messages = {Channel.SMS, Channel.EMAIL}
        if self.kind is Kind.MESSAGE and not (self.template and self.channel and messages.issuperset(self.channel)):
            raise ValueError("a message needs a template, and the channel sms or email")
        if self.owner is None and (self.kind is Kind.TASK or self.late == "task"):
            raise ValueError("a task needs an owner")
        if unknown := self.ours - type(self).model_fields.keys():
            raise ValueError(f"ours names what is no field: {', '.join(sorted(unknown))}")
        if hollow := sorted(name for name in self.ours if getattr(self, name) is None):
            raise ValueError(f"ours names fields without a value: {', '.join(hollow)}")
        return self


def _read_timing(value: object, touchpoint: str) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse(value)
    except UnreadableTiming as wrong:
        raise PluginError(
            "sixplustwo.timing_unreadable",
            touchpoint=touchpoint,
            expression=wrong.expression,
            rest=wrong.rest or "…",
        ) from wrong


def explain(wrong: ValidationError) -> str:
    """Return the first thing that pydantic found, as one line: ``channel.0: Input should be …``."""
    first = wrong.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
