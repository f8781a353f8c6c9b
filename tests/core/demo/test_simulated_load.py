"""A simulated city: the load of a configuration, by day, channel and department."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from keguan.demo.load import as_document
from keguan.demo.simulation import Load, simulate
from keguan.settings import Settings, default_text, parse_settings

START, END = date(2024, 1, 1), date(2024, 12, 31)


def configured(folder: Path, text: str | None = None) -> Settings:
    return parse_settings(text or default_text(), folder / "config" / "keguan.toml", {})


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    return simulate(configured(tmp_path_factory.mktemp("site")), START, END, homes=30, seed=3)


def test_the_same_city_brings_the_same_load(load: Load, tmp_path: Path) -> None:
    again = simulate(configured(tmp_path), START, END, homes=30, seed=3)
    assert (again.messages, again.tasks, again.segments) == (load.messages, load.tasks, load.segments)


def test_it_counts_what_the_engine_did(load: Load) -> None:
    assert sum(load.messages.values()) == load.settled.sent > 0
    assert sum(load.tasks.values()) == load.settled.tasks > 0
    assert load.settled.failures == []
    assert {channel for _, channel in load.messages} == {"sms"}
    assert {department for _, department in load.tasks} == {"客关"}


def test_messages_leave_on_days_of_the_period(load: Load) -> None:
    assert all(START <= day <= END for day, _ in load.messages)


def test_a_plugin_that_is_off_brings_no_load(tmp_path: Path) -> None:
    text = default_text().replace("[plugins.sixplustwo]\nenabled = true", "[plugins.sixplustwo]\nenabled = false")
    assert "enabled = false" in text
    idle = simulate(configured(tmp_path, text), START, date(2024, 4, 30), homes=5)
    assert not idle.messages
    assert not idle.tasks


def test_nothing_is_left_behind_and_nothing_real_is_touched(tmp_path: Path) -> None:
    simulate(configured(tmp_path), START, date(2024, 3, 31), homes=2)
    assert list(tmp_path.iterdir()) == []


def test_progress_reaches_the_last_day_on_which_something_came_in(tmp_path: Path) -> None:
    steps: list[int] = []
    simulate(configured(tmp_path), START, date(2024, 6, 30), homes=4, progress=steps.append)
    assert all(step >= 0 for step in steps)
    assert 0 < sum(steps) <= 181


def test_the_document_adds_up(load: Load) -> None:
    document = as_document(load, START, END, segment_price=0.05)
    by_day = sum(sum(day["messages"].values()) for day in document["days"])
    assert by_day == sum(row["total"] for row in document["channels"])
    assert sum(sum(day["tasks"].values()) for day in document["days"]) == sum(
        row["total"] for row in document["departments"]
    )
    assert document["sms"]["segments"] == sum(day["segments"] for day in document["days"])
    assert document["sms"]["cost"] == pytest.approx(document["sms"]["segments"] * 0.05)
    for row in document["departments"]:
        busiest = row["busiest"]
        most = max(day["tasks"].get(row["department"], 0) for day in document["days"])
        assert busiest["total"] == most
        assert (
            next(day for day in document["days"] if day["date"] == busiest["date"])["tasks"][row["department"]] == most
        )
        assert row["per_day"] == pytest.approx(row["total"] / 366, abs=0.005)
