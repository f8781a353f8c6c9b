"""What the data files may say: steps, touchpoints and their clauses, checked when they are read."""

from __future__ import annotations

from collections.abc import Mapping
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
from keguan_sixplustwo.words import USUALLY_ABOUT, About, Channel, Kind, Period, Trigger

__all__ = [
    "About",
    "Channel",
    "Clause",
    "Coverage",
    "Edition",
    "Fitting",
    "Kind",
    "Period",
    "Proxy",
    "Step",
    "Text",
    "Touchpoint",
    "Trigger",
    "explain",
]

Edition = Literal["original", "e2011", "guide", "five_steps"]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(_Data):
    """A short text in both languages."""

    zh: str
    """In Chinese."""
    en: str
    """In English."""

    def in_(self, language: Language) -> str:
        """Return the text in ``language``."""
        return self.zh if language == "zh" else self.en


class Step(_Data):
    """One step of the journey: ``order`` is ``1`` to ``6``, ``+1`` or ``+2``."""

    order: str
    """Where it stands; touchpoints name it as their ``step``."""
    name: Text
    """What people read."""


class Proxy(_Data):
    """What stands in for a date that nobody recorded, and the note that says so. Always a default of ours."""

    timing: InstanceOf[Timing]
    """The date that stands in."""
    note: Text
    """What is shown wherever it does."""

    @field_validator("timing", mode="before")
    @classmethod
    def _read(cls, value: object) -> object:
        return _read_timing(value, "proxies")


class Clause(_Data):
    """Where a touchpoint comes from."""

    standard: str
    """The document, as people call it."""
    section: str
    """Its section."""
    item: str | None = None
    """The item within the section."""
    source: tuple[str, ...] = ()
    """Places in the source documents, such as ``S003 L345-351``."""

    def __str__(self) -> str:
        return " ".join(part for part in (self.standard, self.section, self.item) if part)


class Coverage(_Data):
    """How much of the audience the standard wants reached: a share, at most so many, at least so often."""

    percent: Annotated[int, Field(ge=1, le=100)] | None = None
    """Of the audience; of a campaign with ``sample``, of the project's homes that were handed over."""
    most: Annotated[int, Field(ge=1)] | None = None
    """At most so many homes."""
    sample: bool = False
    """The homes are drawn, reproducibly from a recorded seed; else it is all of them."""
    times: Annotated[int, Field(ge=1)] | None = None
    """At least so often in each ``per``."""
    per: Period | None = None
    """In each of which ``times`` counts."""


class Fitting(_Data):
    """What differs for homes (or projects) of one fitting; what is not said stays."""

    due: tuple[InstanceOf[Timing], ...] | None = None
    """When it is done, instead of the touchpoint's own ``due``."""
    opens: InstanceOf[Timing] | None = None
    """When its task comes up, instead of ``opens``."""
    until: InstanceOf[Timing] | None = None
    """The end of its window, instead of ``until``."""
    off: bool = False
    """Not done for this fitting at all."""

    @field_validator("due", mode="before")
    @classmethod
    def _read_all(cls, value: object) -> object:
        return _read_timings(value, "by_fitting")

    @field_validator("opens", "until", mode="before")
    @classmethod
    def _read(cls, value: object) -> object:
        return _read_timing(value, "by_fitting")


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


_Departments = Annotated[tuple[str, ...], BeforeValidator(_one_or_more), Field(min_length=1)]
_Channels = Annotated[tuple[Channel, ...], BeforeValidator(_one_or_more), Field(min_length=1)]


