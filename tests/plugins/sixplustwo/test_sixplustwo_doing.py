"""Meetings, gates, letters and call-backs in a city that lives through them: from the plan to what was done."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import select

import keguan_sixplustwo
from keguan.authoring.paperwork import Paperwork
from keguan.cli.app import App
from keguan.intake.facts import PersonFacts
from keguan.queries.reader import Reader
from keguan.store.schema import homes as homes_table
from keguan.store.schema import tasks
from keguan.testing import SampleCity
from keguan_sixplustwo.tally_commands import tally_commands

Build = Callable[..., SampleCity]


@pytest.fixture
def city(sample_city: Build) -> SampleCity:
    return sample_city({"sixplustwo": keguan_sixplustwo})


def open_tasks(city: SampleCity, action: str) -> list[tuple[str, str]]:
    """Title and department of the open tasks of an action."""
    statement = select(tasks.c.title, tasks.c.department).where(tasks.c.action == action, tasks.c.status == "open")
    with city.store.read() as connection:
        return [tuple(row) for row in connection.execute(statement.order_by(tasks.c.id))]


def typed(city: SampleCity, *words: str) -> Any:
    """Type ``keguan --json sixplustwo WORDS`` in the city and return the document."""
    app = App(as_json=True)
    reader = Reader(city.store, city.installation.settings, city.clock.now(), "en")
    app.__dict__ |= {
        "installation": city.installation, "reader": reader, "clock": city.clock, "settings": city.installation.settings
    }  # fmt: skip
    known = click.Group(commands={command.name or "": command for command in tally_commands()})
    answer = CliRunner().invoke(known, list(words), obj=app, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.output)


def test_the_letter_goes_once_to_everybody_who_waits_when_it_was_approved(city: SampleCity) -> None:
    project = city.project(launch_on=city.today - timedelta(days=55))
    city.sign("1201")
    city.sign("1202")  # the same buyer once more
    city.sign("1203", buyer=PersonFacts("李华", "+8613800138001"))
    city.run_until(city.today + timedelta(days=2))
    city.finish("progress_letter", project, sms_text="主体已封顶", email_text="主体结构已经封顶。", approved=True)
    city.run_until(city.today + timedelta(days=1))
    told = [sent for sent in city.sent if "封顶" in sent.text]
    assert len(told) == 3  # a text message to each of the two, and an e-mail to the one who has an address
    city.expect("progress_letter_sending", project, "kept")


def test_a_letter_that_was_not_approved_reaches_nobody_and_says_why(city: SampleCity) -> None:
    project = city.project(launch_on=city.today - timedelta(days=55))
    city.sign("1201")
    city.run_until(city.today + timedelta(days=2))
    city.finish("progress_letter", project, sms_text="主体已封顶", approved=False)
    city.run_until(city.today + timedelta(days=1))
    assert [sent for sent in city.sent if "封顶" in sent.text] == []
    city.expect("progress_letter_sending", project, "missed", why="not approved")


def test_a_site_whose_assessment_failed_is_blocked_and_opens_on_its_new_day(city: SampleCity) -> None:
    project = city.project(planned_handover_on=city.today + timedelta(days=60), fitting="bare")
    city.run_until(city.today + timedelta(days=3))
    city.finish("site_opening_assessment", project, passed=False)
    city.run_until(city.today + timedelta(days=20))
    city.expect("site_opening", project, "missed", why="failed")
    [(title, department)] = open_tasks(city, "site_opening_assessment_decision")
    assert "postpone or cancel" in title
    assert department == "客关"
    new_day = city.today + timedelta(days=10)
    city.finish("site_opening_assessment_decision", project, decision="postpone", new_date=new_day, passed=True)
    city.run_until(city.today + timedelta(days=1))
    assert len(open_tasks(city, "site_opening_postponed")) == 1


def test_what_a_meeting_agreed_is_followed_once_whoever_closes_the_notice_last(city: SampleCity) -> None:
    city.project(handed_over_on=city.today - timedelta(days=200))
    wait_for(city, "owner_talk")
    assert len(open_tasks(city, "owner_talk")) == 2
    year = city.today.year
    with city.store.read() as connection:
        notice, meeting = connection.execute(
            select(tasks.c.id).where(tasks.c.action == "owner_talk").order_by(tasks.c.id)
        ).scalars()
    assert notice < meeting
    finish_task(city, meeting, lines=[{"what": "路灯", "department": "物业", "by": date(year, 12, 1)}])
    city.settle()
    finish_task(city, notice)
    city.settle()
    assert [department for _, department in open_tasks(city, "owner_talk_follow_ups")] == ["物业"]


def wait_for(city: SampleCity, action: str) -> None:
    """Let months pass until the task of ``action`` comes up."""
    for _ in range(24):
        if open_tasks(city, action):
            return
        city.run_until(city.today + timedelta(days=15))
    raise AssertionError(action)


def finish_task(city: SampleCity, task: int, lines: Any = ()) -> None:
    """Close one task with these lines of its form; the rest is made up."""
    Paperwork(city.installation, city.folder / "evidence").finish(task, lines=lines)


def test_the_tally_of_a_week_and_its_coverage(city: SampleCity) -> None:
    first, second, third = (city.sign(room) for room in ("1201", "1202", "1203"))
    city.run_until(city.today + timedelta(days=4))
    city.finish("signing_callback", first, reached="answered", called_on=city.today, satisfaction="satisfied")
    tried: list[dict[str, date | str]] = [{"tried_on": city.today, "outcome": "no_answer"}] * 3
    city.finish("signing_callback", second, reached="no_answer", called_on=city.today, lines=tried)
    found = typed(city, "tally")
    [row] = found["rows"]
    assert (row["project"], row["form"], row["calls"], row["satisfied"], row["unreachable"]) == (
        "云璟一期", "signing_callback", 2, 1, 1
    )  # fmt: skip
    [reach] = found["coverage"]
    assert (reach["all"], reach["reached"], reach["unreachable"], reach["of_reachable"]) == (3, 1, 1, 50.0)
    city.leave("signing_callback", third, "moved abroad")
    city.run_until(city.today + timedelta(days=30))
    [reach] = typed(city, "tally", "--form", "signing_callback")["coverage"]
    assert (reach["all"], reach["reached"], reach["unreachable"]) == (3, 1, 2)
    assert (reach["of_all"], reach["of_reachable"]) == (33.33, 100.0)


def test_the_survey_of_an_estate_against_its_target(city: SampleCity) -> None:
    sales = [city.sign(room, on=date(2025, 1, 6)) for room in ("1201", "1202", "1203")]
    for sale in sales:
        city.hand_over(sale, date(2025, 3, 3))
    city.run_until(date(2026, 9, 10))
    with city.store.read() as connection:
        [survey] = connection.execute(select(tasks.c.id).where(tasks.c.action == "estate_survey")).scalars()
    *heard, unheard = ({"home": home, "method": "visit", "comfort": 4} for home in homes(city))
    finish_task(city, survey, lines=[*heard, {"home": unheard["home"], "method": "unreached"}])
    [row] = typed(city, "survey", "--year", "2026")
    assert (row["project"], row["homes"], row["reached"], row["coverage"], row["target"], row["met"]) == (
        "云璟一期", 3, 2, 66.66, 85, False
    )  # fmt: skip
    marks = {each["name"]: (each["answers"], each["mean"]) for each in row["dimensions"]}
    assert marks["comfort"][1] is not None


def homes(city: SampleCity) -> list[str]:
    """Return the homes as people write them, in the order of their rooms."""
    columns = (homes_table.c.building, homes_table.c.unit, homes_table.c.room)
    with city.store.read() as connection:
        rows = connection.execute(select(*columns).order_by(homes_table.c.room)).all()
    return ["-".join(part for part in row if part) for row in rows]
