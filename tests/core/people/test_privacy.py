"""What a person may ask: what is held about them, and to be forgotten."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import insert
from tests.support.estate import SHANGHAI, Estate, at

from keguan.errors import InputError
from keguan.people.consent import opt_out
from keguan.people.erasure import erase_person
from keguan.people.privacy import export_person
from keguan.store.schema import codes, evidence, form_entries, messages, people, permissions, plans, replies, tasks


@pytest.fixture
def person(estate: Estate) -> int:
    """An owner whom the company has written to."""
    project = estate.project()
    born = date(1990, 3, 5)
    someone = estate.person("张小满", id_no="440300199003051234", email="xm@example.com", birthday=born, lunar=True)
    estate.contract("HT-001", project, estate.home(project), [someone])
    estate.message(someone, "sent", body="张小满您好", to_masked="138****8000")
    return someone


def test_an_export_holds_everything_about_the_person_in_clear(estate: Estate, person: int) -> None:
    estate.message(estate.person("别人"), body="别人您好")
    estate.plan("birthday", ("customer", person))
    estate.event("c-1", "customer_changed", ("customer", person))
    with estate.store.write() as connection:
        opt_out(connection, person, source="call", now=estate.now)
    document = export_person(estate.reader(), person)
    assert list(document) == [
        "customer",
        "consents",
        "consent_log",
        "ownerships",
        "staff",
        "messages",
        "receipts",
        "replies",
        "codes",
        "plans",
        "tasks",
        "forms",
        "evidence",
        "events",
        "suppressions",
        "requests",
        "exported_at",
    ]
    assert document["customer"]["name"] == "张小满"
    assert document["customer"]["id_no"] == "440300199003051234"
    assert document["customer"]["lunar"] is True
    assert document["consents"][0]["granted"] is False
    assert (document["ownerships"][0]["contract_no"], document["ownerships"][0]["room"]) == ("HT-001", "1201")
    assert [message["body"] for message in document["messages"]] == ["张小满您好"]
    assert [plan["action"] for plan in document["plans"]] == ["birthday"]
    assert [event["id"] for event in document["events"]] == ["c-1"]


def test_forgetting_leaves_no_personal_value_and_keeps_the_counts(estate: Estate, person: int) -> None:
    estate.message(person, "queued", body="张小满再见", html="<p>张小满</p>", attachments=[{"filename": "张小满.pdf"}])
    estate.plan("birthday", ("customer", person))
    with estate.store.write() as connection:
        opt_out(connection, person, source="call", now=estate.now)
    assert erase_person(estate.store, person, estate.now, SHANGHAI) == {
        "messages": 2,
        "dropped": 1,
        "plans": 1,
        "replies": 0,
        "forms": 0,
        "tasks": 0,
        "codes": 0,
        "evidence": 0,
    }
    everything = json.dumps(
        [list(row) for table in (people, messages, plans) for row in estate.rows(table)],
        ensure_ascii=False,
        default=str,
    )
    for value in ("张小满", "13800138000", "138****8000", "440300199003051234", "xm@example.com", "1990-03-05"):
        assert value not in everything
    assert [row.status for row in estate.rows(messages)] == ["sent", "dropped"]
    assert estate.one(people, person).lunar is False
    assert estate.one(people, person).erased_at == estate.now
    assert len(estate.rows(permissions, person_id=person, granted=False)) == 1
    assert estate.rows(plans)[0].status == "cancelled"


def reply(estate: Estate, person: int) -> None:
    with estate.store.write() as connection:
        connection.execute(
            insert(replies).values(
                adapter="sms", reply_id=f"r{person}", phone="+8613800138000", text="谢谢小王", person_id=person,
                at=estate.now, received_at=estate.now,
            )
        )  # fmt: skip


def form(estate: Estate, subject: tuple[str, int], filled: datetime) -> None:
    with estate.store.write() as connection:
        connection.execute(
            insert(form_entries).values(
                form="x.y", subject_type=subject[0], subject_id=subject[1], city="shenzhen", complete=True,
                answers={"said": "张小满很满意"}, lines=[{"note": "张"}], filled_at=filled, filled_by="li",
            )
        )  # fmt: skip


def said(estate: Estate) -> list[object]:
    """Return what forms and replies still hold."""
    answers = [row.answers.get("said") for row in estate.rows(form_entries)]
    return [*answers, *(row.text for row in estate.rows(replies))]


def test_an_export_holds_what_concerns_contracts_and_homes_of_the_person(estate: Estate, person: int) -> None:
    task = estate.task("回访", ("contract", 1))
    estate.task("回访", ("contract", 2))
    estate.proof(task)
    estate.plan(subject=("home", 1))
    form(estate, ("contract", 1), estate.now)
    reply(estate, person)
    document = export_person(estate.reader(), person)
    kinds = ("tasks", "evidence", "plans", "forms", "replies")
    assert [len(document[kind]) for kind in kinds] == [1, 1, 1, 1, 1]
    assert document["forms"][0]["answers"] == {"said": "张小满很满意"}


def test_after_a_resale_the_home_is_the_new_owners_affair(estate: Estate) -> None:
    project = estate.project()
    home = estate.home(project)
    seller, buyer = estate.person(), estate.person("别人")
    estate.contract("HT-OLD", project, home, [seller], status="transferred", owned_until=date(2026, 2, 1))
    estate.contract("HT-NEW", project, home, [buyer])
    form(estate, ("home", home), at("2026-01-31T12:00"))
    form(estate, ("home", home), at("2026-02-02T12:00"))
    assert len(export_person(estate.reader(), seller)["forms"]) == 1


def test_forgetting_empties_replies_and_forms_and_deletes_codes(estate: Estate, person: int) -> None:
    task = estate.task("回访", ("contract", 1), status="done", result="张小满已回访")
    estate.proof(task, "张小满签字.pdf")
    form(estate, ("contract", 1), estate.now)
    reply(estate, person)
    with estate.store.write() as connection:
        connection.execute(
            insert(codes).values(
                code="AAAAAA", purpose="survey", key="k", person_id=person, subject_type="contract", subject_id=1,
                created_at=estate.now, expires_at=estate.now,
            )
        )  # fmt: skip
    counts = erase_person(estate.store, person, estate.now, SHANGHAI)
    assert {name: counts[name] for name in ("replies", "forms", "tasks", "codes", "evidence")} == {
        "replies": 1,
        "forms": 1,
        "tasks": 1,
        "codes": 1,
        "evidence": 1,
    }
    assert said(estate) == [None, "*"]
    assert (estate.rows(tasks)[0].result, estate.rows(evidence)[0].filename) == ("*", "*")
    assert estate.rows(codes) == []


def test_forgetting_strikes_the_person_out_of_titles_and_letters_to_staff(estate: Estate, person: int) -> None:
    name = estate.one(people, person).name
    mine = estate.task(f"致电 {name} 13800138000", ("customer", person))
    other = estate.task("入伙回访", ("customer", estate.person("李晓燕", "+8613900139000")))
    body = f"早上好\n  18:00  [{mine}] 致电 {name}\n  18:00  [{other}] 入伙回访"
    letter: dict[str, Any] = {"plugin": "keguan", "action": "digest", "channel": "email", "department": "客关"}
    sent = estate.message(None, "sent", body=body, html=body, title="今日工作", **letter)
    waiting = estate.message(None, "queued", body=body, **letter)
    untouched = estate.message(None, "sent", body=f"[{other}] 入伙回访", html="<b>", **letter)
    erase_person(estate.store, person, estate.now, SHANGHAI)
    assert estate.one(tasks, mine).title == "致电 * 138****8000"
    assert estate.one(tasks, other).title == "入伙回访"
    for number, status in ((sent, "sent"), (waiting, "queued")):
        row = estate.one(messages, number)
        assert (row.status, row.html) == (status, None)
        assert row.body == f"早上好\n*\n  18:00  [{other}] 入伙回访"
    assert estate.one(messages, untouched).html == "<b>"


def test_what_a_co_owner_shares_stays_until_the_last_one_is_forgotten(estate: Estate) -> None:
    project = estate.project()
    pair = [estate.person("张小满"), estate.person("李明")]
    contract = estate.contract("HT-002", project, estate.home(project), pair)
    form(estate, ("contract", contract), estate.now)
    erase_person(estate.store, pair[0], estate.now, SHANGHAI)
    assert said(estate) == ["张小满很满意"]
    erase_person(estate.store, pair[1], estate.now, SHANGHAI)
    assert said(estate) == [None]


def test_a_person_who_was_forgotten_is_found_by_nothing_any_more(estate: Estate, person: int) -> None:
    erase_person(estate.store, person, estate.now, SHANGHAI)
    row = estate.one(people, person)
    assert (row.name_index, row.phone_index, row.email_index, row.id_no_index) == (None, None, None, None)


def test_others_are_not_touched(estate: Estate, person: int) -> None:
    other = estate.person("别人")
    estate.message(other, body="别人您好")
    erase_person(estate.store, person, estate.now, SHANGHAI)
    assert estate.one(people, other).name == "别人"
    assert [row.body for row in estate.rows(messages, person_id=other)] == ["别人您好"]


def test_nobody_is_forgotten_in_the_middle_of_a_message(estate: Estate, person: int) -> None:
    estate.message(person, "sending")
    with pytest.raises(InputError) as failed:
        erase_person(estate.store, person, estate.now, SHANGHAI)
    assert failed.value.key == "privacy.sending"
    assert estate.one(people, person).name == "张小满"


def test_a_number_nobody_has_is_an_error(estate: Estate) -> None:
    with pytest.raises(InputError):
        erase_person(estate.store, 999_999, estate.now, SHANGHAI)
    with pytest.raises(InputError):
        export_person(estate.reader(), 999_999)
