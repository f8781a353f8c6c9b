"""Whoever is away has a deputy: digests and overdue tasks go there, the tasks stay whose they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import pairwise

import pytest
from tests.support.office import Office

from keguan.errors import InputError
from keguan.staff.absences import away, back
from keguan.store.schema import absences

DAY = date(2026, 3, 2)


def test_the_deputy_gets_digest_and_overdue_tasks_and_the_task_stays(office: Office) -> None:
    office.away(office.zhang, office.zhou, "2026-03-02", "2026-03-04")
    task = office.task("2026-03-02 11:00", office.zhang)
    office.until("2026-03-02 12:00")
    assert office.told("digest") == [("周六", "2026-03-02 08:30"), ("客关", "2026-03-02 08:30")]
    assert office.told("escalation") == [("周六", "2026-03-02 11:00")]
    assert office.row(task).assignee_id == office.zhang
    assert office.listed(assignees=office.roster.acts_for(office.zhou, DAY)) == [task]
    assert office.listed(assignees=office.roster.acts_for(office.zhang, DAY)) == [task]


def test_from_the_day_after_the_last_everything_is_as_before(office: Office) -> None:
    office.away(office.zhang, office.zhou, "2026-03-02", "2026-03-03")
    office.task("2026-03-02 20:00", office.zhang)
    office.until("2026-03-04 12:00")
    told = [(to, at[:10]) for to, at in office.told("digest") if to != "客关"]
    assert told == [("周六", "2026-03-02"), ("周六", "2026-03-03"), ("张三", "2026-03-04")]


def test_the_deputy_of_a_deputy_stands_in(office: Office) -> None:
    office.away(office.zhang, office.zhou, "2026-03-02", "2026-03-04")
    office.away(office.zhou, office.wang, "2026-03-02", "2026-03-04")
    assert office.roster.acts_for(office.wang, DAY) == {office.zhang, office.zhou, office.wang}


def test_a_circle_ends_with_the_head_of_the_department(office: Office) -> None:
    office.away(office.zhang, office.zhou, "2026-03-02", "2026-03-04")
    office.away(office.zhou, office.zhang, "2026-03-02", "2026-03-04")
    assert office.roster.stand_in(office.zhang, DAY) == office.roster.members[office.li]


def test_when_the_head_is_in_the_circle_nobody_is_left_and_the_department_is_told(office: Office) -> None:
    office.away(office.zhang, office.li, "2026-03-02", "2026-03-04")
    office.away(office.li, office.zhang, "2026-03-02", "2026-03-04")
    office.task("2026-03-02 11:00", office.zhang)
    office.until("2026-03-02 12:00")
    assert office.told("digest") == [("客关", "2026-03-02 08:30")]
    assert office.told("escalation") == [("客关", "2026-03-02 11:00")]


def test_a_chain_that_does_not_end_after_some_steps_is_the_heads_affair(office: Office) -> None:
    chain = [office.hire(f"赵{number}") for number in range(9)]
    for who, deputy in pairwise(chain):
        office.away(who, deputy, "2026-03-02", "2026-03-04")
    assert office.roster.stand_in(chain[3], DAY) == office.roster.members[chain[8]]
    assert office.roster.stand_in(chain[0], DAY) == office.roster.members[office.li]


def test_overdue_tasks_of_the_head_who_is_away_go_to_the_deputy_of_the_head(office: Office) -> None:
    office.away(office.li, office.zhou, "2026-03-03", "2026-03-04")
    office.task("2026-03-02 11:00", office.zhang)
    office.until("2026-03-03 12:00")
    assert office.told("escalation")[-1] == ("周六", "2026-03-03 11:00")


def test_back_ends_the_absence_and_keeps_what_was(office: Office) -> None:
    office.away(office.zhang, office.zhou, "2026-03-02", "2026-03-31")
    office.until("2026-03-05 12:00")
    back(office.store, "张三", today=office.city.today, leading={})
    assert office.estate.rows(absences)[0].until_on == date(2026, 3, 4)
    with pytest.raises(InputError) as failed:
        back(office.store, "张三", today=office.city.today, leading={})
    assert failed.value.key == "staff.not_away"


def test_back_on_the_first_day_leaves_no_absence(office: Office) -> None:
    office.away(office.zhang, office.zhou, "2026-03-02", "2026-03-31")
    back(office.store, str(office.zhang), today=office.city.today, leading={})
    assert office.estate.rows(absences) == []


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"who": "nobody"}, "staff.unknown"),
        ({"who": "吴走"}, "staff.left"),
        ({"who": "孙同"}, "staff.several"),
        ({"deputy": "吴走"}, "staff.left"),
        ({"deputy": "张三"}, "staff.own_deputy"),
        ({"until_on": date(2026, 3, 1)}, "staff.period"),
        ({"from_on": date(2026, 3, 9), "until_on": date(2026, 3, 8)}, "staff.period"),
        ({"from_on": date(2026, 4, 1), "until_on": date(2026, 4, 1)}, "staff.away_already"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_recorded(
    open_office: Callable[..., Office], given: dict[str, object], key: str
) -> None:
    office = open_office()
    office.hire("吴走", left_on=date(2026, 3, 1))
    office.hire("孙同")
    office.hire("孙同")
    office.away(office.zhang, office.zhou, "2026-03-20", "2026-04-01")
    values = {"who": "张三", "deputy": "周六", "from_on": DAY, "until_on": date(2026, 3, 8)} | given
    with pytest.raises(InputError) as failed:
        away(office.store, today=DAY, now=office.city.clock.now(), by="li", leading={}, **values)  # type: ignore[arg-type]  # mixed on purpose
    assert failed.value.key == key
    assert "孙同" not in str(failed.value)
    assert len(office.estate.rows(absences)) == 1
