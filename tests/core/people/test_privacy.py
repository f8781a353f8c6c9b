"""What a person may ask: what is held about them, and to be forgotten."""

from __future__ import annotations

import json
from datetime import date

import pytest
from tests.support.estate import Estate

from keguan.errors import InputError
from keguan.people.consent import opt_out
from keguan.people.privacy import erase_person, export_person
from keguan.store.schema import messages, people, permissions, plans


@pytest.fixture
def person(estate: Estate) -> int:
    """An owner whom the company has written to."""
    project = estate.project()
    someone = estate.person("张小满", id_no="440300199003051234", email="xm@example.com", birthday=date(1990, 3, 5))
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
        "ownerships",
        "staff",
        "messages",
        "plans",
        "tasks",
        "events",
        "exported_at",
    ]
    assert document["customer"]["name"] == "张小满"
    assert document["customer"]["id_no"] == "440300199003051234"
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
    assert erase_person(estate.store, person, estate.now) == {"messages": 2, "dropped": 1, "plans": 1}
    everything = json.dumps(
        [list(row) for table in (people, messages, plans) for row in estate.rows(table)],
        ensure_ascii=False,
        default=str,
    )
    for value in ("张小满", "13800138000", "138****8000", "440300199003051234", "xm@example.com", "1990-03-05"):
        assert value not in everything
    assert [row.status for row in estate.rows(messages)] == ["sent", "dropped"]
    assert estate.one(people, person).erased_at == estate.now
    assert len(estate.rows(permissions, person_id=person, granted=False)) == 1
    assert estate.rows(plans)[0].status == "cancelled"


def test_others_are_not_touched(estate: Estate, person: int) -> None:
    other = estate.person("别人")
    estate.message(other, body="别人您好")
    erase_person(estate.store, person, estate.now)
    assert estate.one(people, other).name == "别人"
    assert [row.body for row in estate.rows(messages, person_id=other)] == ["别人您好"]


def test_nobody_is_forgotten_in_the_middle_of_a_message(estate: Estate, person: int) -> None:
    estate.message(person, "sending")
    with pytest.raises(InputError) as failed:
        erase_person(estate.store, person, estate.now)
    assert failed.value.key == "privacy.sending"
    assert estate.one(people, person).name == "张小满"


def test_a_number_nobody_has_is_an_error(estate: Estate) -> None:
    with pytest.raises(InputError):
        erase_person(estate.store, 999_999, estate.now)
    with pytest.raises(InputError):
        export_person(estate.reader(), 999_999)
