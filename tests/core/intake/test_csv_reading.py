"""Text files as sales systems export them."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keguan.errors import InputError, KeguanError
from keguan.intake.columns import ColumnMap
from keguan.intake.kinds import KINDS
from keguan.intake.rows import Row
from keguan.intake.tables import Table, open_table

CONTRACTS = ColumnMap.of(KINDS["contracts"])
HEADER = "合同编号,项目,客户姓名,手机号\n"

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(content: str | bytes) -> Path:
        path = tmp_path / "export.xls"  # the name says nothing
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return _write


def table(path: Path) -> Table:
    return open_table(path, columns=CONTRACTS)


def numbers(rows: list[Row]) -> list[object]:
    return [row.cells.get("contract_no") for row in rows if row.problem is None]


def broken(rows: list[Row]) -> list[tuple[int, str]]:
    return [(row.number, row.problem.reason_key.removeprefix("import.")) for row in rows if row.problem]


def refused(path: Path) -> str:
    with pytest.raises(InputError) as error:
        list(table(path))
    assert path.name in str(error.value)
    return error.value.key.removeprefix("import.")


# --- Encodings and delimiters -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("gb18030", "gb18030"),
        ("gbk", "gb18030"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encoding_delimiter_and_line_ends_are_found(
    write: Write, encoding: str, found: str, delimiter: str, newline: str
) -> None:
    text = HEADER + "HT-1,云璟,张三,13800138000\nHT-2,云璟,李四,13900139000\n"
    result = table(write(text.replace(",", delimiter).replace("\n", newline).encode(encoding)))
    rows = list(result)
    assert (result.encoding, result.delimiter, result.header_row) == (found, delimiter, 1)
    assert [row.number for row in rows] == [2, 3]
    assert rows[1].cells == {"contract_no": "HT-2", "project": "云璟", "customer": "李四", "phone": "13900139000"}


def test_a_utf16_mark_before_big_endian_text_is_understood(write: Write) -> None:
    result = table(write(b"\xfe\xff" + (HEADER + "HT-1,云璟,张三,1\n").encode("utf-16-be")))
    assert result.encoding == "utf-16-be"
    assert numbers(list(result)) == ["HT-1"]


def test_an_ascii_file_is_utf8(write: Write) -> None:
    result = table(write("contract_no,project\nHT-1,x\n"))
    assert result.encoding == "utf-8"


def test_the_encoding_is_decided_over_the_whole_file(write: Write) -> None:
    ascii_rows = "".join(f"HT-{number},x,y,1\n" for number in range(20_000))
    head = "contract_no,project,customer,phone\n"
    assert len(ascii_rows) > 1 << 17
    for encoding in ("gb18030", "utf-8"):
        result = table(write((head + ascii_rows).encode() + "HT-X,云璟花园,张三,1\n".encode(encoding)))
        assert result.encoding == encoding
        assert list(result)[-1].cells["project"] == "云璟花园"


def test_short_gbk_words_that_happen_to_be_utf8_are_read_as_the_file(write: Write) -> None:
    assert "模".encode("gbk").decode("utf-8") == "ģ"
    result = table(write((HEADER + "HT-1,模,张三丰,1\nHT-2,模,x,1\n").encode("gbk")))
    assert [row.cells["project"] for row in result] == ["模", "模"]


def test_a_damaged_character_costs_only_its_row(write: Write) -> None:
    for encoding in ("utf-8", "gb18030"):
        good = "HT-{},云璟花园,张三,1\n"
        rows = [good.format(number).encode(encoding) for number in range(1, 6)]
        rows[2] = "HT-3,云璟".encode(encoding)[:-1] + b"\xff,x,1\n"
        found = list(table(write(HEADER.encode(encoding) + b"".join(rows))))
        assert broken(found) == [(4, "undecodable")]
        assert numbers(found) == ["HT-1", "HT-2", "HT-4", "HT-5"]


def test_a_damaged_unit_of_utf16_costs_only_its_row(write: Write) -> None:
    content = (HEADER + "HT-1,云\ud800璟,x,1\nHT-2,云璟,x,1\n").encode("utf-16", "surrogatepass")
    found = list(table(write(content)))
    assert broken(found) == [(2, "undecodable")]
    assert numbers(found) == ["HT-2"]


def test_a_row_in_another_encoding_is_refused_and_not_guessed(write: Write) -> None:
    row = "HT-{},云璟花园,张三,1\n"
    for encoding, other in (("utf-8", "gb18030"), ("gb18030", "utf-8")):
        content = (HEADER + "".join(row.format(number) for number in range(1, 30))).encode(encoding)
        found = list(table(write(content + row.format(30).encode(other) + row.format(31).encode(encoding))))
        assert broken(found) == [(31, "undecodable")]
        assert numbers(found)[-1] == "HT-31"


def test_a_file_that_changes_its_encoding_is_refused(write: Write) -> None:
    rows = "".join(f"HT-{number},云璟花园,张三,1\n" for number in range(50))
    for encoding, other in (("utf-8", "gb18030"), ("gb18030", "utf-8")):
        path = write((HEADER + rows).encode(encoding) + rows.encode(other))
        assert refused(path) == "encoding_changes"
        with pytest.raises(InputError, match="line 52"):
            table(path)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "file_empty"),
        (b"\xef\xbb\xbf\r\n \r\n", "file_empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "file_is_old_excel"),
        (b"%PDF-1.7 ...", "file_is_other"),
        (b"<html><table><tr><td>\xba\xcf</td></tr></table>", "file_is_markup"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "file_is_markup"),
        (bytes(range(256)) * 20, "file_is_binary"),
        (b"\xff\xff\x80\x81\n" * 20, "encoding_unknown"),
        (b"PK\x03\x04 not a workbook", "xlsx_damaged"),
        ("一,二,三\n四,五,六\n".encode(), "no_header"),
        (b"x" * 5_000_000, "line_too_long"),
    ],
)
def test_what_is_no_table_is_refused_with_a_way_to_mend_it(write: Write, content: bytes, why: str) -> None:
    assert refused(write(content)) == why


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "missing.csv") == "file_unreadable"
    assert refused(tmp_path) == "file_unreadable"


# --- Quotes, ragged rows, long cells, zero bytes ----------------------------------------------------------


def test_quoted_cells_may_hold_delimiters_quotes_and_lines(write: Write) -> None:
    found = list(table(write(HEADER + '"HT-1","a,b","say ""hi""","line 1\r\nline 2"\r\nHT-2,x,y,z\n')))
    assert found[0].cells == {
        "contract_no": "HT-1",
        "project": "a,b",
        "customer": 'say "hi"',
        "phone": "line 1\nline 2",
    }
    assert [row.number for row in found] == [2, 4]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('HT-2,"云璟,李四,1', "quote_open"),
        ('HT-2,云璟,李四,"', "quote_open"),
        ('HT-2,"he said "hi" ok",李四,1', "quote_misplaced"),
        ('HT-2,"云璟"花园,李四,1', "quote_misplaced"),
    ],
)
@pytest.mark.parametrize(
    "after", ["HT-3,云璟,王五,1\nHT-4,云璟,赵六,1\n", '"HT-3","云璟","王五","1"\n"HT-4","云璟","赵六","1"\n', ""]
)
def test_a_broken_quote_costs_only_its_line(write: Write, line: str, why: str, after: str) -> None:
    found = list(table(write(HEADER + "HT-1,云璟,张三,1\n" + line + "\n" + after)))
    assert numbers(found) == ["HT-1", *(["HT-3", "HT-4"] if after else [])]
    ((number, key),) = broken(found)
    assert number == 3
    assert key == why or (why == "quote_open" and key == "quote_misplaced" and '"HT-3"' in after)


