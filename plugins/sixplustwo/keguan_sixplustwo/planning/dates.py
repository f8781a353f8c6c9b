"""What promises are counted from: the dates of a record, and of one occurrence of a promise for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from keguan.model import Branch, Context, Contract, Customer, Home, Project, Record
from keguan_sixplustwo.touchpoint import About, Touchpoint, Trigger

__all__ = ["ANCHORS", "EVENTS", "Dates", "begun_on", "dates_of", "kind_of"]


class Dates(NamedTuple):
    """What can be counted from, ``None`` where it is not known, and which occurrence of the promise it is for."""

    deposit: date | None = None
    contract_signed: date | None = None
    planned_handover: date | None = None
    handover: date | None = None
    move_in: date | None = None
    first_show: date | None = None
    launch: date | None = None
    birthday: date | None = None
    """Of a customer: the day of birth, by the common calendar in the year 2000, since the year makes no difference."""
    lunar: bool = False
    event: date | None = None
    """The day of the event, of a promise that counts from a single one."""
    begun: date | None = None
    """Of customers and of the company, who have no other date: since when promises that recur are made."""
    fitting: str | None = None
    project: str = ""
    """Of a home: the project's name, on which warranties hang."""
    number: int = 1
    """The number of the occurrence."""
    period: date | None = None
    period_end: date | None = None
    warranty_expiry: date | None = None


ANCHORS: Mapping[About, tuple[str, ...]] = {
    About.CONTRACT: ("deposit", "contract_signed", "planned_handover", "handover"),
    About.HOME: ("handover", "move_in"),
    About.CUSTOMER: ("birthday",),
    About.PROJECT: ("first_show", "launch", "planned_handover", "handover", "move_in"),
    About.COMPANY: (),
}
"""The dates that timings can name, by whose promise it is; those of the occurrence come on top."""

EVENTS: Mapping[Trigger, str] = {
    Trigger.PROJECT_INFO_CHANGED: "sunshine_changed",
    Trigger.SITE_OPENING_CANCELLED: "site_opening_cancelled",
    Trigger.DESIGN_CHANGED: "design_changed",
    Trigger.AUDIT_REPORT: "audit_report",
}
"""The single events of a project, by trigger: each one has its own promises."""

_KINDS: Mapping[About, str] = {
    About.CONTRACT: "contract_signed",
    About.HOME: "handover",
    About.CUSTOMER: "customer_changed",
    About.PROJECT: "project_milestone",
    About.COMPANY: "tick",
}


def kind_of(entry: Touchpoint) -> str | None:
    """Return the kind of event because of which ``entry`` is planned; ``None`` when nothing is planned for it."""
    if not entry.kind.planned or entry.about is None or entry.trigger is None:
        return None
    if entry.trigger in EVENTS:
        return EVENTS[entry.trigger]
    if not entry.due and not any(fitting.due for fitting in entry.by_fitting.values()):
        return None
    return "deposit" if entry.trigger is Trigger.DEPOSIT else _KINDS[entry.about]


def dates_of(record: Record, context: Context) -> Dates:
    """Return the dates that promises for ``record`` are counted from."""
    match record:
        case Contract():
            home = record.home
            return Dates(
                record.deposit_on,
                record.signed_on,
                record.planned_handover_on,
                None if home is None else home.handed_over_on,
                fitting=record.project.fitting if home is None else home.fitting or record.project.fitting,
            )
        case Home():
            project = record.project
            return Dates(
                handover=record.handed_over_on,
                move_in=record.move_in_on,
                fitting=record.fitting or project.fitting,
                project=project.name,
            )
        case Customer():
            return _customer(record, context)
        case Project():
            return Dates(
                planned_handover=record.planned_handover_on,
                handover=record.handed_over_on,
                first_show=record.first_show_on,
                launch=record.launch_on,
                fitting=record.fitting,
            )
        case Branch():
            return Dates(begun=date(context.through.year - 1, 1, 1))
        case _:
            return Dates()


def begun_on(record: Record) -> date | None:
    """Return when that began by which a record keeps its edition; ``None``: it goes by the one in force now."""
    if isinstance(record, Contract):
        return record.signed_on or record.deposit_on
    return record.signed_on if isinstance(record, Home) else None


def _customer(record: Customer, context: Context) -> Dates:
    """Somebody is a customer since the first home; where nobody knows when that was, for this year at least."""
    known = [day for home in record.homes if (day := home.signed_on or home.handed_over_on)]
    since = min(known, default=date(context.through.year - 1, 1, 1))
    born, lunar = record.person.birthday, record.person.lunar
    # by the common calendar the year of birth decides nothing, and customers born on one day share their plans
    shared = born if born is None or lunar else born.replace(year=2000)
    return Dates(birthday=shared, lunar=lunar, begun=max(since, context.since))
