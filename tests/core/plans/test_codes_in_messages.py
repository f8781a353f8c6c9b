"""Messages that carry a short code: made once, the same on every channel, and none made for a look ahead."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from tests.support.flow import Area, rows, templates

from keguan import Action, Contract, Effect, Email, Job, Person, Plan, Sms
from keguan.people.codes import SAMPLE_CODE, find_code
from keguan.plans.preview import preview_day
from keguan.queries.reader import Reader
from keguan.store.schema import codes, messages, plans
from keguan.testing import SampleCity

Build = Callable[..., SampleCity]
CONFIG = "[codes]\ndays = 30\n"


def tomorrow(contract: Contract, context: Any) -> list[Plan]:
    assert contract.signed_on is not None
    return [Plan("ask", context.city.at(contract.signed_on + timedelta(days=1), time(10)))]


def ask(job: Job) -> list[Effect]:
    """Ask the main contact on both channels."""
    owner = job.record.owners[0]  # type: ignore[attr-defined]  # contracts have owners
    return [Sms(owner, "ask", code_for="survey"), Email(owner, "ask", {"name": owner.name}, code_for="survey")]


@pytest.fixture
def city(sample_city: Build, tmp_path: Path) -> SampleCity:
    folders = templates(tmp_path, ask="Enter {{ code }} at {{ company.web }} please")
    mail = folders["area"] / "en" / "ask.email.j2"
    mail.write_text("Subject: Your opinion\n\nDear {{ name }}, your code is {{ code }}.", encoding="utf-8")
    built = sample_city({"area": Area(Action("ask", ask), signed=tomorrow)}, templates=folders, config=CONFIG)
    company = replace(built.installation.company, web="https://care.example.com/s")
    built.installation.templates = type(built.installation.templates)(folders, None, "en", company)
    return built


def test_text_message_and_mail_of_one_plan_carry_one_code(city: SampleCity) -> None:
    sale = city.sign()
    city.run_until(date(2026, 3, 3))
    (stored,) = rows(city.store, codes)
    assert sorted(sent.text.strip() for sent in city.sent) == [
        f"Dear 王小明, your code is {stored.code}.",
        f"【云璟】Enter {stored.code} at https://care.example.com/s please",
    ]
    with city.store.read() as connection:
        found = find_code(connection, stored.code, city.clock.now())
    assert found is not None
    assert (found.purpose, found.subject) == ("survey", sale.contract)
    assert found.expires_at - found.created_at == timedelta(days=30)


def test_what_the_gateway_fills_in_is_kept_beside_the_text(city: SampleCity) -> None:
    city.sign()
    city.run_until(date(2026, 3, 3))
    (code,) = rows(city.store, codes, "code")
    stored = {row.channel: row for row in rows(city.store, messages)}
    assert (stored["sms"].template, stored["sms"].variables) == ("ask", [["code", code.code]])
    assert (stored["email"].template, stored["email"].variables) == ("ask", None)


def test_a_plan_that_runs_again_after_a_crash_gives_the_same_code(city: SampleCity) -> None:
    city.sign()
    city.run_until(date(2026, 3, 3))
    before = rows(city.store, codes)
    with city.store.write() as connection:
        connection.execute(update(plans).values(status="planned"))
        connection.execute(messages.delete())
    city.settle()
    assert rows(city.store, codes) == before
    assert len([row for row in rows(city.store, messages) if before[0].code in row.body]) == 2


def test_a_look_ahead_shows_a_sample_and_makes_none(city: SampleCity) -> None:
    city.sign()
    city.settle()
    reader = Reader(city.store, city.installation.settings, city.clock.now(), "en")
    shown = list(preview_day(city.installation, reader, date(2026, 3, 3)))
    assert len(shown) == 2
    assert all(SAMPLE_CODE in row["text"] for row in shown)
    assert rows(city.store, codes) == []


def test_every_buyer_has_a_code_of_their_own(city: SampleCity) -> None:
    for room in ("1201", "1202", "1203"):
        city.sign(room)
    city.run_until(date(2026, 3, 3))
    made = [row.code for row in rows(city.store, codes)]
    assert len(set(made)) == 3
    for code in made:
        assert sum(code in sent.text for sent in city.sent) == 2


def test_a_person_whom_nobody_knows_costs_no_other_plan_its_code(sample_city: Build, tmp_path: Path) -> None:
    def stranger(job: Job) -> list[Effect]:
        return [Sms(Person(999_999), "ask", code_for="survey")]

    def both(contract: Contract, context: Any) -> list[Plan]:
        return [*tomorrow(contract, context), replace(tomorrow(contract, context)[0], action="stranger")]

    folders = templates(tmp_path, ask="Your code: {{ code }}")
    area = Area(Action("ask", lambda job: ask(job)[:1]), Action("stranger", stranger), signed=both)
    city = sample_city({"area": area}, templates=folders)
    sale = city.sign()
    city.run_until(city.at("2026-03-03 10:01"))
    city.expect("ask", sale, "kept")
    assert [row.status for row in rows(city.store, plans, "action", "status") if row.action == "stranger"] != ["done"]
    assert len(rows(city.store, codes)) == 1


def test_a_purpose_that_does_not_exist_fails_the_action(sample_city: Build, tmp_path: Path) -> None:
    def wrong(job: Job) -> list[Effect]:
        return [replace(each, code_for="lottery") for each in ask(job)[:1]]  # type: ignore[arg-type]  # the mistake

    city = sample_city({"area": Area(Action("ask", wrong), signed=tomorrow)}, templates=templates(tmp_path))
    sale = city.sign()
    city.run_until(city.at("2026-03-03 10:01"))
    assert city.sent == []
    assert city.promises(sale)[0].status != "kept"
    assert rows(city.store, codes) == []
