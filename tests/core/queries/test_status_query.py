"""How things stand: what is counted, and what is ill."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import insert
from tests.support.estate import Estate, at

from keguan.queries.status import read_status
from keguan.store.schema import daemons, plugins


def status(estate: Estate) -> dict[str, Any]:
    return read_status(estate.reader())


def daemon(estate: Estate, heartbeat: datetime, **values: object) -> None:
    with estate.store.write() as connection:
        connection.execute(
            insert(daemons).values(
                id=1, host="kg1", pid=42, started_at=at("2026-03-01T08:00"), heartbeat_at=heartbeat, **values
            )
        )


def test_an_installation_that_never_ran_is_healthy(estate: Estate) -> None:
    now = status(estate)
    assert (now["daemon"], now["last_tick"], now["healthy"], now["problems"]) == (None, {}, True, [])


def test_everything_that_waits_is_counted(estate: Estate) -> None:
    person = estate.person()
    estate.plan()
    estate.plan(due=at("2026-03-02T09:01"))
    estate.plan(status="held")
    for state in ("queued", "held", "held", "in_doubt", "sent"):
        estate.message(person, state)
    estate.message(person, "dead", why="gate.no_address")
    estate.task(due=at("2026-03-01T18:00"))
    estate.task(due=at("2026-03-03T18:00"))
    estate.task(status="done", due=at("2026-03-01T18:00"))
    estate.event("fresh", state="new")
    estate.event("tick/1", "tick", ("day", date(2026, 3, 1).toordinal()))
    estate.event("tick/2", "tick", ("day", date(2026, 3, 2).toordinal()))
    now = status(estate)
    counts = {name: value for name, value in now.items() if isinstance(value, int) and not isinstance(value, bool)}
    assert counts == {
        "due": 1,
        "held_plans": 1,
        "failed_plans": 0,
        "queued": 1,
        "held": 2,
        "in_doubt": 1,
        "dead": 1,
        "stuck": 0,
        "open_tasks": 2,
        "overdue_tasks": 1,
        "new_events": 1,
        "failed_deliveries": 0,
    }
    assert now["last_tick"] == {"shenzhen": date(2026, 3, 2)}
    assert now["healthy"]


@pytest.mark.parametrize(
    ("heartbeat", "stopped_at", "state", "problems"),
    [
        ("2026-03-02T08:59:55", None, "running", []),
        ("2026-03-02T08:30", None, "lost", ["daemon_lost"]),
        ("2026-03-02T08:30", "2026-03-02T08:30", "stopped", []),
    ],
)
def test_a_daemon_that_fell_silent_without_stopping_is_ill(
    estate: Estate, heartbeat: str, stopped_at: str | None, state: str, problems: list[str]
) -> None:
    daemon(estate, at(heartbeat), stopped_at=at(stopped_at) if stopped_at else None)
    now = status(estate)
    assert (now["daemon"]["state"], now["problems"]) == (state, problems)


def test_a_refused_configuration_is_ill_and_says_why(estate: Estate) -> None:
    daemon(estate, at("2026-03-02T08:59:59"), reload_error="unknown key")
    now = status(estate)
    assert (now["daemon"]["heartbeat_age"], now["daemon"]["reload_error"]) == (1, "unknown key")
    assert now["problems"] == ["reload_error"]


def test_what_a_plugin_or_an_adapter_gave_up_is_ill(estate: Estate) -> None:
    estate.event("e-1", taken={"sixplustwo": "failed"}, error="boom")
    estate.plan(status="failed")
    estate.message(estate.person(), "dead", error="550 refused")
    estate.message(estate.person(), "queued", created_at=at("2026-03-02T07:00"))
    with estate.store.write() as connection:
        connection.execute(
            insert(plugins).values(
                name="wuhan", hooks=[], requires=[], suspended_at=at("2026-03-02T07:00"), suspended_why="hung twice"
            )
        )
    now = status(estate)
    assert now["problems"] == ["suspended_plugins", "failed_deliveries", "failed_plans", "stuck", "dead"]
    assert now["suspended_plugins"] == [{"name": "wuhan", "since": at("2026-03-02T07:00"), "why": "hung twice"}]
