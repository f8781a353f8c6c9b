"""The records an intake works on, as it found them and as it changes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import Table

from keguan.store.schema import contracts, homes, owners, people, projects, staff

__all__ = [
    "LIVE",
    "ContractEntry",
    "Entry",
    "HomeEntry",
    "OwnerEntry",
    "PersonEntry",
    "ProjectEntry",
    "StaffEntry",
]

LIVE = ("reserved", "signed")
"""The states of a contract under which somebody is buying."""


@dataclass(slots=True, eq=False)
class Entry:
    """One row of a table of records."""

    table: ClassVar[Table]
    columns: ClassVar[tuple[str, ...]]
    """What can change, in the order of writing."""
    versioned: ClassVar[bool] = True

    id: int

    def stored(self) -> Iterator[Any]:
        """Yield the values of ``columns`` in stored form."""
        for name in self.columns:
            value = getattr(self, name)
            yield value.isoformat() if type(value) is date else value


@dataclass(slots=True, eq=False)
class ProjectEntry(Entry):
    """A project."""

    table = projects
    columns = (
        "name",
        "city",
        "first_show_on",
        "launch_on",
        "area",
        "planned_handover_on",
        "handed_over_on",
        "fitting",
        "stated",
        "version",
    )
    name: str
    city: str
    first_show_on: date | None = None
    launch_on: date | None = None
    area: float | None = None
    planned_handover_on: date | None = None
    handed_over_on: date | None = None
    fitting: str | None = None
    stated: str = ""
    """Which of the three above a person stated, so that contracts and homes do not change them; comma-separated."""
    version: int = 1

    @property
    def stated_names(self) -> frozenset[str]:
        """The names in ``stated``."""
        return frozenset(filter(None, self.stated.split(",")))


@dataclass(slots=True, eq=False)
class HomeEntry(Entry):
    """A home."""

    table = homes
    columns = ("project_id", "building", "unit", "room", "fitting", "handed_over_on", "move_in_on", "version")
    derives: ClassVar[tuple[str, ...]] = ("fitting", "handed_over_on")
    """What of a project follows from its homes."""
    project_id: int
    building: str
    unit: str
    room: str
    fitting: str | None = None
    handed_over_on: date | None = None
    move_in_on: date | None = None
    version: int = 1
    counted: tuple[Any, ...] = (None, None)
    """The values of ``derives`` that the project's own are derived from so far."""

    @property
    def counts(self) -> tuple[Any, ...]:
        """The values of ``derives`` now."""
        return self.fitting, self.handed_over_on

    @property
    def place(self) -> tuple[int, str, str, str]:
        """What tells it from every other home."""
        return self.project_id, self.building, self.unit, self.room

    @property
    def label(self) -> str:
        """Building, unit and room as people write them."""
        return "-".join(part for part in (self.building, self.unit, self.room) if part)

    @property
    def taken_over(self) -> bool:
        """Whether its own promises have begun."""
        return self.handed_over_on is not None or self.move_in_on is not None


@dataclass(slots=True, eq=False)
class PersonEntry(Entry):
    """A person, with everything that may stand nowhere else."""

    table = people
    columns = ("name", "phone", "email", "id_no", "birthday", "lunar", "version")
    name: str | None = field(repr=False)
    phone: str | None = field(repr=False)
    email: str | None = field(repr=False)
    id_no: str | None = field(repr=False)
    birthday: date | None = field(repr=False)
    """The day of birth in the common calendar."""
    lunar: bool = False
    """Whether the birthday is celebrated by the lunar calendar."""
    version: int = 1
    erased_at: datetime | None = None
    """Since when nothing personal is known on purpose. Never written here."""


@dataclass(slots=True, eq=False)
class ContractEntry(Entry):
    """A contract."""

    table = contracts
    columns = (
        "project_id",
        "contract_no",
        "home_id",
        "status",
        "deposit_on",
        "signed_on",
        "planned_handover_on",
        "price_fen",
        "version",
    )
    derives: ClassVar[tuple[str, ...]] = ("planned_handover_on",)
    """What of a project follows from its contracts."""
    project_id: int
    contract_no: str
    home_id: int | None
    status: str
    deposit_on: date | None
    signed_on: date | None
    planned_handover_on: date | None
    price_fen: int | None
    version: int = 1
    counted: tuple[Any, ...] = (None,)
    """The values of ``derives`` that the project's own are derived from so far."""

    @property
    def counts(self) -> tuple[Any, ...]:
        """The values of ``derives`` now: a contract that is not in force plans nothing."""
        return (self.planned_handover_on if self.status in LIVE else None,)


@dataclass(slots=True, eq=False)
class OwnerEntry(Entry):
    """That somebody bought by a contract, or owns a home."""

    table = owners
    columns = ("person_id", "home_id", "contract_id", "position", "since", "until")
    versioned = False
    person_id: int
    home_id: int | None
    contract_id: int | None
    position: int
    since: date | None
    until: date | None


@dataclass(slots=True, eq=False)
class StaffEntry(Entry):
    """A member of staff."""

    table = staff
    columns = ("person_id", "department_id", "left_on", "version")
    person_id: int
    department_id: int
    left_on: date | None
    version: int = 1
