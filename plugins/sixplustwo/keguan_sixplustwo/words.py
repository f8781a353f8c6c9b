"""The words that playbooks are written with: kinds of doing, subjects, triggers, periods, channels."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

__all__ = ["USUALLY_ABOUT", "About", "Channel", "Kind", "Period", "Trigger"]


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
    """Of each contract."""
    HOME = "home"
    """Of each home."""
    CUSTOMER = "customer"
    """Of each person."""
    PROJECT = "project"
    """Of each project."""
    COMPANY = "company"
    """The company in one city."""


class Trigger(StrEnum):
    """What brings a touchpoint about."""

    DEPOSIT = "deposit"
    """The deposit was paid."""
    CONTRACT_SIGNED = "contract_signed"
    """The contract was signed."""
    HANDOVER = "handover"
    """The home was handed over; about a project, its first homes were."""
    MOVE_IN = "move_in"
    """The owner moved in."""
    WARRANTY_EXPIRY = "warranty_expiry"
    """The end of the warranty of components of a home: one promise for all that end on one day."""
    BIRTHDAY = "birthday"
    """Their birthday, by the calendar they keep."""
    PROJECT_FIRST_SHOW = "project_first_show"
    """The project is shown for the first time."""
    PROJECT_LAUNCH = "project_launch"
    """Its homes go on sale."""
    CONSTRUCTION_MILESTONE = "construction_milestone"
    """The building goes on: dates between launch and handover."""
    SITE_OPENING = "site_opening"
    """The building site is opened to customers."""
    CALENDAR = "calendar"
    """A date or a period of the calendar."""
    PROJECT_INFO_CHANGED = "project_info_changed"
    """An approved line of the sunshine register changed: the event ``sunshine_changed``."""
    SITE_OPENING_CANCELLED = "site_opening_cancelled"
    """The event of that name."""
    DESIGN_CHANGED = "design_changed"
    """The event of that name: what was sold is built otherwise."""
    AUDIT_REPORT = "audit_report"
    """The event of that name: the group wrote down what it found."""
    ISSUE_FOUND = "issue_found"
    """Something was written down for follow-up in the form of the touchpoint ``within``: planned by what is found."""
    FIRST_VISIT = "first_visit"
    """A customer comes for the first time; nothing is recorded of it."""
    VISIT = "visit"
    """A customer comes; nothing is recorded of it."""
    FEEDBACK_RECEIVED = "feedback_received"
    """A customer says what they think."""


USUALLY_ABOUT: Mapping[str, About] = {
    **dict.fromkeys(("deposit", "contract_signed"), About.CONTRACT),
    **dict.fromkeys(("handover", "move_in", "warranty_expiry"), About.HOME),
    "birthday": About.CUSTOMER,
    **dict.fromkeys(("project_first_show", "project_launch", "construction_milestone"), About.PROJECT),
    **dict.fromkeys(("site_opening", "site_opening_cancelled", "project_info_changed"), About.PROJECT),
    **dict.fromkeys(("design_changed", "audit_report"), About.PROJECT),
}
"""Whose promise a trigger makes where nothing else is said."""


class Period(StrEnum):
    """A calendar period of which each has its own promise."""

    YEAR = "year"
    """1 January to 31 December."""
    QUARTER = "quarter"
    """January to March, and so on."""
    TWO_MONTHS = "two_months"
    """January and February, and so on."""
    MONTH = "month"
    """The first to the last of a month."""
    WEEK = "week"
    """Monday to Sunday, as ISO counts them."""


class Channel(StrEnum):
    """How people are reached. Messages leave by the first two; the others are for people."""

    SMS = "sms"
    """A text message; keguan sends it."""
    EMAIL = "email"
    """An e-mail; keguan sends it."""
    PHONE = "phone"
    """A call."""
    MAIL = "mail"
    """A letter by post."""
    VISIT = "visit"
    """Somebody comes."""
    PRINT = "print"
    """A printed paper that is handed out."""
    MMS = "mms"
    """A text message with pictures."""
    WEB = "web"
    """A page or an account that customers follow."""
    EVENT = "event"
    """People come together."""
    NOTICE_BOARD = "notice_board"
    """Posted in the estate."""
    ON_SITE_DISPLAY = "on_site_display"
    """Shown where homes are sold."""
    INTERNAL_TASK = "internal_task"
    """Nobody outside hears of it."""
