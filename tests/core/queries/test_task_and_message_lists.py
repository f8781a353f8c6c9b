"""The lists of tasks and messages: what scripts read, and what nobody may read by accident."""

from __future__ import annotations

import pytest
from tests.support.estate import Estate, at

from keguan.model import Subject
from keguan.people.codes import WantedCode, ensure_codes
from keguan.queries.messages import list_messages
from keguan.queries.reader import Filters
from keguan.queries.tasks import list_tasks

ALL = Filters()


def test_a_task_has_the_keys_of_the_interface(estate: Estate) -> None:
    project = estate.project()
    home = estate.home(project)
    number = estate.task(
        "入伙回访",
        ("home", home),
        due=at("2026-03-05T18:00"),
        required=["回访记录", "照片"],
        project_id=project,
        assignee_id=estate.employee("李晓燕"),
    )
    estate.proof(number)
    assert list(list_tasks(estate.reader(), ALL)) == [
        {
            "id": number,
            "key": "task-1",
            "plugin": "sixplustwo",
            "action": "signing_callback",
            "clause": "6+2指引 5.2.1",
            "title": "入伙回访",
            "project": "云璟一期",
            "subject": {"type": "home", "id": "云璟一期/3-1-1201"},
            "department": "客关",
            "assignee": "李**",
            "due_at": at("2026-03-05T18:00"),
            "latest": None,
            "status": "open",
            "evidence_required": ["回访记录", "照片"],
            "evidence": [
                {"filename": "签到表.pdf", "sha256": "ab" * 32, "size": 12, "added_at": at("2026-03-02T09:00")}
            ],
            "overdue": False,
            "assignee_id": 1,
            "deputy": None,
            "form": None,
            "postponed": 0,
            "escalated": 0,
            "reason": None,
        }
    ]


def test_the_deadline_itself_is_in_time(estate: Estate) -> None:
    estate.task("now", due=at("2026-03-02T09:00"))
    estate.task("a second ago", due=at("2026-03-02T08:59:59"))
    estate.task("done long after", due=at("2026-01-01T09:00"), status="done")
    overdue = {task["title"]: task["overdue"] for task in list_tasks(estate.reader(), ALL)}
    assert overdue == {"now": False, "a second ago": True, "done long after": False}
    assert [task["title"] for task in list_tasks(estate.reader(), ALL, overdue=True)] == ["a second ago"]


def test_the_name_of_the_assignee_is_shown_only_unmasked(estate: Estate) -> None:
    estate.task(assignee_id=estate.employee("李晓燕"))
    [task] = list_tasks(estate.reader(), ALL, unmask=True)
    assert task["assignee"] == "李晓燕"


def test_a_department_sees_its_own_tasks(estate: Estate) -> None:
    estate.task("ours")
    estate.task("theirs", department="物业")
    assert [task["title"] for task in list_tasks(estate.reader(), ALL, department="物业")] == ["theirs"]


# --- Messages ----------------------------------------------------------------------------------------------------


def test_a_message_has_the_keys_of_the_interface(estate: Estate) -> None:
    person = estate.person()
    number = estate.message(
        person,
        "sent",
        body="【云璟地产】恭喜您",
        segments=1,
        due=at("2026-03-01T09:30"),
        expires_at=at("2026-03-02T00:00"),
        sent_at=at("2026-03-01T09:31"),
        attempts=1,
        to_masked="138****8000",
    )
    assert list(list_messages(estate.reader(), ALL)) == [
        {
            "id": number,
            "key": "message-1",
            "plugin": "sixplustwo",
            "action": "sms_congratulation",
            "clause": "6+2指引 5.2.1",
            "channel": "sms",
            "to": "138****8000",
            "title": None,
            "body": "【云璟地产】恭喜您",
            "segments": 1,
            "status": "sent",
            "due_at": at("2026-03-01T09:30"),
            "expires_at": at("2026-03-02T00:00"),
            "sent_at": at("2026-03-01T09:31"),
            "attempts": 1,
            "error": None,
            "message_class": "service",
            "urgent": False,
            "department": None,
            "adapter": None,
            "rule": None,
            "held_until": None,
            "note": None,
            "delivered_at": None,
        }
    ]


