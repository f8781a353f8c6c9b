"""What the data files may say: steps, touchpoints and their clauses, checked when they are read."""

from __future__ import annotations

from collections.abc import Mapping
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


class Kind(StrEnum):
    """How a touchpoint is done: a few kinds of doing, many rows of data."""

    MESSAGE = "message"
    """keguan sends it."""
    TASK = "task"
    """A person does it, by a deadline and with evidence or a form."""
    MEETING = "meeting"
    """People meet: a notice before it, then a form with agenda, minutes, sign-in, photos and what was agreed."""
    CAMPAIGN = "campaign"
    """One task for a project with a line for each home, all of them or a sample."""
    LETTER = "letter"
    """A text that is written and approved once (a task), then sent to everybody who waits for a home."""
    ENTRY = "entry"
    """Records must be complete: nothing to do when they are, a task that names the gaps when they are not."""
    GROUP = "group"
    """Only a heading over others: nothing is planned."""
    PART = "part"
    """Done and proven within another one's form (``within``): nothing is planned of its own."""
    CONDUCT = "conduct"
    """How people behave at every visit; looked at by another one (``within``): nothing is planned."""
    NOTE = "note"
    """A point of work without any standard: shown, nothing is planned."""

    @property
    def planned(self) -> bool:
        """Whether promises are planned for it."""
        return self not in (Kind.GROUP, Kind.PART, Kind.CONDUCT, Kind.NOTE)


class About(StrEnum):
    """Whose promise it is: the kind of subject that its plans carry."""

    CONTRACT = "contract"
    HOME = "home"
    CUSTOMER = "customer"
    PROJECT = "project"
    COMPANY = "company"
    """The company in one city."""


class Trigger(StrEnum):
    """What brings a touchpoint about."""

    DEPOSIT = "deposit"
    CONTRACT_SIGNED = "contract_signed"
    HANDOVER = "handover"
    MOVE_IN = "move_in"
    WARRANTY_EXPIRY = "warranty_expiry"
    """The end of the warranty of components of a home: one promise for all that end on one day."""
    BIRTHDAY = "birthday"
    PROJECT_FIRST_SHOW = "project_first_show"
    PROJECT_LAUNCH = "project_launch"
    CONSTRUCTION_MILESTONE = "construction_milestone"
    SITE_OPENING = "site_opening"
    CALENDAR = "calendar"
    PROJECT_INFO_CHANGED = "project_info_changed"
    """An approved line of the sunshine register changed: the event ``sunshine_changed``."""
    SITE_OPENING_CANCELLED = "site_opening_cancelled"
    DESIGN_CHANGED = "design_changed"
    AUDIT_REPORT = "audit_report"
    ISSUE_FOUND = "issue_found"
    """Something was written down for follow-up in the form of the touchpoint ``within``: planned by what is found."""
    FIRST_VISIT = "first_visit"
    VISIT = "visit"
    FEEDBACK_RECEIVED = "feedback_received"


_USUALLY_ABOUT: Mapping[str, About] = {
    **dict.fromkeys(("deposit", "contract_signed"), About.CONTRACT),
    **dict.fromkeys(("handover", "move_in", "warranty_expiry"), About.HOME),
    "birthday": About.CUSTOMER,
    **dict.fromkeys(("project_first_show", "project_launch", "construction_milestone"), About.PROJECT),
    **dict.fromkeys(("site_opening", "site_opening_cancelled", "project_info_changed"), About.PROJECT),
    **dict.fromkeys(("design_changed", "audit_report"), About.PROJECT),
}


class Period(StrEnum):
    """A calendar period of which each has its own promise."""

    YEAR = "year"
    QUARTER = "quarter"
    TWO_MONTHS = "two_months"
    MONTH = "month"
    WEEK = "week"


class Channel(StrEnum):
    """How people are reached. Messages leave by the first two; the others are for people."""

    SMS = "sms"
    EMAIL = "email"
    PHONE = "phone"
    MAIL = "mail"
    VISIT = "visit"
    PRINT = "print"
    MMS = "mms"
    WEB = "web"
    EVENT = "event"
    NOTICE_BOARD = "notice_board"
    ON_SITE_DISPLAY = "on_site_display"
    INTERNAL_TASK = "internal_task"


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


class Fitting(_Data):
    """What differs for homes (or projects) of one fitting; what is not said stays."""

    due: tuple[InstanceOf[Timing], ...] | None = None
    opens: InstanceOf[Timing] | None = None
    until: InstanceOf[Timing] | None = None
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
    domain: str | None = None
    """The id in the domain's list, where one of its touchpoints takes two entries; else it is ``id``."""
    step: str
    name: Text
    kind: Kind
    about: About | None = None
    """Whose promise it is. Where it is not said, the trigger's usual one: ``handover`` is a home's unless it says
    ``project``; ``calendar`` has none."""
    within: str | None = None
    """The touchpoint it is a part of, is looked at by, or is found by."""
    trigger: Trigger | None = None
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
    channel: _Channels | None = None
    owner: _Departments | None = None
    """The departments that answer for it; tasks go to the first."""
    support: tuple[str, ...] = ()
    evidence: tuple[Text, ...] | None = None
    form: str | None = None
    """The form that must be filled in before its task can be done."""
    gate: str | None = None
    """A touchpoint whose form must say ``passed: true`` before this one's task comes up; until then it is blocked."""
    notice: Annotated[int, Field(ge=1)] | None = None
    """Of a meeting: how many days before it its participants are told, by a task of its own."""
    optional: bool = False
    """Planned only where the settings or a variant switch it on."""
    optional_parts: tuple[Text, ...] = ()
    coverage: Coverage | None = None
    template: str | None = None
    clause: Clause | None = None
    limits: tuple[str, ...] = ()
    """The time limits of the domain that it carries, such as ``TL-43``."""
    consequence: Text | None = None
    """What failing it brings about, as stated."""
    notes: Text | None = None
    """What a reader should know: what is missing in the source, what we read into it."""
    ours: frozenset[str] = frozenset()

    @property
    def domain_id(self) -> str:
        """The id in the domain's list."""
        return self.domain or self.id

    @model_validator(mode="before")
    @classmethod
    def _usual(cls, data: object) -> object:
        if isinstance(data, Mapping) and data.get("about") is None and str(data.get("trigger")) in _USUALLY_ABOUT:
            return {**data, "about": _USUALLY_ABOUT[str(data["trigger"])]}
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
