"""What is taken away when its time is over, and what is not."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, insert, update
from tests.support.estate import Estate, at

from keguan.people import retention
from keguan.people.retention import Purge
from keguan.settings import Settings, parse_settings
from keguan.store.engine import Store
from keguan.store.schema import accesses, evidence, messages, owners, people, privacy_log, tasks
from keguan.tasks.evidence import evidence_file

NOW = at("2026-03-02T09:00")
YEAR = timedelta(days=365)


@pytest.fixture
def estate(store: Store) -> Estate:
    return Estate(store, NOW)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return parse_settings("[cities.shenzhen]\nname = '深圳'\n", tmp_path / "config" / "keguan.toml", {})


def rows(estate: Estate, table: Table) -> list[Any]:
    return sorted(estate.rows(table), key=lambda row: row.id)


def purge(estate: Estate, settings: Settings, now: datetime = NOW) -> dict[str, int]:
    work = Purge(estate.store, settings, now)
    for _ in work.steps():
        pass
    work.record("li")
    return {name: count for name, count in work.counts.items() if count}


def test_old_texts_go_and_their_messages_stay_as_counts(estate: Estate, settings: Settings) -> None:
    person = estate.person()
    old = estate.message(person, "sent", body="旧的", created_at=NOW - 3 * YEAR)
    waiting = estate.message(person, "held", body="旧的", created_at=NOW - 3 * YEAR)
    young = estate.message(person, "sent", body="新的", created_at=NOW - YEAR)
    assert Purge(estate.store, settings, NOW).preview() == {"messages": 2}
    assert estate.one(messages, old).body == "旧的"
    assert purge(estate, settings) == {"messages": 2}
    assert [(row.body, row.status) for row in rows(estate, messages)] == [
        ("*", "sent"),
        ("*", "dropped"),
        ("新的", "sent"),
    ]
    assert estate.one(messages, waiting).why == "privacy.retention"
    assert estate.one(messages, young).to_masked is None


def test_letters_to_staff_go_after_weeks_and_those_to_customers_do_not(estate: Estate, settings: Settings) -> None:
    then = NOW - timedelta(days=61)
    letter = estate.message(None, "sent", body="今日工作", plugin="keguan", department="客关", created_at=then)
    to_customer = estate.message(estate.person(), "sent", body="您好", created_at=then)
    assert purge(estate, settings) == {"letters": 1}
    assert (estate.one(messages, letter).body, estate.one(messages, to_customer).body) == ("*", "您好")


def test_the_next_purge_looks_only_at_what_has_come_of_age_since(estate: Estate, settings: Settings) -> None:
    person = estate.person()
    estate.message(person, "sent", body="一", created_at=NOW - 3 * YEAR)
    estate.message(person, "sent", body="二", created_at=NOW - YEAR)
    assert purge(estate, settings) == {"messages": 1}
    assert purge(estate, settings) == {}
    assert purge(estate, settings, NOW + 2 * YEAR) == {"messages": 1}
    records = [row for row in rows(estate, privacy_log) if row.what == "purge"]
    assert [(row.who, row.counts.get("messages", 0)) for row in records] == [("li", 1), ("li", 0), ("li", 1)]


def test_a_purge_that_was_ended_takes_away_the_rest_when_it_is_begun_again(
    estate: Estate, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_BATCH", 2)
    person = estate.person()
    for _ in range(5):
        estate.message(person, "sent", body="旧的", created_at=NOW - 3 * YEAR)
    next(Purge(estate.store, settings, NOW).steps())  # one batch; then the power goes
    assert [row.body for row in rows(estate, messages)].count("*") == 2
    purge(estate, settings)
    assert [row.body for row in rows(estate, messages)].count("*") == 5


def test_the_access_log_stays_half_a_year_at_least(estate: Estate, settings: Settings) -> None:
    with estate.store.write() as connection:
        for days in (400, 179):
            connection.execute(insert(accesses).values(at=NOW - timedelta(days=days), who="li", what="x", rows=1))
    assert purge(estate, settings) == {"accesses": 1}
    assert len(rows(estate, accesses)) == 1


def test_free_text_of_closed_tasks_goes_and_open_ones_are_left_alone(estate: Estate, settings: Settings) -> None:
    old: dict[str, Any] = {"closed_at": NOW - 4 * YEAR, "result": "业主说……"}
    estate.task(status="done", **old)
    estate.task(status="open", reason="等业主")
    estate.task(status="done", closed_at=NOW - YEAR, result="新的")
    assert purge(estate, settings) == {"tasks": 1}
    assert [(row.status, row.result, row.reason) for row in rows(estate, tasks)] == [
        ("done", "*", None),
        ("open", None, "等业主"),
        ("done", "新的", None),
    ]


def test_an_evidence_file_goes_when_no_younger_task_needs_it(estate: Estate, settings: Settings) -> None:
    alone, shared = (hashlib.sha256(name).hexdigest() for name in (b"alone", b"shared"))
    task = estate.task(status="done")
    younger = estate.task(status="done")
    with estate.store.write() as connection:
        for number, sha256, when in ((task, alone, 6), (task, shared, 6), (younger, shared, 1)):
            connection.execute(
                insert(evidence).values(
                    task_id=number, filename="签字.pdf", sha256=sha256, size=1, added_at=NOW - when * YEAR
                )
            )
    folder = settings.path("var/evidence")
    for each in (alone, shared):
        evidence_file(folder, each).parent.mkdir(parents=True, exist_ok=True)
        evidence_file(folder, each).write_bytes(b"x")
    assert purge(estate, settings) == {"evidence": 2}
    assert [evidence_file(folder, each).exists() for each in (alone, shared)] == [False, True]
    assert [row.filename for row in rows(estate, evidence)] == ["*", "*", "签字.pdf"]


def test_who_has_owned_nothing_for_five_years_is_forgotten(estate: Estate, settings: Settings) -> None:
    project = estate.project()
    gone, moved, owner = (estate.person(name) for name in ("甲某", "乙某", "丙某"))
    estate.contract("1", project, None, [gone], owned_until=(NOW - 6 * YEAR).date())
    estate.contract("2", project, None, [moved], owned_until=(NOW - 6 * YEAR).date())
    estate.contract("3", project, None, [moved, owner])
    assert purge(estate, settings) == {"people": 1}
    assert [row.name for row in rows(estate, people)] == [None, "乙某", "丙某"]
    assert len(rows(estate, owners)) == 4
    assert purge(estate, settings) == {}


def test_nobody_is_forgotten_who_works_here(estate: Estate, settings: Settings) -> None:
    member = estate.employee("小王")
    contract = estate.contract("1", estate.project(), None, [rows(estate, people)[0].id])
    with estate.store.write() as connection:
        connection.execute(update(owners).where(owners.c.contract_id == contract).values(until=(NOW - 9 * YEAR).date()))
    assert purge(estate, settings) == {}
    assert member


def test_files_of_the_file_adapter_go_by_their_day(estate: Estate, settings: Settings) -> None:
    for day in ("2023-01-05", "2026-02-01"):
        folder = settings.path("var/outbox") / day
        folder.mkdir(parents=True)
        (folder / "message.txt").write_text("13800138000")
    assert Purge(estate.store, settings, NOW).preview() == {"files": 1}
    assert purge(estate, settings) == {"files": 1}
    assert [day.name for day in settings.path("var/outbox").iterdir()] == ["2026-02-01"]


def test_what_is_kept_for_ever_is_kept(estate: Estate, tmp_path: Path) -> None:
    text = "[privacy.retention]\nmessages = 0\n"
    settings = parse_settings(text, tmp_path / "config" / "keguan.toml", {})
    estate.message(estate.person(), "sent", body="旧的", created_at=NOW - 30 * YEAR)
    assert purge(estate, settings) == {}


def test_files_that_came_in_go_by_when_they_came_and_not_by_when_they_were_written(
    estate: Estate, tmp_path: Path
) -> None:
    text = "[cities.shenzhen]\nname = '深圳'\n[drop]\nfolder = 'var/drop'\n"
    settings = parse_settings(text, tmp_path / "config" / "keguan.toml", {})
    young, old = f"{NOW:%Y%m%dT%H%M%S}-sales.csv", f"{NOW - 2 * YEAR:%Y%m%dT%H%M%S}-sales.csv"
    taken = [
        tmp_path / "var" / place for place in ("drop/done/contracts", "drop/failed/staff", "mail/sales/done/events")
    ]
    for folder in taken:
        folder.mkdir(parents=True)
        for name in (young, old, f"{old}.report.txt"):
            (folder / name).write_text("王小明")
            os.utime(folder / name, (0, 0))  # an export of long ago
    assert purge(estate, settings) == {"files": 2 * len(taken)}
    assert [[file.name for file in folder.iterdir()] for folder in taken] == [[young]] * len(taken)
