"""The demo's files look like those of real systems, and what is wrong in them is mended later."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from keguan.demo.city import SyntheticCity, make_city
from keguan.demo.exports import Export, spoil, write_exports
from keguan.demo.ledger import contract_entries
from keguan.intake.birthdays import Birthday
from keguan.intake.columns import ColumnMap
from keguan.intake.kinds import KINDS
from keguan.intake.rows import parse_row
from keguan.intake.tables import Table, open_table


@pytest.fixture(scope="module")
def city() -> SyntheticCity:
    return make_city(60, date(2023, 1, 1), date(2025, 12, 31), ("深圳", "武汉"))


@pytest.fixture(scope="module")
def exports(city: SyntheticCity, tmp_path_factory: pytest.TempPathFactory) -> list[Export]:
    return write_exports(city, tmp_path_factory.mktemp("files"))


def read(export: Export) -> Table:
    return open_table(export.file, columns=ColumnMap.of(KINDS[export.kind]))


def test_every_kind_of_file_that_systems_write_is_among_them(exports: list[Export]) -> None:
    tables = [read(export) for export in exports]
    looks = {(table.encoding.lower(), table.delimiter) for table in tables}
    assert {delimiter for _, delimiter in looks} == {",", "\t", None}
    assert {encoding for encoding, _ in looks} >= {"gb18030", "xlsx"}
    assert any(export.file.read_bytes().startswith(b"\xef\xbb\xbf") for export in exports)
    assert max(table.header_row for table in tables) == 3  # two titles above


def test_they_are_delivered_in_order_and_nothing_before_the_first_day(
    city: SyntheticCity, exports: list[Export]
) -> None:
    times = [(export.day, export.clock) for export in exports]
    assert times == sorted(times)
    assert times[0][0] == city.start
    assert times[-1][0] <= city.end
    assert [export.kind for export in exports[:2]] == ["projects", "staff"]


def test_who_keeps_the_lunar_calendar_has_a_lunar_birthday_in_the_files(
    city: SyntheticCity, exports: list[Export]
) -> None:
    said = {
        (str(row.values["id_no"]), row.values["birthday"])
        for export in exports
        if export.kind == "contracts"
        for row in (parse_row(KINDS["contracts"], each) for each in read(export))
        if row.values.get("birthday") is not None
    }
    people = {person.id_no: person for purchase in city.purchases for person in purchase.buyers}
    assert any(people[id_no].lunar for id_no, _ in said)
    for id_no, birthday in said:
        assert birthday == Birthday(people[id_no].birthday, people[id_no].lunar or None)


def test_a_few_rows_are_wrong_and_all_others_can_be_read(exports: list[Export]) -> None:
    reasons: Counter[str] = Counter()
    for export in exports:
        for row in read(export):
            reasons.update(problem.reason_key for problem in parse_row(KINDS[export.kind], row).problems)
    assert reasons == {
        "import.phone_destroyed": 1,
        "import.date_impossible": 2,
        "import.value_masked": 1,
        "import.missing": 1,
        "import.value_unknown": 1,
        "import.date_two_digit_year": 1,
    }


def test_what_is_wrong_comes_again_mended(city: SyntheticCity) -> None:
    entries = contract_entries(city)
    spoilt = spoil(entries, ({"phone": "1.74E+10"},))
    wrong = [entry for entry in spoilt if entry.row["phone"] == "1.74E+10"]
    assert len(wrong) == 1
    mended = [
        entry
        for entry in spoilt
        if entry.row["contract_no"] == wrong[0].row["contract_no"]
        and entry.row["status"] == wrong[0].row["status"]
        and entry is not wrong[0]
    ]
    assert [(entry.on - wrong[0].on).days for entry in mended] == [3]
    assert len(spoilt) == len(entries) + 1


def test_the_january_workbook_has_every_contract_known_by_then(city: SyntheticCity, exports: list[Export]) -> None:
    workbook = next(export for export in exports if export.file.name.endswith("全部合同.xlsx"))
    listed = {row.cells["contract_no"] for row in read(workbook)}
    assert listed == {entry.row["contract_no"] for entry in contract_entries(city) if entry.on < workbook.day}


def test_files_are_named_by_day_project_and_what_they_hold(exports: list[Export]) -> None:
    for export in exports:
        assert Path(export.file).name.startswith(export.day.isoformat())
