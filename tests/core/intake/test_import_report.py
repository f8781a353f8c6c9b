"""What an import reports, writes beside the file, and survives."""

from __future__ import annotations

import csv
import stat
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import select
from tests.support.front_desk import PROJECT, FrontDesk

from keguan.errors import UsageError
from keguan.intake import process
from keguan.intake.staging import GROUP_LIMIT
from keguan.store.schema import imports
from keguan.texts import text

HEADER = "合同编号,房号,客户姓名,手机号,签约日期"
PLACE = {"project": PROJECT, "city": "深圳"}


def rows(count: int) -> str:
    return "\n".join([HEADER, *(f"HT-{n},{n},王{n},138{n:08},2026-03-05" for n in range(count))])


def test_the_report_has_the_keys_that_scripts_rely_on(desk: FrontDesk) -> None:
    report = desk.contracts(f"{HEADER},备注\nHT-1,1201,王小明,138001,2026-03-05,x\nHT-2,1202,李娜,,2026-03-05,")
    said = report.to_json("en")
    assert said["file"] == str(desk.folder / "export.csv")
    assert (said["encoding"], said["delimiter"], said["header_row"]) == ("utf-8", ",", 1)
    assert (said["accepted"], said["unchanged"], said["rejected_rows"]) == (1, 0, 1)
    assert said["rejected"] == [
        {"row": 2, "column": "手机号", "value": "13**01", "reason": text("en", "import.phone_invalid")}
    ]
    assert "备注" in str(said["warnings"])
    assert "王小明" not in str(said)


def test_rejected_rows_stand_beside_the_file_for_their_owner_only(desk: FrontDesk) -> None:
    report = desk.contracts(f'{HEADER}\nHT-1,1201,"=cmd()",1.38E+10,2026-03-05\nHT-2,1202,李娜,,2026-03-05')
    file = desk.folder / "export.csv.rejected.csv"
    assert report.rejected_file == str(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    content = file.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    header, row = csv.reader(content.decode("utf-8-sig").splitlines())
    assert header == [*HEADER.split(","), "原因（keguan）"]
    assert row[:5] == ["HT-1", "1201", "'=cmd()", "1.38E+10", "2026-03-05"]
    assert row[5].startswith("手机号: ")


def test_the_file_of_rejected_rows_goes_when_nothing_is_rejected(desk: FrontDesk) -> None:
    desk.contracts(f"{HEADER}\nHT-1,1201,王伟,1.38E+10,2026-03-05")
    file = desk.folder / "export.csv.rejected.csv"
    assert file.exists()
    desk.contracts(f"{HEADER}\nHT-1,1201,王伟,,2026-03-05")
    assert not file.exists()


def test_rejected_rows_are_rejected_again_until_they_are_corrected(desk: FrontDesk) -> None:
    first = desk.contracts(
        f"{HEADER}\nHT-1,1201,王伟,1.38E+10,2026-03-05\nHT-2,1202,李娜,,2026/3/5\nHT-2,1202,李娜,,2026-03-06\n"
        "HT-3,1203,孙丽,,2062-03-05"
    )
    file = desk.folder / "export.csv.rejected.csv"
    again = desk.import_path("contracts", file, **PLACE)
    assert again.rejected_rows == first.rejected_rows == 4
    assert [one.reason_key for one in again.problems] == [one.reason_key for one in first.problems]
    assert not [line for line in again.warnings.sentences("zh") if "原因" in line]
    file.write_text(
        file.read_text("utf-8-sig")
        .replace("1.38E+10", "13800138000")
        .replace("2026-03-06", "2026-03-05")
        .replace("2062", "2026"),
        "utf-8",
    )
    assert desk.import_path("contracts", file, **PLACE).rejected_rows == 0


def test_a_rejected_workbook_row_comes_back_as_what_it_was(desk: FrontDesk) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADER.split(","))
    sheet.append(["HT-1", "1201", "王伟", 13800000000.0, "2026-03-05"])  # rounded: 1.38E+10
    sheet.append(["HT-2", "1202", "李娜", "", 46027.5])
    sheet.append(["HT-3", date(2026, 3, 1), "孙丽", "", "2026-03-05"])  # room 3-1
    file = desk.folder / "export.xlsx"
    book.save(file)
    report = desk.import_path("contracts", file, **PLACE)
    keys = [one.reason_key for one in report.problems]
    assert keys == ["import.phone_destroyed", "import.identifier_became_date"]
    again = desk.import_path("contracts", desk.folder / "export.xlsx.rejected.csv", **PLACE)
    assert [one.reason_key for one in again.problems] == keys


