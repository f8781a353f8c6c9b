"""Finding the header, and telling rows from what stands between them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from keguan.errors import InputError
from keguan.intake.columns import ColumnMap
from keguan.intake.fields import parse_content, parse_identifier
from keguan.intake.kinds import KINDS, FieldSpec, Kind
from keguan.intake.tables import Table, open_table

Read = Callable[..., Table]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def _read(content: str, kind: str | Kind = "contracts", mapping: dict[str, str] | None = None) -> Table:
        path = tmp_path / "table.csv"
        path.write_text(content, encoding="utf-8")
        return open_table(path, columns=ColumnMap.of(kind if isinstance(kind, Kind) else KINDS[kind], mapping))

    return _read


def fields(table: Table) -> dict[str, str]:
    return {name: table.headers[column] for column, name in table.fields.items()}


def notices(table: Table) -> dict[str, object]:
    rows = list(table)
    assert all(row.problem is None for row in rows)
    return {notice.key.removeprefix("import.notice_"): notice.values["count"] for notice in table.notices}


# --- The header -------------------------------------------------------------------------------------------


def test_chinese_and_english_names_are_known_however_they_are_written(read: Read) -> None:
    table = read(
        '*合同编号,"客户\n姓名", 手 机 号 ：,总价（元）,Signed On,'
        'ｅｍａｉｌ,"约定交付日期(yyyy-mm-dd)",contract-status\n'
    )
    assert list(table.fields.values()) == [
        "contract_no",
        "customer",
        "phone",
        "price",
        "signed_on",
        "email",
        "planned_handover_on",
    ]
    assert table.dropped_columns == ["contract-status"]


def test_every_name_of_the_interface_is_known() -> None:
    interface = {
        "contracts": "合同编号 项目 城市 楼栋 单元 房号 客户姓名 手机号 邮箱 证件号码 生日 "
        "落定日期 签约日期 约定交付日期 装修标准 状态 总价 总价(元)",
        "handovers": "合同编号 项目 城市 楼栋 单元 房号 交付日期 入住日期",
        "customers": "项目 城市 客户姓名 手机号 邮箱 证件号码 生日",
        "staff": "项目 城市 姓名 部门 邮箱 手机号 离职日期",
        "projects": "项目 城市 首次开放日期 开盘日期 建筑面积",
        "events": "type id time subject project city",
    }
    for name, headers in interface.items():
        columns = ColumnMap.of(KINDS[name])
        assert all(columns.known(header) for header in headers.split()), name
        assert all(columns.field(spec.name) for spec in KINDS[name].fields), name


def test_a_price_in_another_unit_is_not_taken_for_yuan(read: Read) -> None:
    assert read("合同编号,客户姓名,总价(万元)\n").dropped_columns == ["总价(万元)"]


def test_title_rows_above_the_header_are_passed_over(read: Read) -> None:
    table = read("sep=,\n云璟花园合同台账,,\n项目,云璟,城市,深圳\n\n合同编号,项目,城市,客户姓名\nHT-1,云璟,深圳,张三\n")
    assert table.header_row == 5
    assert [row.number for row in table] == [6]


def test_a_file_with_one_column_has_a_header_too(read: Read) -> None:
    assert [row.cells for row in read("合同编号\nHT-1\nHT-2\n")] == [{"contract_no": "HT-1"}, {"contract_no": "HT-2"}]


def test_groups_above_the_names_are_recognised(read: Read) -> None:
    table = read(
        "合同编号,项目,客户信息,,签约日期,经办人,\n,,姓名,电话,,姓名,电话\nHT-1,云璟,张三,13800138000,2026-03-05,李四,13900139000\n"
    )
    assert fields(table) == {
        "contract_no": "合同编号",
        "project": "项目",
        "customer": "客户信息姓名",
        "phone": "客户信息电话",
        "signed_on": "签约日期",
    }
    assert table.dropped_columns == ["经办人姓名", "经办人电话"]
    assert table.header_row == 2
    (row,) = table
    assert row.cells["phone"] == "13800138000"


def test_names_in_the_lower_row_only_are_recognised_too(read: Read) -> None:
    table = read("合同编号,客户信息,,日期信息,\n,姓名,电话,签约日期,约定交付日期\nHT-1,张三,1,2026-03-05,2027-03-05\n")
    assert list(table.fields.values()) == ["contract_no", "customer", "phone", "signed_on", "planned_handover_on"]
    assert table.header_row == 2


def test_the_salesmans_phone_is_not_taken_for_the_customers(read: Read) -> None:
    table = read("合同编号,项目,城市,业务员,\n,,,姓名,电话\nHT-1,云璟,深圳,李四,13900139000\n")
    assert "phone" not in table.fields.values()
    assert table.dropped_columns == ["业务员姓名", "业务员电话"]


def test_a_line_of_remarks_above_the_header_is_no_group(read: Read) -> None:
    table = read("制表：王五,,单位：元,\n合同编号,客户姓名,手机号,总价\n")
    assert list(table.fields.values()) == ["contract_no", "customer", "phone", "price"]


def test_two_columns_for_one_field_are_refused_and_both_named(read: Read) -> None:
    with pytest.raises(InputError) as refused:
        read("合同编号,手机号,联系电话\n")
    assert refused.value.key == "import.column_twice"
    assert "手机号 (B)" in str(refused.value)
    assert "联系电话 (C)" in str(refused.value)


def test_the_configuration_maps_ignores_and_decides(read: Read) -> None:
    table = read(
        "编码,手机号,联系电话,大名\n",
        mapping={"编码": "contract_no", "联系电话": "", "大 名": "customer", "其他": "name"},
    )
    assert list(table.fields.values()) == ["contract_no", "phone", "customer"]
    assert table.dropped_columns == []
    table = read("合同编号,手机号,备用电话\n", mapping={"备用电话": "phone"})
    assert fields(table) == {"contract_no": "合同编号", "phone": "备用电话"}
    assert table.dropped_columns == ["手机号"]


def test_a_missing_header_names_what_was_looked_for(read: Read) -> None:
    with pytest.raises(InputError, match=r"table\.csv.*合同编号, 项目, 城市"):
        read("甲,乙\n1,2\n")


def test_a_missing_column_is_one_error_and_not_one_for_each_row(read: Read) -> None:
    with pytest.raises(InputError, match="合同编号") as refused:
        read("项目,客户姓名,手机号\n云璟,张三,1\n")
    assert refused.value.key == "import.column_missing"
    with pytest.raises(InputError, match="交付日期 / 入住日期"):
        read("合同编号,项目\nHT-1,云璟\n", "handovers")


def test_events_keep_every_column(read: Read) -> None:
    table = read("type,id,time,subject,Reason Code\nmove_in,e1,2026-03-05,HT-1,x\n", "events")
    assert table.dropped_columns == []
    (row,) = table
    assert row.cells["Reason Code"] == "x"


def test_a_plugin_brings_its_own_kind(read: Read) -> None:
    kind = Kind(
        "complaints",
        (
            FieldSpec("content", parse_content, required=True, headers=("投诉内容", "内容")),
            FieldSpec("channel", parse_identifier, headers=("渠道",)),
            FieldSpec("phone", parse_identifier),
        ),
        keys=("content",),
    )
    assert list(read("渠道,投诉内容,手机号\nweb,漏水,1\n", kind).fields.values()) == ["channel", "content", "phone"]


# --- The body ---------------------------------------------------------------------------------------------

BODY = "合同编号,项目,客户姓名,手机号,总价\n"


@pytest.mark.parametrize(
    "line",
    [
        "小计,,,,99",
        "合 计：,,,,99",
        "3栋小计,,,,99",
        ",合计,,,99",
        "合计,35份,,,99",
        "Total,,,,99",
        "总计(元),,,,99",
        "本页合计,2,3,4,5",
    ],
)
def test_subtotals_are_counted_and_passed_over(read: Read, line: str) -> None:
    table = read(BODY + f"HT-1,云璟,张三,1,99\n{line}\nHT-2,云璟,李四,1,99\n")
    assert [row.cells["contract_no"] for row in table] == ["HT-1", "HT-2"]
    assert notices(table) == {"subtotals": 1}


@pytest.mark.parametrize(
    "line",
    [
        "备注：以上为三月数据,,,,",
        "说明,以上为三月数据,,,",
        "制表人：王五,,,审核：李四,",
        ",,以上数据截至三月底,,",
        "第1页 共3页,,,,",
        "以上数据截至三月底,,,,",
        ",,,,第 2 页",
    ],
)
def test_notes_are_counted_and_passed_over(read: Read, line: str) -> None:
    table = read(BODY + f"HT-1,云璟,张三,1,99\n{line}\nHT-2,云璟,李四,1,99\n")
    assert [row.cells["contract_no"] for row in table] == ["HT-1", "HT-2"]
    assert notices(table) == {"notes": 1}


@pytest.mark.parametrize("line", [",云璟,张三,,", ",,,13800138000,", ",云璟,张三,13800138000,99"])
def test_a_row_that_lost_its_key_is_not_passed_over(read: Read, line: str) -> None:
    table = read(BODY + line + "\n")
    assert len(list(table)) == 1
    assert notices(table) == {}


def test_repeated_headers_and_blank_lines_are_passed_over(read: Read) -> None:
    table = read(BODY + "HT-1,云璟,张三,1,99\n\n ,\u3000,,,\n" + BODY + "HT-2,云璟,李四,1,99\n")
    assert [(row.number, row.cells["contract_no"]) for row in table] == [(2, "HT-1"), (6, "HT-2")]
    assert notices(table) == {"headers": 1}


def test_cells_under_no_header_are_counted(read: Read) -> None:
    table = read("合同编号,,客户姓名\nHT-1,x,张三\nHT-2,,李四\n")
    assert notices(table) == {"beside": 1}
