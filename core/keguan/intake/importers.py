"""What an import must know about each kind of file: what its rows are about, and how they become facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from keguan.intake.book import Book, Refused
from keguan.intake.contracts import apply_contract, load_for_contracts
from keguan.intake.customers import apply_customer, load_for_customers
from keguan.intake.facts import (
    PERSON_FIELDS,
    ContractFacts,
    Contradiction,
    HandoverFacts,
    PersonFacts,
    ProjectFacts,
    StaffFacts,
    Values,
    contradiction,
    merge,
    people_of,
)
from keguan.intake.handovers import apply_handover, find_home, load_for_handovers
from keguan.intake.kinds import KINDS
from keguan.intake.persons import Stated
from keguan.intake.projects import apply_project, load_for_projects
from keguan.intake.rows import Row
from keguan.intake.staff import StaffRecords, apply_staff
from keguan.intake.staging import Staged

__all__ = ["IMPORTERS", "Importer", "PlainImporter"]

SEPARATOR = "\x1f"


class Importer(Protocol):
    """One kind of file."""

    name_field: str | None
    """The field that holds a person's name, where rows name people."""
    places: bool
    """Whether rows can make new projects, and must agree on where these are."""
    by_records: bool
    """Whether only the records can tell what a row is about, see :meth:`resolve`."""
    one_by_one: bool
    """Whether each row builds on what the rows before it changed."""
    more_fields: tuple[str, ...]
    """What is staged beside the fields of the kind."""

    def pack(self, row: Row, values: dict[str, Any]) -> None:
        """Put what is to be staged of ``row`` beside the fields of the kind into ``values``."""

    def group(self, values: Values) -> str | None:
        """Return what a row is about as a text that other rows about it share; ``None`` when it does not say."""

    def resolve(self, book: Book, rows: Sequence[Values]) -> list[str | None]:
        """Return what rows are about by looking at the records; ``None`` where they do not tell."""

    def contradictions(self, rows: Sequence[Staged]) -> list[Contradiction]:
        """Return what rows about one thing say against each other."""

    def facts(self, rows: Sequence[Staged], *, complete: bool) -> Any:
        """Return what rows about one thing, which do not contradict each other, say together."""

    def load(self, book: Book, facts: Sequence[Any]) -> None:
        """Load what :meth:`apply` needs for all of ``facts``."""

    def apply(self, book: Book, facts: Any, rows: Sequence[Staged], stated: Stated) -> set[int]:
        """Bring the records in line; return the numbers of the rows that were news. Raises ``Refused``."""


class PlainImporter:
    """What most kinds share: rows about one thing must agree in every field."""

    name_field: str | None = None
    places = False
    by_records = False
    one_by_one = False
    more_fields: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    def pack(self, row: Row, values: dict[str, Any]) -> None:
        """Add nothing."""

    def resolve(self, book: Book, rows: Sequence[Values]) -> list[str | None]:
        """Leave it to ``group``."""
        return [None] * len(rows)

    def contradictions(self, rows: Sequence[Staged]) -> list[Contradiction]:
        """Compare all fields."""
        return contradiction(_numbered(rows), self.fields)

    def merged(self, rows: Sequence[Staged]) -> dict[str, Any]:
        """Return the values of all rows together."""
        return dict(rows[0].values) if len(rows) == 1 else merge(_numbered(rows), self.fields)


def _numbered(rows: Sequence[Staged]) -> list[tuple[int, Values]]:
    return [(row.number, row.values) for row in rows]


def _fields(kind: str) -> tuple[str, ...]:
    return tuple(spec.name for spec in KINDS[kind].fields)


def _all(rows: Sequence[Staged], *, changed: bool) -> set[int]:
    return {row.number for row in rows} if changed else set()


class _Contracts(PlainImporter):
    name_field: str | None = "customer"
    places = True
    fields = tuple(name for name in _fields("contracts") if name not in (*PERSON_FIELDS, "birthday_calendar"))

    def group(self, values: Values) -> str | None:
        if values.get("contract_no") is None or values.get("project") is None:
            return None
        return f"{values['project']}{SEPARATOR}{values['contract_no']}"

    def contradictions(self, rows: Sequence[Staged]) -> list[Contradiction]:
        return super().contradictions(rows) + people_of(_numbered(rows))[2]

    def facts(self, rows: Sequence[Staged], *, complete: bool) -> tuple[ContractFacts, list[int | None]]:
        if len(rows) == 1:
            person = PersonFacts.of(rows[0].values)
            people = [person] if person else []
            of_row: list[int | None] = [0 if person else None]
            return ContractFacts.of(rows[0].values, people, complete=complete), of_row
        people, of_row, _ = people_of(_numbered(rows))
        return ContractFacts.of(self.merged(rows), people, complete=complete), of_row

    def load(self, book: Book, facts: Sequence[tuple[ContractFacts, list[int | None]]]) -> None:
        load_for_contracts(book, [one for one, _ in facts])

    def apply(
        self, book: Book, facts: tuple[ContractFacts, list[int | None]], rows: Sequence[Staged], stated: Stated
    ) -> set[int]:
        contract, of_row = facts
        outcome = apply_contract(book, contract, stated=stated)
        if outcome.entirely:
            return _all(rows, changed=True)
        return {row.number for row, person in zip(rows, of_row, strict=True) if person in outcome.people}


