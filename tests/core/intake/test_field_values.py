"""Phones, identifiers, texts, words and amounts in cells."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keguan.intake.amounts import parse_area, parse_money
from keguan.intake.cells import Cell, CellError
from keguan.intake.fields import (
    FieldError,
    parse_content,
    parse_contract_status,
    parse_fitting,
    parse_identifier,
    parse_text,
)
from keguan.intake.identity import parse_email, parse_id_no
from keguan.intake.phones import is_mobile, parse_phone


def reason(parser: Callable[[Cell], object], cell: Cell) -> str:
    with pytest.raises(FieldError) as refused:
        parser(cell)
    if not isinstance(cell, CellError):
        assert str(cell) not in map(str, refused.value.values.values()), "a reason never holds the cell's content"
    return refused.value.key.removeprefix("import.")


# --- Phones -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        "13800138000",
        " 138 0013 8000 ",
        "138-0013-8000",
        "+8613800138000",
        "+86 138 0013 8000",
        "008613800138000",
        "8613800138000",
        "１３８００１３８０００",
        "138\u200b00138000",
        "13800138000\u00a0",
        '="13800138000"',
        "'13800138000",
        "'+86 138-0013-8000",
        "13800138000\t",
        13800138000.0,
        13800138000,
    ],
)
def test_a_mobile_number_is_read_however_it_is_written(cell: Cell) -> None:
    assert parse_phone(cell) == "+8613800138000"


def test_landlines_are_read_but_cannot_receive_an_sms() -> None:
    assert parse_phone("0755-23456789") == "+8675523456789"
    assert parse_phone("(021) 6234 5678") == "+862162345678"
    assert not is_mobile("+8675523456789")
    assert not is_mobile(parse_phone("400-812-3123"))
    assert is_mobile("+8613800138000")
    assert is_mobile(parse_phone("+852 9123 4567"))
    assert not is_mobile("no number")


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("1.38E+10", "phone_destroyed"),
        ("1.38001E+10", "phone_destroyed"),
        ("1.38e10", "phone_destroyed"),
        ("１．３８Ｅ＋１０", "phone_destroyed"),
        (13800000000.0, "phone_destroyed"),
        (1.38e16, "phone_destroyed"),
        ("13800138000/13900139000", "phone_several"),
        ("13800138000、13900139000", "phone_several"),
        ("13800138000 13900139000", "phone_several"),
        ("13800138000;0755-23456789", "phone_several"),
        ("1380013800013900139000", "phone_several"),
        ("13800138000\n13900139000", "phone_several"),
        ("0755-23456789转8001", "phone_extension"),
        ("0755-23456789-801", "phone_extension"),
        ("138****8000", "value_masked"),
        ("1380013800", "phone_invalid"),
        ("138001380000", "phone_invalid"),
        ("14100138000", "phone_invalid"),
        ("23456789", "phone_invalid"),
        ("10086", "phone_invalid"),
        ("无", "phone_invalid"),
        ("13800138000张三", "phone_invalid"),
        (True, "phone_invalid"),
        (CellError("#N/A"), "cell_error"),
    ],
)
def test_other_numbers_are_refused_with_their_reason(cell: Cell, why: str) -> None:
    assert reason(parse_phone, cell) == why


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_the_quick_way_agrees_with_the_numbering_plan(text: str) -> None:
    number = phonenumbers.parse(text, "CN")
    if phonenumbers.is_valid_number(number):
        assert parse_phone(text) == f"+86{text}"
        assert is_mobile(f"+86{text}")
    else:
        assert reason(parse_phone, text) == "phone_invalid"


# --- Identifiers and texts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("007", "007"),
        ("ＨＴ－００７", "HT-007"),
        ('="0301"', "0301"),
        ("'0301", "0301"),
        ("HT\u200b-1\ufeff", "HT-1"),
        ("  3-1-1201 ", "3-1-1201"),
        (1201.0, "1201"),
        ("三单元", "三单元"),
        ("1E5", "1E5"),
        ("=1+1", "=1+1"),
    ],
)
def test_an_identifier_is_text_from_the_first_character_to_the_last(cell: Cell, value: str) -> None:
    assert parse_identifier(cell) == value


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        (date(2026, 3, 1), "identifier_became_date"),
        ("3月1日", "identifier_became_date"),
        ("1-Mar", "identifier_became_date"),
        ("4.40301E+17", "digits_lost"),
        (440301199001011234.0, "digits_lost"),
        (0.1, "digits_lost"),
        ("x" * 101, "too_long"),
        ("HT\ufffd1", "characters_lost"),
        (CellError("#REF!"), "cell_error"),
    ],
)
def test_an_identifier_that_a_spreadsheet_changed_is_refused(cell: Cell, why: str) -> None:
    assert reason(parse_identifier, cell) == why


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("张三", "张三"),
        ("\ufeff张\u200b三\u00a0", "张三"),
        ("张　三", "张 三"),
        ("张三\r\n李四", "张三 李四"),
        ("\x07张三", "张三"),
        ("\u202e张三", "张三"),
        ("𠮷野", "𠮷野"),
        ("ＡＢＣ", "ＡＢＣ"),
        (5.0, "5"),
        ("'=cmd", "=cmd"),
        ("\u200b\u2060", ""),
    ],
)
def test_a_name_keeps_its_visible_characters(cell: Cell, value: str) -> None:
    assert parse_text(cell) == value


def test_what_people_wrote_keeps_its_lines_and_is_never_cut() -> None:
    assert parse_content(" 漏水\r\n 第二行 \x00") == "漏水\n第二行"
    assert parse_content("👨‍👩‍👧") == "👨‍👩‍👧"
    assert len(str(parse_content("字" * 10_000))) == 10_000
    assert reason(parse_content, "字" * 10_001) == "too_long"
    assert reason(parse_text, "字" * 201) == "too_long"


@given(st.text(max_size=50))
def test_texts_are_clean_after_one_pass(text: str) -> None:
    for parser in (parse_text, parse_content):
        try:
            once = parser(text)
        except FieldError:
            continue
        assert not any(char in once for char in "\x00\u200b\ufeff\u202e\u00a0")
        assert once == once.strip()


# --- Words ------------------------------------------------------------------------------------------------


def test_words_of_the_trade_are_understood() -> None:
    assert [parse_fitting(word) for word in ("精装", "精 装 修", "毛坯", "FITTED")] == [
        "fitted",
        "fitted",
        "bare",
        "fitted",
    ]
    assert [parse_contract_status(word) for word in ("已签约", "已退房", "已认购", "已更名", "signed")] == [
        "signed",
        "cancelled",
        "reserved",
        "transferred",
        "signed",
    ]


def test_an_unknown_word_is_refused_and_the_known_ones_named() -> None:
    assert reason(parse_fitting, "豪华") == "value_unknown"
    with pytest.raises(FieldError) as refused:
        parse_contract_status("激活")
    assert refused.value.values["known"] == (
        "已认购 (reserved), 已签约 (signed), 已退房 (cancelled), 已更名 (transferred)"
    )


# --- ID numbers and e-mail --------------------------------------------------------------------------------


def resident(first: str, day: date, order: int) -> str:
    body = f"{first}{day:%Y%m%d}{order:03}"
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11]


@given(
    st.from_regex(r"[1-9][0-9]{5}", fullmatch=True), st.dates(date(1900, 1, 1), date(2099, 1, 1)), st.integers(0, 999)
)
def test_every_residents_number_with_its_check_digit_is_read(first: str, day: date, order: int) -> None:
    number = resident(first, day, order)
    assert parse_id_no(number) == parse_id_no(number.lower()) == number
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    assert reason(parse_id_no, wrong) == "id_no_check_digit"


@given(st.integers(1, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(place: int, by: int) -> None:
    number = "11010519491231002X"
    changed = f"{number[:place]}{(int(number[place]) + by) % 10}{number[place + 1 :]}"
    assert reason(parse_id_no, changed) == "id_no_check_digit"


def test_passports_permits_and_licences_are_texts() -> None:
    assert parse_id_no("e12345678") == "E12345678"
    assert parse_id_no("H1234567(8)") == "H1234567(8)"
    assert parse_id_no("军字第1234567号") == "军字第1234567号"


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        (1.1010519491231e17, "digits_lost"),
        ("1.10105E+17", "digits_lost"),
        ("1101051949123100", "id_no_length"),
        ("110***********002X", "value_masked"),
        ("无", "id_no_invalid"),
    ],
)
def test_other_id_numbers_are_refused(cell: Cell, why: str) -> None:
    assert reason(parse_id_no, cell) == why


def test_a_resident_is_born_on_a_day_that_exists() -> None:
    number = resident("110105", date(1949, 12, 31), 2)
    impossible = [f"11010519490230{order:03}{check}" for order in range(20) for check in "0123456789X"]
    reasons = {reason(parse_id_no, text) for text in impossible}
    assert parse_id_no(number) == "11010519491231002X"
    assert reasons == {"id_no_check_digit", "id_no_birthday"}


def test_an_email_address_is_one_address() -> None:
    assert parse_email(" zhang.san+home@mail.example.com ") == "zhang.san+home@mail.example.com"
    assert parse_email("ａ＠example.com") == "a@example.com"
    assert reason(parse_email, "a@example.com;b@example.com") == "email_several"
    assert reason(parse_email, "z***@example.com") == "value_masked"
    for text in (
        "张三",
        "a@b",
        "a b@example.com",
        "a@exa_mple.com",
        ".a@example.com",
        "a..b@example.com",
        "a@example.com\u4e00",
    ):
        assert reason(parse_email, text) == "email_invalid"


# --- Amounts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1,234,567.89", "1234567.89"),
        ("￥1234567.89元", "1234567.89"),
        ("１，２３４", "1234.00"),
        ("120万", "1200000.00"),
        ("1.5亿元", "150000000.00"),
        (1234567.8900000001, "1234567.89"),
        (0.125, "0.13"),
        (3.0e6, "3000000.00"),
        ("0", "0.00"),
        ("人民币 88元整", "88.00"),
    ],
)
def test_sums_are_exact_to_the_fen(cell: Cell, value: str) -> None:
    assert str(parse_money(cell)) == value


@pytest.mark.parametrize(
    "cell",
    [
        "-1",
        "1.234.567,00",
        "12,34",
        "面议",
        "1e6",
        float("nan"),
        float("inf"),
        -5.0,
        1e15,
        True,
        date(2026, 1, 1),
        "100美元",
    ],
)
def test_what_is_no_sum_is_refused(cell: Cell) -> None:
    assert reason(parse_money, cell) == "money_unreadable"


@given(st.decimals(0, 10**11, places=2))
def test_a_sum_written_with_separators_is_read_as_itself(value: Decimal) -> None:
    assert parse_money(f"{value:,}") == parse_money(str(value)) == value


def test_areas_are_square_metres() -> None:
    assert parse_area("120,000㎡") == parse_area("12万平方米") == parse_area(120000.0) == 120000.0
    assert reason(parse_area, "0") == "area_unreadable"
    assert reason(parse_area, "大") == "area_unreadable"
