"""``[staff]`` and ``[departments."NAME"]``."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest

from keguan.errors import ConfigError
from keguan.settings import Settings, parse_settings
from keguan.settings.staff import OUR_LADDER, After


def read(text: str) -> Settings:
    """Return the settings that a file with this text gives."""
    return parse_settings(text, Path("/nowhere/config/keguan.toml"), {})


def test_without_a_table_the_day_is_ours() -> None:
    staff = read("").staff
    assert (staff.digest_at, staff.empty_digests, staff.ladder) == (time(8, 30), False, OUR_LADDER)
    assert [(str(step.after), step.to) for step in OUR_LADDER] == [
        ("0 workdays", "assignee"),
        ("1 workday", "head"),
        ("3 workdays", "manager"),
    ]


def test_steps_count_in_working_days_or_hours() -> None:
    ladder = read(
        '[[staff.ladder]]\nafter = "4 working hours"\nto = "head"\n'
        '[[staff.ladder]]\nafter = "1 workday"\nto = "manager"\nchannels = ["email", "chat"]\n'
    ).staff.ladder
    assert [step.after for step in ladder] == [After(worktime=timedelta(hours=4)), After(1)]
    assert [str(step.after) for step in ladder] == ["4 working hours", "1 workday"]


def test_an_empty_ladder_is_none_at_all() -> None:
    assert read("[staff]\nladder = []\n").staff.ladder == ()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[[staff.ladder]]\nafter = "4 hours"\nto = "head"\n', "config.ladder_after"),
        ('[[staff.ladder]]\nafter = 4\nto = "head"\n', "config.ladder_after"),
        (
            '[[staff.ladder]]\nafter = "2 workdays"\nto = "head"\n[[staff.ladder]]\nafter = "1 workday"\nto = "head"\n',
            "config.ladder_order",
        ),
        ('[[staff.ladder]]\nafter = "1 workday"\nto = "boss"\n', "config.want_one_of"),
        ('[staff]\ndigest_channels = ["sms"]\n', "config.want_one_of"),
        ('[departments."客服部"]\nhaed = "李四"\n', "config.unknown_key_near"),
    ],
)
def test_a_mistake_is_named(text: str, key: str) -> None:
    with pytest.raises(ConfigError) as failed:
        read(text)
    assert failed.value.key == key


def test_departments_have_the_names_of_tasks() -> None:
    department = read('[departments."客服部"]\nhead = "李四"\nchat = "客服部"\n').departments["客服部"]
    assert (department.head, department.manager, department.chat, department.digest) == ("李四", None, "客服部", True)
