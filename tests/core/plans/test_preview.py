"""``preview``: what a day will bring, told without touching anything, and borne out by the day itself."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from keguan.building import build_engine, build_installation, open_database
from keguan.clock import VirtualClock
from keguan.demo.life import live
from keguan.installation import Installation
from keguan.plans.preview import preview_day
from keguan.queries.reader import Reader
from keguan.runner.scopes import apply_scopes
from keguan.settings import load_settings
from keguan.store.engine import Store

# On that evening contracts of this city were signed; what follows from them is still to come.
END, EVE = date(2025, 12, 31), date(2025, 5, 16)
DAYS = [EVE + timedelta(days=n) for n in range(1, 12)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    lived = live(folder, 30, END, "zh", years=1, until=EVE)
    lived.installation.close()
    return folder


@pytest.fixture
def tomorrow(site: Path, tmp_path: Path) -> Iterator[tuple[Installation, VirtualClock]]:
    """A copy of the city on the evening before, with its clock."""
    folder = tmp_path / "site"
    shutil.copytree(site, folder)
    settings = load_settings(folder / "config" / "keguan.toml", {})
    clock = VirtualClock(settings.city("shenzhen").at(EVE, time(23, 59)))
    installation = build_installation(settings, open_database(settings), clock)
    apply_scopes(installation)
    yield installation, clock
    installation.close()


def preview(installation: Installation, day: date | None = None) -> list[dict[str, Any]]:
    reader = Reader(installation.store, installation.settings, installation.clock.now(), "en")
    return list(preview_day(installation, reader, day))


def contents(store: Store) -> dict[str, list[Any]]:
    """Every row of every table."""
    with store.read() as connection:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
        return {name: list(connection.execute(text(f"SELECT * FROM {name}"))) for name in names}


def outcome(installation: Installation, since: datetime, until: datetime) -> Counter[tuple[str, str]]:
    """What was really sent, suppressed and opened between two instants: (channel, key's action).

    Letters to staff follow from the tasks that are open then, and no plan says so beforehand.
    """
    found: Counter[tuple[str, str]] = Counter()
    micro = [int(at.timestamp()) * 1_000_000 for at in (since, until)]
    with installation.store.read() as connection:
        for table, channel in (("messages", "channel"), ("tasks", "'task'")):
            statement = f"SELECT {channel}, action FROM {table} WHERE plugin <> 'keguan'"
            period = " AND created_at > :a AND created_at <= :b"
            for row in connection.execute(text(statement + period), {"a": micro[0], "b": micro[1]}):
                found[tuple(row)] += 1
    return found


@pytest.mark.parametrize("day", DAYS[:6], ids=str)
def test_the_day_brings_what_was_previewed(tomorrow: tuple[Installation, VirtualClock], day: date) -> None:
    installation, clock = tomorrow
    engine = build_engine(installation)
    city = installation.city("shenzhen")
    engine.fast_forward(clock, city.at(day - timedelta(days=1), time(23, 59)))
    told = preview(installation, day)
    before = clock.now()
    engine.fast_forward(clock, city.at(day, time(23, 59)))
    assert Counter((row["channel"], row["action"]) for row in told if row["channel"]) == outcome(
        installation, before, clock.now()
    )


def test_some_day_brings_messages_and_some_day_tasks(tomorrow: tuple[Installation, VirtualClock]) -> None:
    installation, _ = tomorrow
    rows = [row for day in DAYS for row in preview(installation, day)]
    assert {"sms", "task"} <= {row["channel"] for row in rows}
    message = next(row for row in rows if row["channel"] == "sms")
    assert message["text"].startswith("【云璟地产】")
    assert message["status"] == "queued"
    assert "****" in message["to"]
    assert message["time"].timetz().replace(tzinfo=None) == time(9, 30)
    task = next(row for row in rows if row["channel"] == "task")
    assert (task["status"], task["to"]) == ("open", None)


def test_rows_come_in_the_order_of_time(tomorrow: tuple[Installation, VirtualClock]) -> None:
    installation, _ = tomorrow
    for day in DAYS:
        times = [row["time"] for row in preview(installation, day)]
        assert times == sorted(times)
        assert all(at.date() == day for at in times)


def test_nothing_is_written(tomorrow: tuple[Installation, VirtualClock]) -> None:
    installation, _ = tomorrow
    before = contents(installation.store)
    outbox = sorted(installation.settings.path("var/outbox").rglob("*"))
    for day in DAYS:
        preview(installation, day)
    assert contents(installation.store) == before
    assert sorted(installation.settings.path("var/outbox").rglob("*")) == outbox


def test_today_has_what_is_overdue(tomorrow: tuple[Installation, VirtualClock]) -> None:
    installation, clock = tomorrow
    clock.advance(timedelta(days=3))  # nobody was there
    told = preview(installation)
    assert any(row["status"] == "missed" for row in told) or any(row["channel"] for row in told)
    assert all(row["time"] >= clock.now() for row in told)


def test_the_gate_is_asked(tomorrow: tuple[Installation, VirtualClock]) -> None:
    installation, _ = tomorrow
    day = next(day for day in DAYS if any(row["channel"] == "sms" for row in preview(installation, day)))
    with installation.store.write() as connection:
        connection.execute(
            text(
                "INSERT INTO permissions (person_id, channel, message_class, granted, at, source) "
                "SELECT id, '*', '*', 0, 0, 'test' FROM people WHERE id NOT IN (SELECT person_id FROM permissions)"
            )
        )
    refused = [row for row in preview(installation, day) if row["channel"] == "sms"]
    assert {row["status"] for row in refused} == {"suppressed"}
    assert {row["why"] for row in refused} == {"the person has opted out"}
    with installation.store.write() as connection:
        connection.execute(text("UPDATE people SET phone = NULL"))
    actions = {row["action"] for row in refused}
    nowhere = [row for row in preview(installation, day) if row["action"] in actions]
    # They would be mailed, which they do not want either; whoever has no address is called.
    assert {(row["channel"], row["status"]) for row in nowhere} == {("email", "suppressed"), ("task", "open")}
