"""What the calendar answers on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.cli import Desk

CONFIG = """
[company]
name = "云璟地产"
[cities.shenzhen]
name = "深圳"
[cities.wuhan]
name = "武汉"
work_week = ["mon", "tue", "wed", "thu", "fri", "sat"]
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write_config(CONFIG)
    return desk


def test_a_make_up_saturday_is_worked_and_a_year_nobody_announced_is_provisional(desk: Desk) -> None:
    make_up, next_year = desk.ask("calendar", "day", "2026-10-10", "2027-03-01")
    assert (make_up["working"], make_up["provisional"]) == (True, False)
    assert (next_year["working"], next_year["provisional"]) == (True, True)


def test_the_third_working_day_after_the_eve_of_national_day(desk: Desk) -> None:
    # 1 to 7 October 2026 are off; 8, 9 and the make-up Saturday 10 are worked
    assert desk.ask("calendar", "add", "2026-09-30", "--workdays", "3")["result"] == "2026-10-10"
    assert desk.ask("calendar", "between", "2026-09-30", "2026-10-10")["workdays"] == 3


def test_a_city_with_a_six_day_week_counts_its_saturdays(desk: Desk) -> None:
    assert desk.ask("calendar", "add", "2026-03-06", "--workdays", "1")["result"] == "2026-03-09"
    assert desk.ask("calendar", "add", "2026-03-06", "--workdays", "1", "--city", "武汉")["result"] == "2026-03-07"


def test_a_loaded_notice_wins_and_ends_the_provisional_state(desk: Desk, tmp_path: Path) -> None:
    notice = tmp_path / "2027.csv"
    notice.write_text("日期,类型,名称\n2027-03-01,休息日,公司庆典\n", encoding="gb18030")
    loaded = desk.ask("calendar", "load", str(notice))
    assert loaded == {"file": str(notice), "days": 1, "scope": "national", "announced_years": [2027], "moved": 0}
    day = desk.ask("calendar", "day", "2027-03-01")[0]
    assert (day["working"], day["provisional"], day["name"]) == (False, False, "公司庆典")


def test_a_citys_own_day_off_holds_there_only(desk: Desk, tmp_path: Path) -> None:
    table = tmp_path / "wuhan.csv"
    table.write_text("date,working,name\n2026-03-02,no,台风\n", encoding="utf-8")
    desk.ask("calendar", "load", str(table), "--city", "wuhan")
    assert desk.ask("calendar", "day", "2026-03-02", "--city", "武汉")[0]["working"] is False
    assert desk.ask("calendar", "day", "2026-03-02", "--city", "深圳")[0]["working"] is True


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("calendar", "day", "2026-02-30"), "2026-02-30"),
        (("calendar", "day", "2026-03-02", "--city", "上海"), "上海"),
        (("calendar", "add", "2026-03-02"), "--workdays"),
    ],
)
def test_wrong_words_are_one_line_and_status_two(desk: Desk, words: tuple[str, ...], said: str) -> None:
    answer = desk.type(*words)
    assert answer.status == 2
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1
    assert said in answer.err


def test_a_wrong_line_of_a_table_is_named_and_nothing_is_loaded(desk: Desk, tmp_path: Path) -> None:
    table = tmp_path / "bad.csv"
    table.write_text("date,working\n2026-03-02,no\n2026-03-99,no\n", encoding="utf-8")
    answer = desk.type("calendar", "load", str(table))
    assert answer.status == 1
    assert "3" in answer.err
    assert desk.ask("calendar", "day", "2026-03-02")[0]["working"] is True
