"""How things stand: what is counted, and what is ill."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import insert, update
from tests.support.estate import Estate, at

from keguan.queries.status import read_status
from keguan.store.schema import daemons, gateways, mails, plugins


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
        "suppressed_addresses": 0,
        "failed_files": 0,
        "refused_mails": 0,
    }
    assert now["allow_list"] is None
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


def gateway(estate: Estate, name: str, **values: object) -> None:
    with estate.store.write() as connection:
        connection.execute(insert(gateways).values(name=name, **values))


def test_what_rules_keep_back_is_counted_by_rule_and_never_by_the_words_of_a_person(estate: Estate) -> None:
    person = estate.person()
    for why in ("gate.quiet_hours", "gate.quiet_hours", "gate.per_day", "王小明 asked us to wait"):
        estate.message(person, "held", why=why)
    estate.message(person, "suppressed", why="gate.opted_out")
    estate.message(person, "sent", why="gate.per_week")
    now = status(estate)
    assert now["held"] == 4
    assert now["held_by_rule"] == {"gate.per_day": 1, "gate.quiet_hours": 2}
    assert now["suppressed_by_rule"] == {"gate.opted_out": 1}
    assert now["healthy"]


def test_a_gateway_that_refuses_its_configuration_is_ill_while_it_rests_and_one_at_its_limit_is_not(
    estate: Estate,
) -> None:
    rests = {"paused_until": at("2026-03-02T09:10"), "last_error_at": at("2026-03-02T08:59")}
    gateway(estate, "file", paused_by="limit", last_error="code 17 for 13800138000", **rests)
    gateway(estate, "forgotten", paused_by="configuration", last_error="wrong key", **rests)
    now = status(estate)
    assert now["problems"] == []
    (shown,) = now["gateways"]
    assert (shown["name"], shown["paused_by"], shown["paused_until"]) == ("file", "limit", rests["paused_until"])
    assert "13800138000" not in shown["last_error"]
    with estate.store.write() as connection:
        connection.execute(update(gateways).values(paused_by="configuration"))
    assert status(estate)["problems"] == ["gateways"]
    later = read_status(estate.reader(now=at("2026-03-02T09:11")))
    assert later["problems"] == []


def test_mails_that_were_refused_count_since_yesterday_began(estate: Estate) -> None:
    with estate.store.write() as connection:
        for uid, (when, outcome) in enumerate(
            [
                ("2026-02-28T23:59", "refused"),
                ("2026-03-01T00:00", "refused"),
                ("2026-03-02T08:00", "refused"),
                ("2026-03-02T08:00", "imported"),
            ]
        ):
            connection.execute(
                insert(mails).values(mailbox="sales", uid_validity=1, uid=uid, at=at(when), outcome=outcome)
            )
    assert status(estate)["refused_mails"] == 2


def test_the_lag_is_that_of_the_oldest_due_work(estate: Estate) -> None:
    estate.plan(due=at("2026-03-02T09:30"))
    assert status(estate)["lag_seconds"] == 0
    estate.plan(due=at("2026-03-02T08:58"))
    estate.message(estate.person(), due=at("2026-03-02T08:59"))
    assert status(estate)["lag_seconds"] == 120
