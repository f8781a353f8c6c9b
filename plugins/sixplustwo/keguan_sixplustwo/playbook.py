"""Playbooks as values: the steps and touchpoints of one edition, read from data and adjusted by variants.

A playbook never changes: :meth:`Playbook.change`, :meth:`Playbook.add` and :meth:`Playbook.remove` return a new
one that remembers what was done to it, so that clashes are found and every value can say where it comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Literal, TypedDict, Unpack

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
    "Adjustment",
    "Change",
    "Channel",
    "Clause",
    "Coverage",
    "Edition",
    "Fields",
    "Kind",
    "NewTouchpoint",
    "Playbook",
    "Proxy",
    "Step",
    "Text",
    "Touchpoint",
    "Trigger",
    "explain",
    "nearest",
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


class Fields(TypedDict, total=False):
    """What a variant may change; timings as expressions, the rest as the data files write it."""

    step: str
    name: Mapping[str, str]
    kind: str
    trigger: str
    due: str
    until: str | None
    late: str
    audience: str | None
    channel: str | list[str]
    owner: str | list[str]
    support: list[str]
    evidence: list[Mapping[str, str]] | None
    optional: bool
    optional_parts: list[Mapping[str, str]]
    coverage: Mapping[str, int] | None
    template: str
    clause: Mapping[str, object] | None


class NewTouchpoint(Fields, total=False):
    """What a variant says of a touchpoint of its own: ``step name kind trigger due owner`` at least."""


Adjustment = Literal["add", "change", "remove"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing done to a playbook, and by which plugin (``""`` until the playbook is folded)."""

    what: Adjustment
    touchpoint: str
    fields: Mapping[str, object] = field(default_factory=dict)
    by: str = ""


@dataclass(frozen=True, slots=True)
class Playbook:
    """The touchpoints of one edition, by id and in the order of the steps."""

    edition: Edition
    name: Text
    steps: tuple[Step, ...]
    touchpoints: Mapping[str, Touchpoint]
    proxies: Mapping[str, Proxy] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()

    def __contains__(self, touchpoint: str) -> bool:
        return touchpoint in self.touchpoints

    def change(self, touchpoint: str, /, **fields: Unpack[Fields]) -> Playbook:
        """Return a playbook in which ``touchpoint`` has these ``fields``; what is not named stays.

        Raises ``PluginError`` with the nearest names when the touchpoint or a field does not exist here, and
        with the reason when a value does not fit. An edition may lack a touchpoint: ask ``id in playbook``.
        """
        return self.apply(Change("change", touchpoint, dict(fields)))

    def add(self, touchpoint: str, /, **fields: Unpack[NewTouchpoint]) -> Playbook:
        """Return a playbook with one touchpoint more. Raises ``PluginError`` when its id is taken."""
        return self.apply(Change("add", touchpoint, dict(fields)))

    def remove(self, touchpoint: str, /) -> Playbook:
        """Return a playbook without ``touchpoint``. Raises ``PluginError`` when it does not exist here."""
        return self.apply(Change("remove", touchpoint))

    def apply(self, change: Change) -> Playbook:
        """Return a playbook to which ``change`` was done, and which remembers it."""
        touchpoints = dict(self.touchpoints)
        self._check(change)
        match change.what:
            case "remove":
                del touchpoints[change.touchpoint]
            case "add":
                touchpoints[change.touchpoint] = self._build({"id": change.touchpoint, **change.fields})
            case "change":
                old = touchpoints[change.touchpoint]
                fields = {name: getattr(old, name) for name in type(old).model_fields}
                fields |= change.fields
                fields["ours"] = old.ours - change.fields.keys()
                touchpoints[change.touchpoint] = self._build(fields)
        return replace(self, touchpoints=MappingProxyType(touchpoints), changes=(*self.changes, change))

    def origin(self, touchpoint: str, name: str) -> str | None:
        """Return where the value of field ``name`` comes from: a plugin's name, ``ours``, ``clause``, or ``None``.

        ``None`` means that there is no value: the source is silent and nobody filled the gap. A change that no
        plugin's name was put to yet is from ``a variant``.
        """
        entry = self.touchpoints[touchpoint]
        for change in reversed(self.changes):
            if change.touchpoint == touchpoint and (change.what == "add" or name in change.fields):
                return change.by or "a variant"
        if getattr(entry, name) in (None, ()):
            return None
        return "ours" if name in entry.ours else "clause"

    def _check(self, change: Change) -> None:
        known = change.touchpoint in self.touchpoints
        if known and change.what == "add":
            raise PluginError("sixplustwo.touchpoint_exists", touchpoint=change.touchpoint, edition=self.edition)
        if not known and change.what != "add":
            raise PluginError(
                "sixplustwo.touchpoint_unknown",
                touchpoint=change.touchpoint,
                edition=self.edition,
                nearest=nearest(change.touchpoint, self.touchpoints),
            )
        adjustable = Touchpoint.model_fields.keys() - {"id", "ours"}
        for name in sorted(change.fields.keys() - adjustable):
            raise PluginError(
                "sixplustwo.field_unknown",
                field=name,
                touchpoint=change.touchpoint,
                nearest=nearest(name, adjustable),
            )

    def _build(self, fields: Mapping[str, object]) -> Touchpoint:
        try:
            entry = Touchpoint.model_validate(fields)
        except ValidationError as wrong:
            raise PluginError("sixplustwo.value_invalid", touchpoint=fields["id"], reason=explain(wrong)) from wrong
        orders = [step.order for step in self.steps]
        if entry.step not in orders:
            raise PluginError("sixplustwo.step_unknown", step=entry.step, touchpoint=entry.id, known=", ".join(orders))
        return entry


def nearest(name: str, names: Iterable[str]) -> str:
    """Return up to three of ``names`` that look like ``name``, as a list to read."""
    return ", ".join(get_close_matches(name, sorted(names), n=3, cutoff=0.0)) or "-"


def explain(wrong: ValidationError) -> str:
    """Return the first thing that pydantic found, as one line: ``channel.0: Input should be …``."""
    first = wrong.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
