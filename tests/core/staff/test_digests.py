"""Each working morning everybody is told once what is due today, what is overdue and what is new."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete
from tests.support.office import Office, when

from keguan.store.schema import messages, mornings
from keguan.tasks.desk import finish


def numbers(text: str) -> list[int]:
    """Return the tasks that a message names."""
    return [int(number) for number in re.findall(r"\[(\d+)\]", text)]


def test_each_person_and_the_department_are_told_once_at_half_past_eight(office: Office) -> None:
    task = office.task("2026-03-02 17:00", office.zhang, "Call 王女士 13800138000")
    office.until("2026-03-02 12:00")
    assert office.told("digest") == [("张三", "2026-03-02 08:30"), ("客关", "2026-03-02 08:30")]
    mine, ours = office.notes("digest")
    assert [mine.key, ours.key] == [f"digest/2026-03-02/staff/{office.zhang}", "digest/2026-03-02/department/客关"]
    assert numbers(mine.text) == numbers(ours.text) == [task]
    assert "13800138000" in mine.text, "people see in full what their own task needs"
    assert "13800138000" not in ours.text
    assert "张三" not in ours.text


def test_the_digest_leaves_in_the_quiet_hours_of_customers(open_office: Callable[..., Office]) -> None:
    office = open_office(config="[staff]\nladder = []\n")
    office.task("2026-03-02 17:00", office.zhang)
    office.until("2026-03-02 08:31")
    assert [sent.message.key for sent in office.city.sent] == [note.key for note in office.notes()]


def test_overdue_due_today_and_new_stand_apart_and_each_task_once(open_office: Callable[..., Office]) -> None:
    office = open_office(config="[staff]\nladder = []\n")
    office.until("2026-03-02 10:00")
    tomorrow = office.task("2026-03-03 17:00", office.zhang)
    late = office.task("2026-03-02 11:00", office.zhang)
    later = office.task("2026-03-20 11:00", office.zhang)
    office.until("2026-03-03 09:00")
    text = next(note.text for note in office.notes("digest") if note.to == "张三")
    assert text.startswith("Your day, 2026-03-03: 1 due, 1 overdue, 1 new\n")
    assert numbers(text) == [late, tomorrow, later]
    assert "1 days late" in text


def test_what_was_new_yesterday_is_not_new_today(open_office: Callable[..., Office]) -> None:
    office = open_office(config="[staff]\nladder = []\n")
    office.task("2026-03-20 17:00", office.zhang)
    office.until("2026-03-06 12:00")
    assert office.told("digest") == [("张三", "2026-03-02 08:30"), ("客关", "2026-03-02 08:30")]


def test_nobody_gets_an_empty_digest_unless_it_is_set(open_office: Callable[..., Office]) -> None:
    office = open_office()
    office.until("2026-03-02 12:00")
    assert office.notes() == []


def test_empty_digests_go_to_everybody_who_is_there_when_set(open_office: Callable[..., Office]) -> None:
    office = open_office(config="[staff]\nempty_digests = true\n")
    office.hire("吴邮", mail=False)
    office.away(office.zhou, office.zhang, "2026-03-02", "2026-03-04")
    office.until("2026-03-02 12:00")
    assert [to for to, _ in office.told("digest")] == ["张三", "李四", "王五", "客关"]
    assert "Nothing is due today" in office.notes("digest")[0].text


def test_a_task_that_comes_up_after_an_empty_morning_waits_for_the_next(office: Office) -> None:
    office.until("2026-03-02 08:45")
    office.task("2026-03-02 17:00", office.zhang)
    office.until("2026-03-02 16:00")
    assert office.told("digest") == []


@pytest.mark.parametrize(
    ("start", "days"),
    [
        # Spring Festival of 2026: Saturday the 14th is worked, then a week of holidays until the 23rd.
        ("2026-02-13 07:00", ["2026-02-13", "2026-02-14", "2026-02-24", "2026-02-25"]),
        # Saturday the 28th makes up for it, Sunday is free.
        ("2026-02-27 07:00", ["2026-02-27", "2026-02-28", "2026-03-02", "2026-03-03"]),
        ("2026-03-06 07:00", ["2026-03-06", "2026-03-09", "2026-03-10", "2026-03-11"]),
    ],
)
def test_digests_come_on_working_days_of_the_city(
    open_office: Callable[..., Office], start: str, days: list[str]
) -> None:
    office = open_office(start, config="[staff]\nladder = []\n")
    office.task(start, office.zhang)
    office.until(f"{days[-1]} 12:00")
    assert [at[:10] for to, at in office.told("digest") if to == "张三"] == days


def test_after_days_on_which_nobody_ran_only_todays_digest_is_sent(office: Office) -> None:
    office.task("2026-03-02 17:00", office.zhang)
    office.city.clock.set(when("2026-03-05 11:00"))
    office.city.settle()
    assert [note.key.split("/")[1] for note in office.notes("digest")] == ["2026-03-05", "2026-03-05"]


def test_a_digest_is_of_no_use_when_the_office_has_closed(office: Office) -> None:
    office.task("2026-03-02 17:00", office.zhang)
    office.city.clock.set(when("2026-03-05 21:00"))
    office.city.settle()
    assert office.notes("digest") == []
    office.until("2026-03-06 09:00")
    assert {at for _, at in office.told("digest")} == {"2026-03-06 08:30"}


def test_running_again_changes_nothing_even_when_the_note_that_it_ran_was_lost(office: Office) -> None:
    office.task("2026-03-02 17:00", office.zhang)
    office.until("2026-03-02 09:00")
    before = office.notes()
    office.city.settle()
    with office.store.write() as connection:  # killed between the letters and the note
        connection.execute(delete(mornings))
        connection.execute(delete(messages).where(messages.c.key.contains("department")))
    office.city.settle()
    assert sorted(office.notes()) == sorted([*before[:1], before[1]._replace(at="2026-03-02 09:00")])


def test_who_does_not_want_one_gets_none(open_office: Callable[..., Office]) -> None:
    office = open_office(
        department='[departments."客关"]\nhead = "李四"\nemail = "a@example.com"\nchat = "robot"\ndigest = false\n'
    )
    office.task("2026-03-02 17:00", office.zhang)
    office.until("2026-03-02 09:00")
    assert [to for to, _ in office.told("digest")] == ["张三"]


def test_a_department_with_a_robot_is_told_in_its_chat_too(open_office: Callable[..., Office]) -> None:
    office = open_office(
        config="[staff]\nladder = []\n", department='[departments."客关"]\nemail = "a@example.com"\nchat = "robot"\n'
    )
    task = office.task("2026-03-02 17:00")
    office.until("2026-03-02 09:00")
    mail, chat = office.notes("digest")
    assert [mail.key, chat.key] == [
        "digest/2026-03-02/department/客关",
        "digest/2026-03-02/department/客关/chat",
    ]
    assert f"by number: {task}" in chat.text


def test_tasks_in_two_cities_come_in_one_digest(open_office: Callable[..., Office]) -> None:
    config = '[staff]\nladder = []\n[cities.wuhan]\nname = "武汉"\nholidays = [2026-03-02]\n'
    office = open_office(config=config)
    here, there = (
        office.task("2026-03-02 17:00", office.zhang),
        office.task("2026-03-02 18:00", office.zhang, city="wuhan"),
    )
    only_there = office.task("2026-03-02 18:00", office.zhou, city="wuhan")
    office.until("2026-03-03 07:00")
    told = [note for note in office.notes("digest") if note.to != "客关"]
    assert [(note.to, numbers(note.text)) for note in told] == [("张三", [here, there])], "in Wuhan it is a day off"
    office.until("2026-03-03 09:00")
    assert [numbers(note.text) for note in office.notes("digest") if note.to == "周六"] == [[only_there]]


def test_a_wrong_template_of_the_company_holds_up_nothing_else(office: Office) -> None:
    folder = office.city.installation.base_dir / "config" / "templates" / "keguan" / "en"
    folder.mkdir(parents=True)
    (folder / "digest.email.j2").write_text("Subject: {{ nonsense }}\n\n{{ nonsense }}\n", encoding="utf-8")
    office.city.restart()
    task = office.task("2026-03-02 11:00", office.zhang)
    office.until("2026-03-02 12:00")
    assert office.told("digest") == []
    assert office.told("escalation") == [("张三", "2026-03-02 11:00")]
    (folder / "digest.email.j2").unlink()
    office.city.restart()
    office.until("2026-03-02 13:00")
    assert [numbers(note.text) for note in office.notes("digest")] == [[task], [task]]


def test_a_task_closed_before_the_morning_is_not_named(office: Office) -> None:
    task = office.task("2026-03-02 17:00", office.zhang)
    finish(office.store, [task], now=office.city.clock.now() + timedelta(minutes=1), by="li")
    office.until("2026-03-02 12:00")
    assert office.notes() == []