class Touchpoint(_Data):
    """One standard action of the journey. ``None`` means that the source is silent.

    ``ours`` names the fields whose value is a default of ours and not the source's word.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    """Its name, for ever: small letters, digits, underscores. Actions, forms and other timings name it."""
    domain: str | None = None
    """The id in the domain's list, where one of its touchpoints takes two entries; else it is ``id``."""
    step: str
    """The step it belongs to: ``1`` to ``6``, ``+1`` or ``+2``."""
    name: Text
    """What people read."""
    kind: Kind
    """How it is done."""
    about: About | None = None
    """Whose promise it is. Where it is not said, the trigger's usual one: ``handover`` is a home's unless it says
    ``project``; ``calendar`` has none."""
    within: str | None = None
    """The touchpoint it is a part of, is looked at by, or is found by."""
    trigger: Trigger | None = None
    """What brings it about."""
    due: tuple[InstanceOf[Timing], ...] = ()
    """When it is done: the message leaves, the task falls due (that day, until the office closes). Several are so
    many occurrences. Empty: not planned, or planned by an event alone: due at once."""
    opens: InstanceOf[Timing] | None = None
    """When its task comes up, if before the day it is due on."""
    until: InstanceOf[Timing] | None = None
    """The end of its window: that whole day still counts, unless a time is given. ``None``: no end."""
    postpone_to: InstanceOf[Timing] | None = None
    """How far its task can be postponed, with a reason; within ``until``. ``None``: any day."""
    late: Literal["miss", "task"] = "miss"
    """What becomes of it when the fact comes in after the window: missed with the reason, or a task for
    ``owner`` to make up for it."""
    every: Annotated[str, Field(pattern=r"^[1-9]\d{0,2} (day|week|month|year)s?$")] | None = None
    """It repeats: ``2 months``. The first is ``due``, each next so much later, as long as ``ends`` allows."""
    each: Period | None = None
    """It repeats by the calendar: one in each period; ``due`` then counts from ``period`` or ``period_end``."""
    begins: InstanceOf[Timing] | None = None
    """The first period is the one that holds this date; ``None``: the period of the first date that is known."""
    ends: InstanceOf[Timing] | None = None
    """Nothing that falls due after this date is planned; ``None``: it goes on."""
    by_fitting: Mapping[Literal["fitted", "bare"], Fitting] = {}
    """What differs for fitted and for bare homes."""
    audience: str | None = None
    """Whom it is for, such as ``signed_customer``; ``internal_staff`` for work that no customer sees."""
    channel: _Channels | None = None
    """How people are reached, one or several. A message leaves by ``sms`` and ``email``; the others are for people."""
    owner: _Departments | None = None
    """The departments that answer for it; tasks go to the first."""
    support: tuple[str, ...] = ()
    """The departments that help."""
    evidence: tuple[Text, ...] | None = None
    """What must be attached before its task can be closed; what its form records itself needs no file."""
    form: str | None = None
    """The form that must be filled in before its task can be done."""
    gate: str | None = None
    """A touchpoint whose form must say ``passed: true`` before this one's task comes up; until then it is blocked."""
    notice: Annotated[int, Field(ge=1)] | None = None
    """Of a meeting: how many days before it its participants are told, by a task of its own."""
    optional: bool = False
    """Planned only where the settings or a variant switch it on."""
    optional_parts: tuple[Text, ...] = ()
    """What of it a city may leave out."""
    coverage: Coverage | None = None
    """How much of the audience is wanted reached."""
    template: str | None = None
    """The message: ``templates/{zh,en}/NAME.sms.j2`` and, where it goes by e-mail, ``NAME.email.j2``."""
    clause: Clause | None = None
    """Where it comes from."""
    limits: tuple[str, ...] = ()
    """The time limits of the domain that it carries, such as ``TL-43``."""
    consequence: Text | None = None
    """What failing it brings about, as stated."""
    notes: Text | None = None
    """What a reader should know: what is missing in the source, what we read into it."""
    ours: frozenset[str] = frozenset()
    """Which of these values are ours because the standard is silent. What a variant changes counts no longer."""

    @property
    def domain_id(self) -> str:
        """The id in the domain's list."""
        return self.domain or self.id

    @model_validator(mode="before")
    @classmethod
    def _usual(cls, data: object) -> object:
        if isinstance(data, Mapping) and data.get("about") is None and str(data.get("trigger")) in USUALLY_ABOUT:
            return {**data, "about": USUALLY_ABOUT[str(data["trigger"])]}
        return data

    @field_validator("due", mode="before")
    @classmethod
    def _read_all(cls, value: object, info: ValidationInfo) -> object:
        return _read_timings(value, info.data.get("id", "?"))

    @field_validator("opens", "until", "postpone_to", "begins", "ends", mode="before")
    @classmethod
    def _read(cls, value: object, info: ValidationInfo) -> object:
        return _read_timing(value, info.data.get("id", "?"))

    @model_validator(mode="after")
    def _complete(self) -> Touchpoint:
        messages = {Channel.SMS, Channel.EMAIL}
        sends = self.kind is Kind.MESSAGE
        if sends and not (self.template and self.channel and messages.issuperset(self.channel)):
            raise ValueError("a message needs a template, and the channel sms or email")
        if self.kind.planned and self.trigger is not Trigger.ISSUE_FOUND and not (self.about and self.trigger):
            raise ValueError("what is planned needs about and trigger")
        if self.owner is None and ((self.kind.planned and not sends) or self.late == "task"):
            raise ValueError("a task needs an owner")
        if self.every and self.each:
            raise ValueError("every and each exclude one another")
        if (self.every or self.each) and len(self.due) > 1:
            raise ValueError("what repeats by every or each has one due")
        if self.kind in (Kind.PART, Kind.CONDUCT) and not self.within:
            raise ValueError("a part needs within")
        if unknown := self.ours - type(self).model_fields.keys():
            raise ValueError(f"ours names what is no field: {', '.join(sorted(unknown))}")
        if hollow := sorted(name for name in self.ours if getattr(self, name) in (None, ())):
            raise ValueError(f"ours names fields without a value: {', '.join(hollow)}")
        return self


def _read_timings(value: object, touchpoint: str) -> object:
    if value is None:
        return ()
    each = (value,) if isinstance(value, str | Timing) else value
    return tuple(_read_timing(one, touchpoint) for one in each) if isinstance(each, list | tuple) else each


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
