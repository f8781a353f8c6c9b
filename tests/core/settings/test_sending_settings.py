"""What the configuration says of limits, hours for promotion and the allow list of a test installation."""

from __future__ import annotations

from pathlib import Path

import pytest

from keguan.errors import ConfigError
from keguan.settings import Settings, parse_settings


def parsed(text: str) -> Settings:
    return parse_settings(text, Path("/nowhere/config/keguan.toml"), {})


def test_the_limits_of_codes_are_those_of_gateways_and_promotion_has_its_own() -> None:
    limits = parsed("").limits
    assert (limits.code.per_minute, limits.code.per_hour, limits.code.per_day) == (1, 5, 10)
    assert (limits.promotion.per_day, limits.promotion.per_week) == (1, 2)
    changed = parsed("[limits]\ncode = { per_hour = 3 }\n[limits.promotion]\nper_week = 0").limits
    assert (changed.code.per_minute, changed.code.per_hour, changed.promotion.per_week) == (1, 3, 0)


@pytest.mark.parametrize(
    ("quiet", "promotion"),
    [("20:00-09:00", "20:00-08:00"), ("08:00-21:00", "09:00-20:00"), ("08:00-20:00", "08:00-20:00")],
)
def test_hours_that_leave_no_minute_for_promotion_are_a_mistake(quiet: str, promotion: str) -> None:
    with pytest.raises(ConfigError) as failed:
        parsed(f'[cities.wuhan]\nquiet_hours = "{quiet}"\npromotion_hours = "{promotion}"')
    assert failed.value.key == "config.promotion_hours"
    assert "cities.wuhan.promotion_hours" in str(failed.value)


@pytest.mark.parametrize(
    ("quiet", "promotion"),
    [("20:00-09:00", "20:00-10:00"), ("00:00-00:00", "08:00-20:00"), ("12:00-11:00", "08:00-20:00")],
)
def test_one_common_minute_is_enough(quiet: str, promotion: str) -> None:
    parsed(f'[cities.wuhan]\nquiet_hours = "{quiet}"\npromotion_hours = "{promotion}"')


@pytest.mark.parametrize(
    ("address", "admitted"),
    [
        ("+8613912345678", True),
        ("+8613912345679", False),
        ("me@example.com", True),
        ("ME@EXAMPLE.COM", True),
        ("you@example.com", False),
        ("anybody@keguan.test", True),
        ("anybody@sub.keguan.test", False),
        ("anybody@notkeguan.test", False),
        ("", False),
    ],
)
def test_who_is_on_the_allow_list(address: str, admitted: bool) -> None:
    listed = parsed('[test]\nonly_to = ["139 1234 5678", "Me@example.com", "@keguan.test"]').test
    assert listed.is_on
    assert listed.admits(address) is admitted


def test_an_empty_list_admits_nobody_and_no_list_everybody() -> None:
    assert not parsed("[test]\nonly_to = []").test.admits("+8613912345678")
    assert not parsed("").test.is_on
    assert parsed("").test.admits("+8613912345678")


@pytest.mark.parametrize("entry", ["1391234", "me@", "a b@example.com", "desk"])
def test_what_is_no_address_is_a_mistake_that_does_not_repeat_it(entry: str) -> None:
    with pytest.raises(ConfigError) as failed:
        parsed(f'[test]\nonly_to = ["{entry}"]')
    assert failed.value.key == "config.only_to"
    assert entry not in str(failed.value).replace("name@example.com", "").replace("@example.com", "")


def test_the_listed_addresses_are_not_in_the_repr() -> None:
    settings = parsed('[test]\nonly_to = ["13912345678"]')
    assert "13912345678" not in repr(settings)
    assert "13912345678" not in repr(settings.test)