def test_an_open_quote_before_a_million_characters_costs_only_its_line(write: Write) -> None:
    rows = "".join(f"HT-{number},云璟,张三,1\n" for number in range(2, 60_000))
    found = list(table(write(HEADER + 'HT-1,"云璟,张三,1\n' + rows)))
    assert broken(found) == [(2, "quote_open")]
    assert len(numbers(found)) == 59_998


def test_many_open_quotes_cost_only_their_lines(write: Write) -> None:
    rows = "".join(f'HT-{number},"云璟,张三,1\nHT-{number}b,云璟,张三,1\n' for number in range(2_000))
    found = list(table(write(HEADER + rows)))
    assert len(broken(found)) == len(numbers(found)) == 2_000


def test_rows_swallowed_by_two_stray_quotes_are_reported_and_not_taken(write: Write) -> None:
    content = HEADER + 'HT-1,"云璟,张三,1\nHT-2,云璟,李四,1\nHT-3,云璟",王五,1\nHT-4,云璟,赵六,1\n'
    found = list(table(write(content)))
    assert broken(found) == [(2, "quote_swallows")]
    assert found[0].problem is not None
    assert found[0].problem.reason_values == {"last": 4}
    assert numbers(found) == ["HT-4"]


def test_a_customers_text_cannot_add_rows(write: Write) -> None:
    text = "好\nHT-9,云璟,黑客,13800138000\n谢谢"
    buffer = io.StringIO()
    csv.writer(buffer).writerow(["HT-1", "云璟", text, "1"])
    found = list(table(write(HEADER + buffer.getvalue())))
    assert "HT-9" not in numbers(found)