def test_a_held_message_names_its_rule_and_until_when_before_an_error_of_earlier(estate: Estate) -> None:
    estate.message(estate.person(), "held", why="gate.quiet_hours", error="451 try later", due=at("2026-03-02T09:30"))
    [held] = list_messages(estate.reader(), ALL)
    assert (held["rule"], held["error"], held["held_until"]) == (
        "gate.quiet_hours",
        "quiet hours",
        at("2026-03-02T09:30"),
    )


def test_a_persons_own_words_are_no_rule(estate: Estate) -> None:
    estate.message(estate.person(), "dropped", why="he called us")
    assert [one["rule"] for one in list_messages(estate.reader(), ALL)] == [None]


def test_a_message_to_a_department_shows_the_department(estate: Estate) -> None:
    estate.message(None, department="客关")
    assert [one["to"] for one in list_messages(estate.reader(), ALL)] == ["客关"]


def test_nothing_personal_is_in_the_list_unless_unmasked(estate: Estate) -> None:
    person = estate.person("张小满", "+8613912345678", email="xiaoman@example.com")
    estate.message(person, channel="email", title="张小满您好", body="张小满，您的电话是13912345678")
    [masked] = list_messages(estate.reader(), ALL)
    assert (masked["to"], masked["title"], masked["body"]) == (
        "x***@example.com",
        "张**您好",
        "张**，您的电话是139****5678",
    )
    [clear] = list_messages(estate.reader(), ALL, unmask=True)
    assert (clear["to"], clear["body"]) == ("xiaoman@example.com", "张小满，您的电话是13912345678")


def test_unmasked_is_the_address_the_message_would_go_to_now(estate: Estate) -> None:
    estate.message(estate.person(phone="+8613912345678"), "sent", to_masked="138****0000")
    assert [one["to"] for one in list_messages(estate.reader(), ALL)] == ["138****0000"]
    assert [one["to"] for one in list_messages(estate.reader(), ALL, unmask=True)] == ["+8613912345678"]


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"status": "held", "why": "gate.quiet_hours"}, "quiet hours"),
        ({"status": "suppressed", "why": "gate.opted_out"}, "the person has opted out"),
        ({"status": "dropped", "why": "he called us"}, "he called us"),
        ({"status": "dead", "error": "550 no such user 13912345678"}, "550 no such user 139****5678"),
        ({"status": "queued"}, None),
    ],
)
def test_a_message_says_why_it_is_not_on_its_way(estate: Estate, values: dict[str, str], error: str | None) -> None:
    estate.message(estate.person(), **values)  # type: ignore[arg-type]  # columns, by name
    assert [one["error"] for one in list_messages(estate.reader(), ALL)] == [error]


def test_the_reason_is_given_in_the_language_of_the_reader(estate: Estate) -> None:
    estate.message(estate.person(), "held", why="gate.quiet_hours")
    assert [one["error"] for one in list_messages(estate.reader(language="zh"), ALL)] == ["免打扰时段"]


def test_codes_in_messages_are_for_their_customer_alone(estate: Estate) -> None:
    person = estate.person()
    with estate.store.write() as connection:
        wanted = WantedCode("plan/status/1", "status", person, Subject("customer", person))
        ensure_codes(estate.store, connection, [wanted], estate.now, 90, lambda: "7K3M9R")
    estate.message(person, body="进度请见 care.example.com/s ，代码 7K3M9R。")
    estate.message(person, body="验证码 482913，5 分钟内有效。", message_class="code")
    status, login = list_messages(estate.reader(), ALL)
    assert status["body"] == "进度请见 care.example.com/s ，代码 7K****。"
    assert login["body"] == "验证码 ******，5 分钟内有效。"
    assert [row["body"][-4:] for row in list_messages(estate.reader(), ALL, unmask=True)] == ["M9R。", "内有效。"]