def test_exact_repeats_count_once(desk: FrontDesk) -> None:
    report = desk.contracts(f"{rows(1)}\n{rows(1).splitlines()[1]}")
    assert (report.accepted, report.unchanged, report.rejected_rows) == (1, 1, 0)
    assert [line for line in report.warnings.sentences("en") if "row 3" in line and "row 2" in line]


def test_rows_that_contradict_are_all_reported_and_none_wins(desk: FrontDesk) -> None:
    report = desk.contracts(
        f"{HEADER}\nHT-1,1201,王伟,,2026-03-05\nHT-2,1202,李娜,,2026-03-05\nHT-1,1201,王伟,,2026-03-06\nHT-1,,,,"
    )
    assert [(one.row, one.column, one.reason_key) for one in report.problems] == [
        (2, "签约日期", "apply.contradicts"),
        (4, "签约日期", "apply.contradicts"),
        (5, "", "apply.beside_contradiction"),
    ]
    assert [one.reason_values["other"] for one in report.problems[:2]] == [4, 2]
    assert (report.accepted, report.rejected_rows) == (1, 3)
    assert desk.told() == ["contract_signed"]


def test_a_dry_run_reports_the_same_and_writes_nothing(desk: FrontDesk) -> None:
    desk.contracts(rows(3))
    before = desk.state()
    lines = f"{rows(4)}\nHT-9,9,赵敏,1.38E+10,2026-03-05".replace("138" + "00000001", "13900000001")
    dry = desk.contracts(lines, name="next.csv", dry_run=True)
    assert desk.state() == before
    assert not (desk.folder / "next.csv.rejected.csv").exists()
    assert len(desk.rows(select(imports.c.id))) == 1
    real = desk.contracts(lines, name="next.csv")
    assert (dry.accepted, dry.unchanged, dry.rejected_rows) == (2, 2, 1)
    assert (real.accepted, real.unchanged, real.rejected_rows) == (2, 2, 1)


def test_each_import_is_recorded(desk: FrontDesk) -> None:
    desk.contracts(f"{rows(2)}\nHT-9,9,赵敏,1.38E+10,2026-03-05")
    (row,) = desk.rows(select(imports))
    assert (row.kind, row.filename, row.accepted, row.unchanged, row.rejected) == ("contracts", "export.csv", 2, 0, 1)
    assert row.started_at == row.finished_at == desk.clock.now()


def test_an_unknown_kind_is_a_mistake_of_usage(desk: FrontDesk) -> None:
    with pytest.raises(UsageError, match="contracts"):
        desk.import_text("contract", HEADER)


def test_too_many_rows_about_one_thing_are_rejected(desk: FrontDesk) -> None:
    lines = "\n".join(f"HT-1,1201,王{n},,2026-03-05" for n in range(GROUP_LIMIT + 1))
    report = desk.contracts(f"{HEADER}\n{lines}\nHT-2,1202,李娜,,2026-03-05")
    assert (report.accepted, report.rejected_rows) == (1, GROUP_LIMIT + 1)
    assert len(report.problems) == GROUP_LIMIT - 1 + 1
    assert [line for line in report.warnings.sentences("en") if str(GROUP_LIMIT + 1) in line]


class PowerCut(BaseException):
    """The process is gone."""


def test_an_interrupted_import_is_finished_by_importing_again(
    desk: FrontDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_APPLY", 10)
    lines = rows(50)
    for lost in (15, 35):

        def cut(done: int, total: int | None, lost: int = lost) -> None:
            if total is not None and done > lost:
                raise PowerCut

        with pytest.raises(PowerCut):
            desk.contracts(lines, progress=cut)
        assert list((desk.folder / "var").iterdir()) == []  # nothing personal stays behind
    report = desk.contracts(lines)
    assert (report.accepted, report.unchanged) == (10, 40)
    assert len(desk.told()) == 50


def test_progress_is_told_with_the_total_once_it_is_known(desk: FrontDesk) -> None:
    seen: list[tuple[int, int | None]] = []
    desk.contracts(rows(30), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(30, None), (30, 30)]
