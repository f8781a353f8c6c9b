"""Consent with its history, addresses that bounced, and the allow list of a test installation, as people ask."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update
from tests.core.cli.conftest import Desk as Terminal
from tests.support.estate import Estate

from keguan.people.suppressions import suppress
from keguan.store.schema import people, permissions


def bounce(estate: Estate, person: int, *, until: timedelta | None = None) -> None:
    """Let the person's number bounce, whatever seals it."""
    with estate.store.write() as connection:
        connection.execute(update(people).where(people.c.id == person).values(phone_index=f"phone-{person}"))
        suppress(
            connection,
            "sms",
            f"phone-{person}",
            why="gate.bounced",
            detail="MK:0001 13800138000",
            now=estate.now,
            until=estate.now + until if until else None,
        )


def test_every_answer_stays_with_its_source_and_says_whether_it_is_in_force(desk: Terminal, estate: Estate) -> None:
    person = estate.person()
    desk.json("customers", "optin", person, "--class", "promotion", "--channel", "sms", "--source", "form 12")
    desk.json("customers", "optout", person, "--source", "call")
    desk.json("customers", "optin", person, "--class", "service", "--source", "letter")
    history = desk.json("customers", "consents", person)
    assert [(row["channel"], row["message_class"], row["granted"], row["source"]) for row in history] == [
        ("sms", "promotion", True, "form 12"),
        ("*", "*", False, "call"),
        ("*", "service", True, "letter"),
    ]
    assert [row["in_force"] for row in history] == [False, True, True]
    assert all(row["who"] for row in history)


def test_an_answer_given_again_is_in_force_once(desk: Terminal, estate: Estate) -> None:
    person = estate.person()
    for _ in range(2):
        desk.json("customers", "optout", person, "--channel", "sms")
    assert [row["in_force"] for row in desk.json("customers", "consents", person)] == [False, True]


def test_an_opt_out_of_a_channel_that_does_not_exist_is_refused(desk: Terminal, estate: Estate) -> None:
    answer = desk("customers", "optout", estate.person(), "--channel", "emial")
    assert answer.status == 2
    assert "email" in answer.err
    assert estate.rows(permissions) == []


def test_addresses_that_bounced_are_listed_masked_with_the_other_sides_words(desk: Terminal, estate: Estate) -> None:
    person = estate.person(phone="+8613800138000")
    bounce(estate, person)
    [row] = desk.json("customers", "suppressions")
    assert (row["channel"], row["customer"], row["to"], row["rule"]) == ("sms", person, "138****8000", "gate.bounced")
    assert row["detail"] == "MK:0001 138****8000"
    [clear] = desk.json("customers", "suppressions", "--unmask")
    assert clear["to"] == "+8613800138000"


def test_an_address_that_two_customers_share_is_one_line(desk: Terminal, estate: Estate) -> None:
    first, second = estate.person(), estate.person("李晓燕")
    bounce(estate, first)
    with estate.store.write() as connection:
        connection.execute(update(people).where(people.c.id == second).values(phone_index=f"phone-{first}"))
    assert [row["customer"] for row in desk.json("customers", "suppressions")] == [first]


def test_lifting_a_suppression_needs_a_reason_and_stays_on_record(desk: Terminal, estate: Estate) -> None:
    bounce(estate, estate.person())
    [row] = desk.json("customers", "suppressions")
    assert desk("customers", "unsuppress", row["id"]).status == 2
    assert desk.json("customers", "unsuppress", row["id"], "--reason", "he called") == {
        "number": row["id"],
        "lifted": True,
    }
    assert desk.json("customers", "suppressions") == []
    [kept] = desk.json("customers", "suppressions", "--all")
    assert (kept["lifted_why"], bool(kept["lifted_by"]), bool(kept["lifted_at"])) == ("he called", True, True)
    assert desk("customers", "unsuppress", row["id"], "--reason", "again").status == 1


def test_a_suppression_that_has_ended_is_listed_only_when_asked_for(desk: Terminal, estate: Estate) -> None:
    bounce(estate, estate.person(), until=timedelta(seconds=-1))
    assert desk.json("customers", "suppressions") == []
    assert len(desk.json("customers", "suppressions", "--all")) == 1


@pytest.mark.parametrize("language", ["zh", "en"])
def test_people_read_it_in_their_language(desk: Terminal, estate: Estate, language: str) -> None:
    person = estate.person()
    bounce(estate, person)
    desk("customers", "optout", person)
    held = estate.message(person, "held", why="gate.promotion_hours", note="gate.urgent_in_quiet_hours")
    for words in (("customers", "consents", person), ("customers", "suppressions", "--all"), ("outbox", "show", held)):
        answer = desk("--lang", language, *words)
        assert (answer.status, answer.err) == (0, "")
        assert any("\u4e00" <= char <= "\u9fff" for char in answer.out.replace("您好", "").replace("指引", "")) == (
            language == "zh"
        )


# --- The allow list ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "loud"), [("zh", "测试环境"), ("en", "TEST INSTALLATION")])
def test_status_and_doctor_say_loudly_that_only_the_listed_get_messages(
    desk: Terminal, monkeypatch: pytest.MonkeyPatch, language: str, loud: str
) -> None:
    assert loud not in desk("--lang", language, "status").out
    monkeypatch.setenv("KEGUAN_TEST__ONLY_TO", '["13912345678", "@example.com"]')
    status = desk("--lang", language, "status")
    doctor = desk("--lang", language, "doctor")
    assert loud in status.out
    assert loud in doctor.out
    assert "13912345678" not in status.out + doctor.out
    assert desk.json("status")["allow_list"] == 2
