"""Contradictions between rows that are about different things: one person, or one project, described twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from keguan.intake.staging import Staged, Staging

__all__ = ["Conflict", "PeopleInFile", "people_conflicts", "project_conflicts"]

_OF_PERSON = ("phone", "email", "birthday")


class PeopleInFile:
    """What the waiting rows say of people: :class:`keguan.intake.persons.Stated`."""

    def __init__(self, staging: Staging, name_field: str | None) -> None:
        self._staging = staging
        self._name = name_field
        self._indexed: set[str] = set()

    def _index(self, field: str) -> None:
        if field not in self._indexed:  # most files never come here
            self._staging.index(field)
            self._indexed.add(field)

    def names(self, name: str | None, phone: str) -> bool:
        """Return whether a row names somebody with this name and phone."""
        self._index("phone")
        question = f'SELECT 1 FROM rows WHERE phone = ? AND "{self._name}" IS ? LIMIT 1'  # noqa: S608 - our own name
        return bool(self._staging.ask(question, phone, name))

    def differs(self, id_no: str, name: str | None, phone: str | None) -> bool:
        """Return whether a row gives this ID number another name or, unless it is ``None``, another phone."""
        self._index("id_no")
        question = f'SELECT 1 FROM rows WHERE id_no = ? AND ("{self._name}" <> ? OR phone <> ?) LIMIT 1'  # noqa: S608
        return bool(self._staging.ask(question, id_no, name, phone))


class Conflict(NamedTuple):
    """A row that says of a person or project something else than another row."""

    row: Staged
    field: str
    other: int


def people_conflicts(staging: Staging, name_field: str) -> Iterator[Conflict]:
    """Yield the rows that give one ID number, or one name and phone, two different descriptions.

    Otherwise each import of the file would change the person to and fro.
    """
    for field in (name_field, *_OF_PERSON):
        for (number,) in staging.ask(
            f'SELECT id_no FROM rows WHERE id_no IS NOT NULL GROUP BY id_no HAVING min("{field}") <> max("{field}")'  # noqa: S608
        ):
            yield from _against(staging, field, "id_no = ?", [number])
    for field in _OF_PERSON[1:]:
        for name, phone in staging.ask(
            f'SELECT "{name_field}", phone FROM rows WHERE phone IS NOT NULL GROUP BY phone, "{name_field}" '  # noqa: S608
            f'HAVING min("{field}") <> max("{field}") AND count(DISTINCT id_no) <= 1'
        ):
            yield from _against(staging, field, f'phone = ? AND "{name_field}" IS ?', [phone, name])


def project_conflicts(staging: Staging) -> Iterator[Conflict]:
    """Yield the rows that put one project into two cities."""
    for (project,) in staging.ask(
        "SELECT project FROM rows WHERE project IS NOT NULL GROUP BY project HAVING min(city) <> max(city)"
    ):
        yield from _against(staging, "city", "project = ?", [project])


def _against(staging: Staging, field: str, condition: str, values: Sequence[object]) -> Iterator[Conflict]:
    """Yield the rows that state ``field``, each with the first row that states something else."""
    stated = f'{condition} AND "{field}" IS NOT NULL'
    (one, _), (two, _) = staging.ask(
        f'SELECT min(number), "{field}" FROM rows WHERE {stated} GROUP BY "{field}" ORDER BY 1 LIMIT 2',  # noqa: S608
        *values,
    )
    first = next(staging.rows("number = ?", one)).values[field]
    for row in staging.rows(stated, *values):
        yield Conflict(row, field, two if row.values[field] == first else one)
