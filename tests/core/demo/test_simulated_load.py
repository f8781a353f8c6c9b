"""A simulated city: the load of a configuration, by day, channel and department."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from keguan.demo.load import Load, as_document, busiest_days
from keguan.demo.simulation import simulate
from keguan.demo.years import Part, Period, simulate_part
from keguan.settings import Settings, default_text, parse_settings

START, END = date(2024, 1, 1), date(2024, 12, 31)
YEAR = Period(START, END, homes=30, seed=3)


def configured(folder: Path, text: str | None = None) -> Settings:
    return parse_settings(text or default_text(), folder / "config" / "keguan.toml", {})


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    return simulate(configured(tmp_path_factory.mktemp("site")), YEAR)


def test_the_same_city_brings_the_same_load(load: Load, tmp_path: Path) -> None:
    assert simulate(configured(tmp_path), YEAR) == load


def totals(load: Load) -> dict[str, Counter[str]]:
    """Return messages and tasks by channel and department, over all days."""
    found: dict[str, Counter[str]] = {"messages": Counter(), "tasks": Counter()}
    for kind, counts in (("messages", load.messages), ("tasks", load.tasks)):
        for (_, name), count in counts.items():
            found[kind][name] += count
    return found


def test_projects_shared_out_over_processes_bring_the_same_load(load: Load, tmp_path: Path) -> None:
    parts = [simulate_part(configured(tmp_path), YEAR, Part(number, 3)) for number in range(3)]
    assert all(part.homes == 10 for part in parts)
    together = parts[0]
    for part in parts[1:]:
        together.merge(part)
    # Staff look up when anything wakes them: what follows on a task may come a day later where they are woken less.
    assert totals(together) == totals(load)
    assert sum(together.segments.values()) == sum(load.segments.values())
    assert replace(together, messages=load.messages, tasks=load.tasks, segments=load.segments) == load


def test_real_processes_bring_it_too(tmp_path: Path) -> None:
    quarter = Period(START, date(2024, 3, 31), homes=6)
    assert simulate(configured(tmp_path), quarter, processes=2) == simulate(configured(tmp_path), quarter)


def test_it_counts_homes_contracts_and_work(load: Load) -> None:
    assert load.homes == 30
    assert load.contracts >= 30
    assert "sms" in {channel for _, channel in load.messages}
    assert "客关" in {department for _, department in load.tasks}
    assert sum(load.messages.values()) == sum(load.messages_of.values()) > 0
    assert sum(load.tasks.values()) == sum(load.tasks_of.values()) > 0
    assert not load.failures


def test_tasks_are_done_but_those_whose_deadline_is_to_come(load: Load) -> None:
    still = sum(count for (day, _), count in load.tasks.items() if day > END)
    assert sum(load.open.values()) <= still
    assert sum(count for (day, _), count in load.tasks.items() if day <= END) > 0


def test_messages_leave_on_days_of_the_period(load: Load) -> None:
    assert all(START <= day <= END for day, _ in load.messages)


def test_a_plugin_that_is_off_brings_no_load(tmp_path: Path) -> None:
    text = default_text().replace("[plugins.sixplustwo]\nenabled = true", "[plugins.sixplustwo]\nenabled = false")
    assert "enabled = false" in text
    idle = simulate(configured(tmp_path, text), Period(START, date(2024, 4, 30), homes=5))
    assert not idle.messages
    assert not idle.tasks


def test_projects_stand_where_they_are_put(tmp_path: Path) -> None:
    elsewhere = default_text().replace('# cities = ["shenzhen"]', 'cities = ["wuhan"]', 1)
    period = Period(START, date(2024, 6, 30), homes=6)
    assert elsewhere != default_text()
    assert not simulate(configured(tmp_path, elsewhere), replace(period, cities=("shenzhen",))).messages
    assert simulate(configured(tmp_path, elsewhere), replace(period, cities=("wuhan",))).messages


def test_nothing_is_left_behind_and_nothing_real_is_touched(tmp_path: Path) -> None:
    simulate(configured(tmp_path), Period(START, date(2024, 3, 31), homes=2))
    assert list(tmp_path.iterdir()) == []


def test_progress_reaches_the_last_day(tmp_path: Path) -> None:
    steps: list[int] = []
    simulate(configured(tmp_path), Period(START, date(2024, 3, 31), homes=4), steps.append)
    assert all(step > 0 for step in steps)
    assert sum(steps) == 90


def test_the_document_adds_up(load: Load) -> None:
    document = as_document(load, START, END, 0.05, "zh")
    by_day = sum(sum(day["messages"].values()) for day in document["days"])
    assert by_day == sum(row["total"] for row in document["channels"])
    assert sum(sum(day["tasks"].values()) for day in document["days"]) == sum(
        row["total"] for row in document["departments"]
    )
    assert document["sms"]["segments"] == sum(day["segments"] for day in document["days"])
    assert document["sms"]["cost"] == pytest.approx(document["sms"]["segments"] * 0.05)
    assert document["open"] == sum(row["open"] for row in document["departments"])
    for row in document["departments"]:
        busiest = row["busiest"]
        most = max(day["tasks"].get(row["department"], 0) for day in document["days"])
        assert busiest["total"] == most
        assert (
            next(day for day in document["days"] if day["date"] == busiest["date"])["tasks"][row["department"]] == most
        )
        assert row["per_day"] == pytest.approx(row["total"] / 366, abs=0.005)


def test_touchpoints_begin_with_the_one_that_makes_most_work(load: Load) -> None:
    rows = as_document(load, START, END, 0.05, "zh")["touchpoints"]
    work = [row["messages"] + row["tasks"] for row in rows]
    assert work == sorted(work, reverse=True)
    assert sum(work) == sum(load.messages.values()) + sum(load.tasks.values())
    assert {row["label"] for row in rows if row["action"] == "sms_congratulation"} == {"签约恭贺短信"}


def test_the_busiest_days_come_first() -> None:
    load = Load()
    load.messages.update({(date(2024, 1, 2), "sms"): 3, (date(2024, 1, 3), "sms"): 1})
    load.tasks[date(2024, 1, 3), "客关"] = 7
    document = as_document(load, START, END, 0.05, "zh")
    assert busiest_days(document, most=1) == [{"date": date(2024, 1, 3), "messages": 1, "tasks": 7}]
