"""The morning's digests: what is due today, what is overdue, what is new since the last ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, bindparam, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from keguan.staff.hours import digest_window
from keguan.staff.lines import OPEN, Line, Section, task_lines
from keguan.staff.post import Letter, post, reached_by
from keguan.staff.roster import Member, Roster
from keguan.store.schema import mornings, tasks

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["Digest", "Morning", "collect", "morning_of", "write_digests"]

_t = tasks.c
_LAST = (  # built once: it is asked at every look
    select(mornings.c.day, mornings.c.at)
    .where(mornings.c.city == bindparam("key"))
    .order_by(mornings.c.day.desc())
    .limit(1)
)
_BATCH = 300
"""Letters that one transaction writes."""


@dataclass(frozen=True, slots=True)
class Morning:
    """The morning of one city: its day, and from when on a task counts as new."""

    city: str
    day: date
    due: bool
    """Whether its digests are to be written now: the hour has come, is not over, and they were not written yet."""
    begins: datetime
    ends: datetime
    """Until then its digests are of use."""
    since: datetime
    """When the last digests were written."""
    midnight: datetime
    """The end of the day: what is due before is due today."""


@dataclass(slots=True)
class Digest:
    """What one person or one department is told. A task stands in one section only, the first that fits."""

    overdue: Section = field(default_factory=Section)
    due_today: Section = field(default_factory=Section)
    new: Section = field(default_factory=Section)
    cities: set[str] = field(default_factory=set)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not self.cities

    def values(self, day: date, name: str) -> dict[str, object]:
        """Return what the templates may name."""
        return {
            "day": day,
            "name": name,
            "empty": self.empty,
            "overdue": self.overdue,
            "due_today": self.due_today,
            "new": self.new,
        }


def morning_of(installation: Installation, connection: Connection, key: str, now: datetime) -> Morning:
    """Return today's morning in a city, be it worked or not."""
    city, calendar = installation.city(key), installation.calendar(key)
    at = installation.settings.staff.digest_at
    day = city.today(now)
    window = digest_window(city, calendar, at, day)
    last = connection.execute(_LAST, {"key": key}).first()
    begins, ends = window or (now, now)
    return Morning(
        city=key,
        day=day,
        due=begins <= now < ends and (last is None or last.day < day),
        begins=begins,
        ends=ends,
        since=last.at if last is not None else city.at(calendar.add_workdays(day, -1), at),
        midnight=city.at(day + timedelta(days=1), time(0)),
    )


def collect(
    installation: Installation, connection: Connection, cities: Mapping[str, Morning], roster: Roster, now: datetime
) -> tuple[dict[int, Digest], dict[str, Digest]]:
    """Return what people, by number, and departments, by name, are told at ``now``.

    A person is told of the own tasks and of those of everybody for whom the person stands in. Tasks of nobody in
    particular, and of people for whom nobody stands in, are told to their department alone.
    """
    people: dict[int, Digest] = {}
    groups: dict[str, Digest] = {}
    acting: dict[int, Member | None] = {}
    for row in _tasks(connection, cities):
        morning = cities[row.city]
        section = "overdue" if row.due_at < now else "due_today" if row.due_at < morning.midnight else "new"
        local = row.due_at.astimezone(installation.city(row.city).zone)
        late = max((morning.day - local.date()).days, 0)
        line = Line(row.id, row.title, row.project, row.department, local, late)
        owner = row.assignee_id
        if owner is not None:
            if owner not in acting:
                acting[owner] = roster.stand_in(owner, morning.day)
            if (member := acting[owner]) is not None:
                _add(people.setdefault(member.id, Digest()), section, line, row.city)
        if row.department in installation.settings.departments:
            name = roster.members[owner].name if owner in roster.members else None
            _add(groups.setdefault(row.department, Digest()), section, line.for_others(name), row.city)
    return people, groups


def write_digests(installation: Installation, cities: Mapping[str, Morning], roster: Roster, now: datetime) -> int:
    """Write the digests of the mornings that are due and note that they were written; return how many there are.

    Whoever has tasks in several cities gets one digest of all of them, with the first morning that comes.
    """
    staff = installation.settings.staff
    due = [morning for morning in cities.values() if morning.due]
    if not due:
        return 0
    with installation.store.read() as connection:
        people, groups = collect(installation, connection, cities, roster, now)
    first = min(due, key=lambda morning: morning.begins)
    if staff.empty_digests:
        for member in roster.members.values():
            if roster.stand_in(member.id, first.day) is member:
                people.setdefault(member.id, Digest())
        for name in installation.settings.departments:
            groups.setdefault(name, Digest())
    open_now = {morning.city for morning in due}
    letters = [
        letter
        for letter, digest in _letters(installation, people, groups, roster, first)
        if digest.empty or digest.cities & open_now
    ]
    written = 0
    for start in range(0, len(letters), _BATCH):
        with installation.store.write() as connection:
            written += sum(post(installation, connection, letter, now) for letter in letters[start : start + _BATCH])
    insert = (sqlite if installation.store.is_sqlite else postgresql).insert
    with installation.store.write() as connection:  # last: after a crash the rest is written
        for morning in due:
            row = {"city": morning.city, "day": morning.day, "at": now}
            connection.execute(insert(mornings).values(**row).on_conflict_do_nothing())
    return written


def _letters(
    installation: Installation, people: Mapping[int, Digest], groups: Mapping[str, Digest], roster: Roster, at: Morning
) -> Iterator[tuple[Letter, Digest]]:
    settings = installation.settings
    tables = settings.departments
    for number, digest in sorted(people.items()):
        member = roster.members[number]
        if "email" in settings.staff.digest_channels and reached_by(member, "email", tables):
            key = f"digest/{at.day}/staff/{number}"
            values = digest.values(at.day, member.name or "")
            yield Letter(key, "digest", "digest", values, member, "email", at.city, at.begins, at.ends), digest
    for name, digest in sorted(groups.items()):
        for channel in settings.staff.digest_channels:
            if tables[name].digest and reached_by(name, channel, tables):
                key = f"digest/{at.day}/department/{name}" + ("" if channel == "email" else f"/{channel}")
                values = digest.values(at.day, name)
                yield Letter(key, "digest", "department", values, name, channel, at.city, at.begins, at.ends), digest


def _tasks(connection: Connection, cities: Mapping[str, Morning]) -> Iterator[Any]:
    """Yield the open tasks that some digest names."""
    matters = [
        and_(_t.city == key, or_(_t.due_at < morning.midnight, _t.created_at > morning.since))
        for key, morning in cities.items()
    ]
    statement = task_lines().where(OPEN, or_(*matters))
    yield from connection.execute(statement, execution_options={"yield_per": 1000})


def _add(digest: Digest, section: str, line: Line, city: str) -> None:
    getattr(digest, section).add(line)
    digest.cities.add(city)
