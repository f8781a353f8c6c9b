"""Snapshots of what is known: the current state of projects, homes, contracts and people.

Hooks and actions get these; they never query. Dates are business dates in the city's time zone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

__all__ = [
    "Branch",
    "City",
    "Company",
    "Contract",
    "Customer",
    "Home",
    "Person",
    "Project",
    "Record",
    "Subject",
]


@lru_cache(maxsize=4096)
def _instant(zone: ZoneInfo, day: date, clock: time) -> datetime:
    """Planning asks for the same few days and hours for every home of a project."""
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)


class Subject(NamedTuple):
    """What a plan or an event is about: a type and the number of the record in its table."""

    type: str
    id: int


@dataclass(frozen=True, slots=True)
class Company:
    """The company as templates name it; from ``[company]`` in the configuration."""

    name: str
    hotline: str
    signature: str
    web: str = ""
    """Where customers enter a code they were sent; the same address for everybody."""


@dataclass(frozen=True, slots=True)
class City:
    """A configured city: its key in config and files, its display name, zone, and when messages may leave."""

    key: str
    name: str
    zone: ZoneInfo
    quiet_from: time
    quiet_until: time
    promotion_from: time = time(8)
    """Promotion leaves from then …"""
    promotion_until: time = time(20)
    """… to then, and never in quiet hours; the same time twice means that quiet hours alone count."""

    def at(self, day: date, clock: time) -> datetime:
        """Return the instant (UTC) at which it is ``clock`` on ``day`` in this city."""
        return _instant(self.zone, day, clock)

    def today(self, now: datetime) -> date:
        """Return the business date in this city at the instant ``now``."""
        return now.astimezone(self.zone).date()

    def quiet_end(self, now: datetime) -> datetime | None:
        """Return when the quiet hours that ``now`` falls in end (UTC), or ``None`` outside quiet hours.

        The first minute of the quiet hours is quiet, the minute in which they end is not.
        """
        return self._end(now, self.quiet_from, self.quiet_until)

    def opening(self, now: datetime, *, promotion: bool = False) -> datetime:
        """Return when a message may leave (UTC): ``now``, or else when quiet hours have ended.

        ``promotion`` leaves within promotion hours only.
        """
        moment = now
        for _ in range(4):  # two windows that take turns; a configuration that leaves no minute open is refused
            closed = self._end(moment, self.quiet_from, self.quiet_until)
            if closed is None and promotion:
                closed = self._end(moment, self.promotion_until, self.promotion_from)
            if closed is None:
                break
            moment = closed
        return moment

    def _end(self, now: datetime, start: time, end: time) -> datetime | None:
        """Return when the daily span from ``start`` to ``end`` that ``now`` falls in ends, ``None`` outside it."""
        if start == end:
            return None
        local = now.astimezone(self.zone)
        clock = local.timetz().replace(tzinfo=None)
        if start < end:
            inside, tomorrow = start <= clock < end, False
        else:
            inside, tomorrow = clock >= start or clock < end, clock >= start
        if not inside:
            return None
        day = date.fromordinal(local.date().toordinal() + tomorrow)
        return self.at(day, end)


@dataclass(frozen=True, slots=True)
class Person:
    """A customer or a member of staff. Personal values stay out of ``repr`` so that no log shows them."""

    id: int
    name: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    """E.164, such as +8613800138000."""
    email: str | None = field(default=None, repr=False)
    birthday: date | None = field(default=None, repr=False)
    lunar: bool = False
    """The birthday is celebrated by the lunar calendar; ``birthday`` is the day of birth in the common one."""


@dataclass(frozen=True, slots=True)
class Project:
    """A development project, or one phase that is sold and handed over under a name of its own."""

    id: int
    name: str
    city: str
    first_show_on: date | None = None
    launch_on: date | None = None
    area: float | None = None
    """Built area in square metres."""
    planned_handover_on: date | None = None
    """As stated for the project, else the earliest that a contract in force plans."""
    handed_over_on: date | None = None
    """As stated for the project, else when its first home was handed over."""
    fitting: str | None = None
    """``fitted`` or ``bare``, as stated, else by its homes: one fitted home makes it ``fitted``."""

    @property
    def ref(self) -> Subject:
        """The subject that plans about this project carry."""
        return Subject("project", self.id)

    @property
    def project(self) -> Project:
        """The project itself, so that every record answers the same question."""
        return self


@dataclass(frozen=True, slots=True)
class Home:
    """A home (unit) with its present owners, the main contact first."""

    id: int
    project: Project
    building: str
    unit: str
    room: str
    fitting: str | None = None
    """``fitted`` or ``bare``."""
    handed_over_on: date | None = None
    move_in_on: date | None = None
    owners: tuple[Person, ...] = ()
    contract_no: str | None = None
    signed_on: date | None = None
    """When the contract was signed that it was first sold by, else when the deposit for it was paid."""

    @property
    def ref(self) -> Subject:
        """The subject that plans about this home carry."""
        return Subject("home", self.id)

    @property
    def label(self) -> str:
        """Building, unit and room as people write them: ``3-1-1201``."""
        return "-".join(part for part in (self.building, self.unit, self.room) if part)


@dataclass(frozen=True, slots=True)
class Contract:
    """A purchase contract with its buyers, the main contact first."""

    id: int
    contract_no: str
    project: Project
    home: Home | None = None
    status: str = "signed"
    """``reserved`` (deposit paid), ``signed``, ``cancelled`` or ``transferred`` (the home was resold)."""
    deposit_on: date | None = None
    signed_on: date | None = None
    planned_handover_on: date | None = None
    owners: tuple[Person, ...] = ()

    @property
    def ref(self) -> Subject:
        """The subject that plans about this contract carry."""
        return Subject("contract", self.id)


@dataclass(frozen=True, slots=True)
class Customer:
    """A person as a customer: what hangs on the person and not on one home (birthday, consent)."""

    person: Person
    project: Project
    """The project of the person's newest contract; decides city and time zone."""
    homes: tuple[Home, ...] = ()

    @property
    def ref(self) -> Subject:
        """The subject that plans about this customer carry."""
        return Subject("customer", self.person.id)


@dataclass(frozen=True, slots=True)
class Branch:
    """The company in one city: the subject of what is promised once per company and year."""

    id: int
    city: str

    @property
    def ref(self) -> Subject:
        """The subject that plans about this branch carry."""
        return Subject("branch", self.id)

    @property
    def project(self) -> Project:
        """A project without a number that stands for all of the city's, so that every record has one."""
        return Project(0, "", self.city)


class Record(Protocol):
    """What every snapshot can tell, the ones that plugins load included."""

    @property
    def ref(self) -> Subject:
        """The subject this record is."""

    @property
    def project(self) -> Project:
        """The project it belongs to, hence its city."""