def test_a_row_with_too_many_cells_is_refused_unless_they_are_empty(write: Write) -> None:
    found = list(table(write(HEADER + "HT-1,云璟,张三,1,x\nHT-2,云璟,李四,1,,,\nHT-3,云璟\n")))
    assert broken(found) == [(2, "too_many_cells")]
    assert found[0].problem is not None
    assert found[0].problem.reason_values == {"expected": 4, "found": 5}
    assert numbers(found) == ["HT-2", "HT-3"]
    assert found[2].cells == {"contract_no": "HT-3", "project": "云璟", "customer": "", "phone": ""}


def test_a_broken_row_shows_nothing_of_the_person(write: Write) -> None:
    found = list(table(write(HEADER + "HT-1,云璟,张三,13800138000,x\n")))
    assert "张三" not in repr(found)
    assert "13800138000" not in repr(found)
    assert found[0].raw == ("HT-1", "云璟", "张三", "13800138000", "x")


def test_zero_bytes_cost_only_their_row(write: Write) -> None:
    found = list(table(write((HEADER + "HT-1,云璟,张三,1\nHT-2,云\x00璟,李四,1\nHT-3,云璟,王五,1\n" * 1).encode())))
    assert broken(found) == [(3, "nul")]
    assert numbers(found) == ["HT-1", "HT-3"]


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_cell_of_140000_characters_is_read(write: Write, quote: str) -> None:
    long = "字" * 140_000
    found = list(table(write(HEADER + f"HT-1,云璟,{quote}{long}{quote},1\nHT-2,云璟,李四,1\n")))
    assert found[0].cells["customer"] == long
    assert numbers(found) == ["HT-1", "HT-2"]


def test_a_long_file_is_read_in_little_memory(write: Write) -> None:
    path = write(HEADER + "".join(f"HT-{number},云璟花园,张三,13800138000\n" for number in range(60_000)))
    tracemalloc.start()
    try:
        count = sum(1 for _ in table(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 60_000
    assert path.stat().st_size > 2_400_000
    assert peak < 2_400_000


def test_a_table_can_be_read_again(write: Write) -> None:
    result = table(write(HEADER + "HT-1,云璟,张三,1\n合计,,,1\n"))
    assert numbers(list(result)) == numbers(list(result)) == ["HT-1"]
    assert [notice.values for notice in result.notices] == [{"count": 1}]


# --- Laws -------------------------------------------------------------------------------------------------

WORD = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"], exclude_characters="\ufeff\ufffd"), max_size=6
)
CELL = WORD | st.builds("{}{}{}".format, WORD, st.sampled_from([",", ";", "\t", '"', "\n", '""', "\n\n"]), WORD)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), max_size=6),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]),
    delimiter=st.sampled_from([",", "\t", ";"]),
    quote_all=st.booleans(),
)
def test_any_table_written_as_csv_reads_back_the_same(
    tmp_path: Path, rows: list[tuple[str, str, str]], encoding: str, delimiter: str, quote_all: bool
) -> None:
    path = tmp_path / "law.csv"
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL)
    writer.writerow(["合同编号", "项目名称", "客户姓名", "手机号码"])
    for number, texts in enumerate(rows):
        writer.writerow([f"HT-{number}", *texts])
    path.write_bytes(buffer.getvalue().encode(encoding))
    result = table(path)
    assert result.delimiter == delimiter
    found = list(result)
    assert len(found) == len(rows)
    for row, cells in zip(found, rows, strict=True):
        if row.problem is not None:  # a text whose lines look like records is reported, never changed
            assert row.problem.reason_key == "import.quote_swallows"
            continue
        assert [row.cells[name] for name in ("project", "customer", "phone")] == list(cells)


PIECE = st.sampled_from(
    [
        HEADER.encode(),
        HEADER.encode("gbk"),
        b'"',
        b",",
        b"\n",
        b"\r",
        b"\x00",
        b"\xff",
        b"\xfe",
        b"PK\x03\x04",
        b"HT-1,",
        b"\t",
        b";",
    ]
) | st.binary(max_size=12)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECE, max_size=12))
def test_no_bytes_make_the_reader_raise_anything_but_a_clear_error(tmp_path: Path, pieces: list[bytes]) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(b"".join(pieces))
    with suppress(KeguanError):
        for row in table(path):
            assert row.number > 0
