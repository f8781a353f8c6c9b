"""From a row of a file to values and problems."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest

from keguan.intake.columns import ColumnMap
from keguan.intake.kinds import KINDS
from keguan.intake.rows import ParsedRow, parse_row
from keguan.intake.tables import open_table
from keguan.texts import LANGUAGES, text

Parse = Callable[[str, str], list[ParsedRow]]


@pytest.fixture
def parse(tmp_path: Path) -> Parse:
    def _parse(kind: str, content: str) -> list[ParsedRow]:
        path = tmp_path / "rows.csv"
        path.write_text(content, encoding="utf-8")
        return [parse_row(KINDS[kind], row) for row in open_table(path, columns=ColumnMap.of(KINDS[kind]))]

    return _parse


def problems(row: ParsedRow) -> list[tuple[str, str, str]]:
    return [
        (problem.column, problem.value_masked, problem.reason_key.removeprefix("import.")) for problem in row.problems
    ]


def test_a_contract_is_read(parse: Parse) -> None:
    (row,) = parse(
        "contracts",
        "合同编号,项目,楼栋,房号,客户姓名,手机号,签约日期,装修标准,状态,邮箱\n"
        "ＨＴ－００１,云璟花园,03,0301,张三,138 0013 8000,2026年3月5日,精装,已签约,\n",
    )
    assert row.ok
    assert row.values == {
        "contract_no": "HT-001",
        "project": "云璟花园",
        "building": "03",
        "room": "0301",
        "customer": "张三",
        "phone": "+8613800138000",
        "signed_on": date(2026, 3, 5),
        "fitting": "fitted",
        "status": "signed",
        "email": None,
    }
    assert "id_no" not in row.values, "of a column that the file lacks nothing is known"


def test_every_problem_of_a_row_is_told_and_nothing_personal_with_it(parse: Parse) -> None:
    (row,) = parse(
        "contracts",
        "合同编号,客户姓名,手机号,邮箱,证件号码,生日,签约日期,装修标准\n"
        f",{'张' * 201},13800138000/13900139000,zhang@,110105194912310021,31/31/1949,3/5/2026,请致电13800138000\n",
    )
    assert not row.ok
    assert problems(row) == [
        ("客户姓名", "张" + "*" * 58 + "…", "too_long"),
        ("手机号", "138****8000 139****9000", "phone_several"),
        ("邮箱", "z***@", "email_invalid"),
        ("证件号码", "110***********0021", "id_no_check_digit"),
        ("生日", "3*********", "date_impossible"),
        ("签约日期", "3/5/2026", "date_ambiguous"),
        ("装修标准", "请致电138****8000", "value_unknown"),
        ("合同编号", "", "missing"),
    ]
    assert row.values == {"contract_no": None}
    for secret in ("13800138000", "zhang", "19491231", "31/1949"):
        assert secret not in repr(row)


def test_every_reason_has_its_sentence_in_both_languages(parse: Parse) -> None:
    rows = parse("contracts", "合同编号,手机号,签约日期,装修标准\n,1.38E+10,3/5/2026,x\nHT-1,a,26-1-1,x,y\n")
    for problem in (problem for row in rows for problem in row.problems):
        for language in LANGUAGES:
            sentence = text(language, problem.reason_key, **problem.reason_values)
            assert len(sentence) > 5
            assert "{" not in sentence


def test_a_handover_needs_a_home_and_a_day(parse: Parse) -> None:
    rows = parse(
        "handovers",
        "合同编号,项目,楼栋,单元,房号,交付日期,入住日期\n"
        "HT-1,,,,,2026-03-05,\n"
        ",云璟,3,1,1201,2026-03-05,2026-05-01\n"
        ",云璟,3,1,,2026-03-05,\n"
        "HT-2,云璟,3,1,1202,,\n",
    )
    assert [row.ok for row in rows] == [True, True, False, False]
    assert problems(rows[2]) == [("合同编号 / 房号", "", "missing_all")]
    assert problems(rows[3]) == [("交付日期 / 入住日期", "", "missing_all")]


def test_a_customer_is_an_id_number_or_a_name_with_a_phone(parse: Parse) -> None:
    rows = parse(
        "customers",
        "客户姓名,手机号,证件号码,生日\n,,11010519491231002X,1949-12-31\n张三,13800138000,,\n张三,,,2026-01-01\n,13800138000,,\n",
    )
    assert [row.ok for row in rows] == [True, True, False, False]
    assert problems(rows[2]) == [("手机号 / 证件号码", "", "missing_all")]


def test_a_wrong_value_is_told_once_and_not_as_missing_too(parse: Parse) -> None:
    rows = parse("handovers", "合同编号,交付日期\nHT-1,2026-02-30\n")
    assert problems(rows[0]) == [("交付日期", "2026-02-30", "date_impossible")]


def test_staff_projects_and_events_are_read(parse: Parse) -> None:
    (person,) = parse("staff", "姓名,部门,邮箱,手机号,离职日期\n李四,客户关系部,li@example.com,13900139000,\n")
    assert person.values["department"] == "客户关系部"
    (project,) = parse("projects", "项目,城市,首次开放日期,开盘日期,建筑面积\n云璟,深圳,2026.1.1,2026/2/1,12万㎡\n")
    assert project.values["area"] == 120_000.0
    (event,) = parse("events", "type,id,time,subject,reason\nmove_in,e-1,2026-03-05 09:30,HT-1,=1+1\n")
    assert event.values == {
        "type": "move_in",
        "id": "e-1",
        "time": datetime.fromisoformat("2026-03-05 09:30"),
        "subject": "HT-1",
        "reason": "=1+1",
    }


def test_a_cell_of_invisible_characters_is_empty(parse: Parse) -> None:
    (row,) = parse("contracts", "合同编号,客户姓名,手机号\nHT-1,\u2060\u200b,\u3000\n")
    assert row.values == {"contract_no": "HT-1", "customer": None, "phone": None}
