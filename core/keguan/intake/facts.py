"""What rows say, as values: several rows of one contract become one statement, or are found to contradict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

__all__ = [
    "PERSON_FIELDS",
    "ContractFacts",
    "Contradiction",
    "HandoverFacts",
    "PersonFacts",
    "ProjectFacts",
    "StaffFacts",
    "Values",
    "contradiction",
    "fen",
    "merge",
    "people_of",
]

Values = Mapping[str, Any]
"""Field to value; a field that is absent or ``None`` says nothing."""

PERSON_FIELDS = ("customer", "phone", "email", "id_no", "birthday")


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What is said of a person. One is an ID number, else name and phone."""

    name: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    id_no: str | None = field(default=None, repr=False)
    birthday: date | None = field(default=None, repr=False)
    """The day of birth in the common calendar."""
    lunar: bool | None = None
    """Whether it is celebrated by the lunar calendar; ``None``: nothing is said."""

    @classmethod
    def of(cls, values: Values) -> PersonFacts | None:
        """Return the person of a row, ``None`` when it names nobody."""
        name, phone, email, id_no, birthday = (values.get(name) for name in PERSON_FIELDS)
        born = (None, None) if birthday is None else (birthday.day, birthday.lunar)
        facts = cls(name, phone, email, id_no, *born)
        return None if facts == _NOBODY else facts

    def same_person(self, other: PersonFacts) -> bool:
        """Return whether two rows of one contract mean one person."""
        if self.id_no and other.id_no:
            return self.id_no == other.id_no
        return self.name == other.name

    def as_values(self) -> dict[str, object]:
        """Return the facts by the names of the columns of ``people``."""
        return {
            "name": self.name,
            "phone": self.phone,
            "email": self.email,
            "id_no": self.id_no,
            "birthday": self.birthday,
            "lunar": self.lunar,
        }


_NOBODY = PersonFacts()


@dataclass(frozen=True, slots=True)
class ContractFacts:
    """What is said of a contract."""

    contract_no: str
    project: str | None = None
    city: str | None = None
    building: str | None = None
    unit: str | None = None
    room: str | None = None
    status: str | None = None
    deposit_on: date | None = None
    signed_on: date | None = None
    planned_handover_on: date | None = None
    fitting: str | None = None
    price_fen: int | None = None
    people: tuple[PersonFacts, ...] = ()
    """The buyers, the main contact first; empty: nothing is said of them."""
    complete: bool = True
    """Whether ``people`` are all buyers. Otherwise some rows could not be read: nobody is taken off."""

    @classmethod
    def of(cls, values: Values, people: Sequence[PersonFacts] = (), *, complete: bool = True) -> ContractFacts:
        """Return the facts in the fields of one row, or of several merged ones."""
        get = values.get
        return cls(
            values["contract_no"],
            get("project"),
            get("city"),
            get("building"),
            get("unit"),
            get("room"),
            get("status"),
            get("deposit_on"),
            get("signed_on"),
            get("planned_handover_on"),
            get("fitting"),
            fen(get("price")),
            tuple(people),
            complete,
        )


@dataclass(frozen=True, slots=True)
class HandoverFacts:
    """What is said of a home's handover."""

    contract_no: str | None = None
    project: str | None = None
    building: str | None = None
    unit: str | None = None
    room: str | None = None
    handed_over_on: date | None = None
    move_in_on: date | None = None

    @classmethod
    def of(cls, values: Values) -> HandoverFacts:
        """Return the facts in the fields of one row, or of several merged ones."""
        names = ("contract_no", "project", "building", "unit", "room", "handed_over_on", "move_in_on")
        return cls(*(values.get(name) for name in names))


_OF_PROJECT = ("city", "first_show_on", "launch_on", "area", "planned_handover_on", "handed_over_on", "fitting")


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """What is said of a project."""

    project: str
    city: str | None = None
    first_show_on: date | None = None
    launch_on: date | None = None
    area: float | None = None
    planned_handover_on: date | None = None
    handed_over_on: date | None = None
    fitting: str | None = None

    @classmethod
    def of(cls, values: Values) -> ProjectFacts:
        """Return the facts in the fields of one row, or of several merged ones."""
        return cls(values["project"], *(values.get(name) for name in _OF_PROJECT))


@dataclass(frozen=True, slots=True)
class StaffFacts:
    """What is said of a member of staff."""

    name: str = field(repr=False)
    department: str | None = None
    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    left_on: date | None = None

    @classmethod
    def of(cls, values: Values) -> StaffFacts:
        """Return the facts in the fields of one row, or of several merged ones."""
        return cls(values["name"], *(values.get(name) for name in ("department", "phone", "email", "left_on")))


def fen(price: Decimal | None) -> int | None:
    """Return a sum in yuan as hundredths of a yuan."""
    return None if price is None else int(price * 100)


class Contradiction(NamedTuple):
    """Two rows that cannot both be right."""

    field: str
    row: int
    other: int


def contradiction(rows: Sequence[tuple[int, Values]], fields: Sequence[str]) -> list[Contradiction]:
    """Return, for every row and field that differs from an earlier or later row's, the nearest such row.

    An empty cell contradicts nothing.
    """
    found = []
    for name in fields:
        stated = [(number, values[name]) for number, values in rows if values.get(name) is not None]
        if len({value for _, value in stated}) < 2:
            continue
        for index, (number, value) in enumerate(stated):
            other = next(
                (one for one, said in [*reversed(stated[:index]), *stated[index + 1 :]] if said != value), number
            )
            found.append(Contradiction(name, number, other))
    return found


def merge(rows: Sequence[tuple[int, Values]], fields: Sequence[str]) -> dict[str, Any]:
    """Return for each field the value that the rows, which do not contradict each other, state."""
    merged: dict[str, Any] = {}
    for _, values in rows:
        for name in fields:
            value = values.get(name)
            if value is not None:
                merged.setdefault(name, value)
    return merged


def people_of(rows: Sequence[tuple[int, Values]]) -> tuple[list[PersonFacts], list[int | None], list[Contradiction]]:
    """Return the people that the rows of one contract name, in order, which row names whom, and contradictions.

    Rows with different names, or with different ID numbers, are co-owners. Rows that mean one person fill up
    each other.
    """
    groups: list[list[tuple[int, Values]]] = []
    identities: list[PersonFacts] = []
    of_row: list[int | None] = []
    for number, values in rows:
        facts = PersonFacts.of(values)
        if facts is None:
            of_row.append(None)
            continue
        for index, known in enumerate(identities):
            if known.same_person(facts):
                groups[index].append((number, values))
                if facts.id_no and not known.id_no:
                    identities[index] = facts
                of_row.append(index)
                break
        else:
            identities.append(facts)
            groups.append([(number, values)])
            of_row.append(len(groups) - 1)
    against = [one for group in groups if len(group) > 1 for one in contradiction(group, PERSON_FIELDS)]
    merged = [PersonFacts.of(merge(group, PERSON_FIELDS)) or _NOBODY for group in groups]
    return merged, of_row, against