class _Handovers(PlainImporter):
    by_records = True
    fields = tuple(
        name for name in _fields("handovers") if name not in ("contract_no", "project", "building", "unit", "room")
    )

    def group(self, values: Values) -> str | None:
        parts = [values.get(name) for name in ("project", "contract_no")]
        if not values.get("contract_no"):
            parts += [values.get(name) for name in ("building", "unit", "room")]
        return SEPARATOR.join(part or "" for part in parts) if any(parts[1:]) else None

    def resolve(self, book: Book, rows: Sequence[Values]) -> list[str | None]:
        facts = [HandoverFacts.of(values) for values in rows]
        load_for_handovers(book, facts)
        found: list[str | None] = []
        for one in facts:
            try:
                found.append(find_home(book, one).key)
            except Refused:
                found.append(None)  # said again, with its reason, when the row is applied
        return found

    def facts(self, rows: Sequence[Staged], *, complete: bool) -> HandoverFacts:
        if len(rows) == 1:
            return HandoverFacts.of(rows[0].values)
        return HandoverFacts.of({**rows[0].values, **merge(_numbered(rows), self.fields)})

    def load(self, book: Book, facts: Sequence[HandoverFacts]) -> None:
        load_for_handovers(book, facts)

    def apply(self, book: Book, facts: HandoverFacts, rows: Sequence[Staged], stated: Stated) -> set[int]:
        return _all(rows, changed=apply_handover(book, facts)[1])


class _Customers(PlainImporter):
    name_field: str | None = "customer"
    fields = PERSON_FIELDS

    def group(self, values: Values) -> str | None:
        if values.get("id_no"):
            return str(values["id_no"])
        return f"{values.get('customer') or ''}{SEPARATOR}{values.get('phone') or ''}"

    def facts(self, rows: Sequence[Staged], *, complete: bool) -> PersonFacts:
        return PersonFacts.of(self.merged(rows)) or PersonFacts()

    def load(self, book: Book, facts: Sequence[PersonFacts]) -> None:
        load_for_customers(book, facts)

    def apply(self, book: Book, facts: PersonFacts, rows: Sequence[Staged], stated: Stated) -> set[int]:
        return _all(rows, changed=apply_customer(book, facts)[1])


class _Projects(PlainImporter):
    places = True
    fields = _fields("projects")

    def group(self, values: Values) -> str | None:
        return values.get("project")

    def facts(self, rows: Sequence[Staged], *, complete: bool) -> ProjectFacts:
        return ProjectFacts.of(self.merged(rows))

    def load(self, book: Book, facts: Sequence[ProjectFacts]) -> None:
        load_for_projects(book, facts)

    def apply(self, book: Book, facts: ProjectFacts, rows: Sequence[Staged], stated: Stated) -> set[int]:
        return _all(rows, changed=apply_project(book, facts)[1])


class _Staff(PlainImporter):
    name_field: str | None = "name"
    fields = ("name", "department", "phone", "email", "left_on")

    def group(self, values: Values) -> str | None:
        contact = values.get("phone") or values.get("email") or ""
        return f"{values.get('name') or ''}{SEPARATOR}{contact}"

    def facts(self, rows: Sequence[Staged], *, complete: bool) -> StaffFacts:
        return StaffFacts.of(self.merged(rows))

    def load(self, book: Book, facts: Sequence[StaffFacts]) -> None:
        book.staff = StaffRecords(book, {one.name for one in facts})

    def apply(self, book: Book, facts: StaffFacts, rows: Sequence[Staged], stated: Stated) -> set[int]:
        assert book.staff is not None
        return _all(rows, changed=apply_staff(book.staff, facts, stated=stated))


IMPORTERS: Mapping[str, Importer] = {
    "contracts": _Contracts(),
    "handovers": _Handovers(),
    "customers": _Customers(),
    "projects": _Projects(),
    "staff": _Staff(),
}
"""By kind of file. Events are recorded one by one instead, see :mod:`keguan.intake.emitting`."""
