"""The files that the invented company's systems deliver over the years, mistakes of their users included."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from itertools import groupby
from pathlib import Path
from typing import Literal

from keguan.demo.city import Project, SyntheticCity
from keguan.demo.ledger import Entry, contract_entries, handover_entries, project_entries
from keguan.demo.sheets import write_file

__all__ = ["Export", "spoil", "write_exports"]

Kind = Literal["projects", "staff", "contracts", "handovers"]
_MORNING, _EVENING, _FRIDAY = time(8, 30), time(20, 30), time(18, 0)
_SYSTEMS = ("ledger", "crm")
_MENDED_AFTER = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Export:
    """One file and when it is delivered, by the clocks of its city."""

    day: date
    clock: time
    kind: Kind
    file: Path


def write_exports(city: SyntheticCity, folder: Path) -> list[Export]:
    """Write every file of the years into ``folder`` and return them in the order of their delivery.

    Contracts come on each evening on which something was entered, handovers on Fridays, lists of projects and
    staff at the beginning, and a workbook of all contracts every January.
    """
    folder.mkdir(parents=True, exist_ok=True)
    contracts = contract_entries(city)
    project_rows = [entry.row for entry in project_entries(city)]
    exports = [
        Export(city.start, _MORNING, "projects", write_file(folder, "office", "projects", project_rows, city.start)),
        Export(city.start, _MORNING, "staff", write_file(folder, "office", "staff", _staff(city), city.start)),
    ]
    exports += _by_project(city, folder, spoil(contracts, _WRONG_CONTRACTS), "contracts", _EVENING, _same_day)
    exports += _by_project(city, folder, spoil(handover_entries(city), _WRONG_HANDOVERS), "handovers", _FRIDAY, _friday)
    for year in range(city.start.year + 1, city.end.year + 1):
        exports += _whole_ledger(folder, contracts, _quiet_day(contracts, date(year, 1, 5)), city.end)
    return sorted(exports, key=lambda export: (export.day, export.clock, export.kind != "projects"))


def _by_project(
    city: SyntheticCity,
    folder: Path,
    entries: Iterable[Entry],
    kind: Literal["contracts", "handovers"],
    clock: time,
    on: Callable[[date], date],
) -> list[Export]:
    """Write one file for each project and day of delivery."""
    rows: dict[tuple[date, Project], list[Entry]] = defaultdict(list)
    for entry in entries:
        if on(entry.on) <= city.end:
            rows[on(entry.on), entry.project].append(entry)
    exports = []
    for (day, project), group in rows.items():
        system = _SYSTEMS[city.projects.index(project) % len(_SYSTEMS)]
        file = write_file(folder, system, kind, [entry.row for entry in group], day, project.name)
        exports.append(Export(day, clock, kind, file))
    return exports


def _same_day(day: date) -> date:
    return day


def _friday(day: date) -> date:
    """Return the Friday on which what was entered on ``day`` is delivered."""
    return day + timedelta(days=(4 - day.weekday()) % 7)


def _staff(city: SyntheticCity) -> list[dict[str, object]]:
    return [
        {
            "name": member.person.name,
            "department": member.department,
            "phone": member.person.phone,
            "email": member.person.email,
        }
        for member in city.staff
    ]


def _quiet_day(contracts: Sequence[Entry], day: date) -> date:
    """Return the first day from ``day`` on by which every entry has arrived, mended where it was wrong."""
    busy = {entry.on for entry in contracts}
    while any(day - timedelta(days=n) in busy for n in range(_MENDED_AFTER.days + 1)):
        day += timedelta(days=1)
    return day


def _whole_ledger(folder: Path, contracts: Sequence[Entry], day: date, end: date) -> list[Export]:
    """Return the workbook of all contracts as they stood on the evening before ``day``."""
    newest: dict[object, list[Entry]] = {}
    known = (entry for entry in contracts if entry.on < day)
    for (contract_no, _), group in groupby(known, key=lambda entry: (entry.row["contract_no"], entry.on)):
        newest[contract_no] = list(group)
    if not newest or day > end:
        return []
    rows = [entry.row for group in newest.values() for entry in group]
    return [Export(day, _MORNING, "contracts", write_file(folder, "office", "contracts", rows, day))]


# --- Mistakes -------------------------------------------------------------------------------------------------

_WRONG_CONTRACTS: tuple[dict[str, str | None], ...] = (
    {"phone": "1.74E+10"},
    {"signed_on": "2024年2月30日"},
    {"phone": "174****0012"},
    {"contract_no": None},
    {"status": "待定"},
)
_WRONG_HANDOVERS: tuple[dict[str, str | None], ...] = (
    {"handed_over_on": "3/4/24"},
    {"handed_over_on": "2025-13-05"},
)
_DISTANCE = 19


def spoil(entries: Sequence[Entry], mistakes: Sequence[dict[str, str | None]]) -> list[Entry]:
    """Return ``entries`` with ``mistakes`` in some rows; what is wrong comes again, mended, three days later.

    Only contracts with a single buyer are hit, so that no row of a group of co-owners arrives alone.
    """
    rows: dict[object, int] = defaultdict(int)
    for entry in entries:
        rows[entry.row["contract_no"], entry.on] += 1
    result: list[Entry] = []
    left = list(mistakes)
    for number, entry in enumerate(entries):
        due = number >= _DISTANCE * (len(mistakes) - len(left)) + 7
        if left and due and rows[entry.row["contract_no"], entry.on] == 1 and entry.row.get("status") != "cancelled":
            result.append(replace(entry, row={**entry.row, **left.pop(0)}))
            entry = replace(entry, on=entry.on + _MENDED_AFTER)  # noqa: PLW2901 - the same row, mended
        result.append(entry)
    return sorted(result, key=lambda entry: entry.on)
