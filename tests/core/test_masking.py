"""What may be shown of a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keguan.masking import mask_email, mask_id_no, mask_name, mask_phone, mask_text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张*"),
        ("张三丰", "张**"),
        ("欧阳震华", "欧阳**"),
        ("欧阳修", "欧阳*"),
        ("欧阳", "欧*"),
        ("王", "王*"),
        ("John Smith", "J*** S****"),
        ("", ""),
    ],
)
def test_of_a_name_the_family_name_is_shown(name: str, shown: str) -> None:
    assert mask_name(name) == shown


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13800138000", "138****8000"),
        ("+8613800138000", "138****8000"),
        ("0086 138-0013-8000", "138****8000"),
        ("１３８００１３８０００", "１３８****８０００"),
        ("0755-23456789", "075*****6789"),
        ("23456789", "23****89"),
        ("1.38E+10", "1.38E+10"),
        ("张三", "张*"),
        ("13800138000/13900139000", "138****8000 139****9000"),
    ],
)
def test_of_a_phone_number_the_middle_is_hidden(phone: str, shown: str) -> None:
    assert mask_phone(phone) == shown


@given(st.from_regex(r"(\+86|0086|86)?1[3-9][0-9]{9}", fullmatch=True))
def test_no_mobile_number_can_be_read_back_from_its_mask(phone: str) -> None:
    assert phone[-8:-4] not in mask_phone(phone).replace(phone[-4:], "")
    assert mask_phone(phone).count("*") == 4


def test_of_an_email_address_the_domain_is_shown() -> None:
    assert mask_email("zhangsan@example.com") == "z***@example.com"
    assert mask_email("no address") == "n* a******"


def test_of_an_id_number_the_birthday_is_hidden() -> None:
    assert mask_id_no("11010519491231002X") == "110***********002X"
    assert mask_id_no("E12345678") == "E*******8"
    assert mask_id_no("12") == "**"


@pytest.mark.parametrize(
    "text",
    [
        "请回电13800138000，谢谢",
        "电话:138 0013 8000",
        "手机１３８００１３８０００",
        "+86 138-0013-8000",
        "身份证11010519491231002X",
        "家里(0755)23456789",
        "mail zhangsan@example.com now",
        "a+b@example.com.cn",
        "call +1 415 555 2671",
        "账号6222020200112233445",
    ],
)
def test_personal_numbers_are_found_in_free_text(text: str) -> None:
    shown = mask_text(text)
    assert "*" in shown
    for secret in (
        "00138000",
        "0013 8000",
        "０００１３",
        "0013-8000",
        "19491231",
        "2345678",
        "zhangsan",
        "a+b@",
        "5552671",
        "555 2671",
        "0200112233",
    ):
        assert secret not in shown


def test_free_text_without_personal_numbers_stays_as_it_is() -> None:
    for text in ("3栋1201漏水", "总价1234567.89元", "2026-03-05 09:30", "HT-2026-001"):
        assert mask_text(text) == text


@given(st.text(max_size=60))
def test_masking_never_fails(text: str) -> None:
    for mask in (mask_name, mask_phone, mask_email, mask_id_no, mask_text):
        assert isinstance(mask(text), str)


@given(st.text(max_size=20), st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.text(max_size=20))
def test_no_mobile_number_survives_between_other_words(before: str, phone: str, after: str) -> None:
    assert phone not in mask_text(f"{before}\n{phone}\n{after}")
