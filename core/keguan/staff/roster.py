"""Who works here, who stands in for whom on a day, and who leads a department."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, select

from keguan.errors import InputError
from keguan.settings.staff import DepartmentSettings
from keguan.store.schema import absences, departments, people, staff

__all__ = ["Absence", "Member", "Roster", "load_roster"]

_FURTHEST = 5
"""A deputy of a deputy of a deputy …: so many steps, then it is the head's affair."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of staff."""

    id: int
    person_id: int
    name: str | None = field(repr=False)
    email: str | None = field(repr=False)
    department: str
    left_on: date | None = None
    """The first day on which the person no longer works here."""

    def works(self, day: date) -> bool:
        """Return whether the person is employed on ``day``."""
        return self.left_on is None or self.left_on > day


@dataclass(frozen=True, slots=True)
class Absence:
    """Somebody is away from the first to the last day, and a deputy stands in."""

    id: int
    staff_id: int
    deputy_id: int
    from_on: date
    until_on: date

    def covers(self, day: date) -> bool:
        """Return whether the person is away on ``day``."""
        return self.from_on <= day <= self.until_on


class Roster:
    """The whole staff at one moment: some hundred people, so it is loaded at once and asked in memory."""

    def __init__(
        self, members: Iterable[Member], away: Iterable[Absence], leading: Mapping[str, DepartmentSettings]
    ) -> None:
        self.members = {member.id: member for member in members}
        self.absences: dict[int, list[Absence]] = defaultdict(list)
        for absence in away:
            self.absences[absence.staff_id].append(absence)
        self._leading = leading

    def absence(self, member: int, day: date) -> Absence | None:
        """Return the absence of a member on ``day``; of several the one entered last."""
        covering = [one for one in self.absences.get(member, ()) if one.covers(day)]
        return max(covering, key=lambda one: one.id, default=None)

    def find(self, given: str, day: date, *, where: str = "WHO") -> Member:
        """Return who is meant by a number or a name and works here on ``day``.

        Raises ``InputError``, which says ``where`` it was given and never repeats a name.
        """
        found = self._named(given)
        present = [member for member in found if member.works(day)]
        if found and not present:
            raise InputError("staff.left", where=where, staff=found[0].id)
        if not present:
            raise InputError("staff.unknown", where=where)
        if len(present) > 1:
            known = ", ".join(f"{member.id} ({member.department})" for member in present)
            raise InputError("staff.several", where=where, known=known)
        return present[0]

    def head(self, department: str, day: date) -> Member | None:
        """Return who leads a department on ``day``; ``None`` when the configuration names nobody who can be meant."""
        settings = self._leading.get(department)
        return self._one(settings.head if settings else None, day)

    def manager(self, department: str, day: date) -> Member | None:
        """Return whom the head of a department reports to."""
        settings = self._leading.get(department)
        return self._one(settings.manager if settings else None, day)

    def stand_in(self, member: int, day: date) -> Member | None:
        """Return who acts for a member on ``day``: the member, else the deputy, or the deputy's deputy.

        Where that leads nowhere (a circle, too many steps, a deputy who has left) it is the head of the member's
        department, or whoever acts for the head; ``None`` when there is nobody.
        """
        found = self._acting(member, day)
        if found is None and member in self.members:
            head = self.head(self.members[member].department, day)
            found = None if head is None else self._acting(head.id, day)
        return found

    def acts_for(self, member: int, day: date) -> set[int]:
        """Return whose tasks a member looks after on ``day``, the own ones included."""
        away = (one for one in self.members if one != member and not self._present(one, day))
        return {member, *(one for one in away if (acting := self.stand_in(one, day)) and acting.id == member)}

    def _acting(self, member: int, day: date) -> Member | None:
        passed: set[int] = set()
        while member in self.members and member not in passed and len(passed) <= _FURTHEST:
            if self._present(member, day):
                return self.members[member]
            passed.add(member)
            absence = self.absence(member, day)
            if absence is None:
                return None
            member = absence.deputy_id
        return None

    def _present(self, member: int, day: date) -> bool:
        return self.members[member].works(day) and self.absence(member, day) is None

    def _named(self, given: str) -> list[Member]:
        wanted = given.strip()
        if wanted.isascii() and wanted.isdigit():
            return [member for number, member in self.members.items() if number == int(wanted)]
        return [member for member in self.members.values() if member.name == wanted]

    def _one(self, given: str | None, day: date) -> Member | None:
        if given is None:
            return None
        present = [member for member in self._named(given) if member.works(day)]
        return present[0] if len(present) == 1 else None


def load_roster(connection: Connection, leading: Mapping[str, DepartmentSettings]) -> Roster:
    """Return the staff of today and of the past, with all absences; ``leading`` is ``[departments]``."""
    s, p, d, a = staff.c, people.c, departments.c, absences.c
    members = connection.execute(
        select(s.id, p.id, p.name, p.email, d.name, s.left_on)
        .join_from(staff, people, p.id == s.person_id)
        .join(departments, d.id == s.department_id)
        .order_by(s.id)
    )
    away = connection.execute(select(a.id, a.staff_id, a.deputy_id, a.from_on, a.until_on).order_by(a.id))
    return Roster((Member(*row) for row in members), (Absence(*row) for row in away), leading)
