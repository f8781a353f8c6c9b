"""Laws of staff's day, on weeks that nobody thought of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.databases import SqliteTemplate
from tests.support.estate import SHANGHAI
from tests.support.office import Office, when

from keguan.calendar import WorkCalendar
from keguan.demo.hurry import hurry
from keguan.settings.staff import After
from keguan.staff.hours import step_at, work_begins
from keguan.store.engine import open_store
from keguan.store.schema import staff, tasks
from keguan.tasks.desk import finish

CALENDAR = WorkCalendar(zone=SHANGHAI)
START = when("2026-02-11 07:00")  # a week before Spring Festival, with make-up workdays on both sides
moments = st.integers(0, 270 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))
amounts = st.one_of(
    st.integers(0, 6).map(After),
    st.integers(0, 40).map(lambda hours: After(worktime=timedelta(hours=hours))),
)
dues = st.lists(st.tuples(st.integers(-48, 400), st.sampled_from(["zhang", "zhou", "li", ""])), min_size=1, max_size=8)
few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@contextmanager
def an_office(template: SqliteTemplate, config: str = "") -> Iterator[Office]:
    """Open an office of its own for one example."""
    with TemporaryDirectory() as folder:
        store = open_store(template.copy_to(Path(folder) / "keguan.db"), Path(folder))
        hurry(store)
        try:
            yield Office(Path(folder), store, START, config=config)
        finally:
            store.close()


def give(office: Office, wanted: list[tuple[int, str]]) -> list[int]:
    """Put tasks in, due so many hours from the start, for somebody or nobody."""
    return [
        office.task(f"{(START + timedelta(hours=hours)):%Y-%m-%d %H:%M}", getattr(office, who) if who else None)
        for hours, who in wanted
    ]


@given(moments, amounts)
def test_a_step_lies_in_working_time_and_after_the_deadline(due: datetime, after: After) -> None:
    at = step_at(CALENDAR, after, due)
    assert at > due
    assert work_begins(CALENDAR, at) == at
    local = at.astimezone(SHANGHAI)
    assert CALENDAR.is_working(local.date())
    assert time(9) <= local.time() < time(18)


@given(moments, moments, amounts)
def test_a_later_deadline_never_climbs_earlier(one: datetime, other: datetime, after: After) -> None:
    earlier, later = sorted((one, other))
    assert step_at(CALENDAR, after, earlier) <= step_at(CALENDAR, after, later)


@few
@given(dues, st.lists(st.integers(1, 60), max_size=12))
def test_each_step_is_climbed_once_in_order_and_never_outside_working_time(
    sqlite_template: SqliteTemplate, wanted: list[tuple[int, str]], pauses: list[int]
) -> None:
    """However the daemon is stopped and started meanwhile."""
    with an_office(sqlite_template) as office:
        numbers = give(office, wanted)
        for hours in pauses:
            office.city.clock.set(office.city.clock.now() + timedelta(hours=hours))  # nobody runs
            office.city.settle()
            office.city.settle()
        office.until("2026-03-20 18:00")
        for number in numbers:
            log = office.log(number)
            assert [row.detail["step"] for row in log] == [1, 2, 3]
            assert [row.at for row in log] == sorted(row.at for row in log)
            assert all(work_begins(CALENDAR, row.at) == row.at for row in log)
            assert all(row.at > office.row(number).due_at for row in log)
        keys = [note.key for note in office.notes()]
        assert len(keys) == len(set(keys))


@few
@given(dues, st.sets(st.integers(0, 7)), st.booleans(), st.integers(11, 27))
def test_a_digest_names_exactly_the_tasks_that_a_list_with_the_same_conditions_names(
    sqlite_template: SqliteTemplate, wanted: list[tuple[int, str]], closed: set[int], zhang_away: bool, day: int
) -> None:
    with an_office(sqlite_template, config="[staff]\nladder = []\n") as office:
        numbers = give(office, wanted)
        done = [number for place, number in enumerate(numbers) if place in closed]
        if done:
            finish(office.store, done, now=START, by="li")
        if zhang_away:
            office.away(office.zhang, office.zhou, "2026-02-11", "2026-02-28")
        office.until(f"2026-02-{day} 08:30")
        today = date(2026, 2, day)
        midnight = datetime.combine(today + timedelta(days=1), time(), tzinfo=SHANGHAI)
        told = {note.key: note.text for note in office.notes("digest") if str(today) in note.key}
        for who in (office.zhang, office.zhou, office.li):
            mine = office.listed(assignees=office.roster.acts_for(who, today))
            due = [number for number in mine if office.row(number).due_at < midnight]
            new = office.listed(created_after=START) if day > 11 else mine
            expected = set(due) | (set(new) & set(mine))
            if not CALENDAR.is_working(today) or office.roster.stand_in(who, today) != office.roster.members[who]:
                expected = set()
            named = set(map(int, re.findall(r"\[(\d+)\]", told.get(f"digest/{today}/staff/{who}", ""))))
            assert named == expected


@few
@given(dues, st.booleans(), st.sampled_from(["zhang", "zhou", "li"]))
def test_handing_over_loses_no_task(
    sqlite_template: SqliteTemplate, wanted: list[tuple[int, str]], deputy: bool, leaving: str
) -> None:
    with an_office(sqlite_template) as office:
        numbers = give(office, wanted)
        who = getattr(office, leaving)
        before = {number: office.row(number).assignee_id for number in numbers}
        if deputy:
            office.away(who, office.wang, "2026-02-11", "2026-02-28")
        with office.store.engine.begin() as connection:
            connection.execute(staff.update().where(staff.c.id == who).values(left_on=date(2026, 2, 12)))
        office.until("2026-02-13 12:00")
        assert sorted(row.id for row in office.estate.rows(tasks, status="open")) == numbers
        for number, owner in before.items():
            heir = office.wang if deputy else None
            assert office.row(number).assignee_id == (heir if owner == who else owner)
            assert [row.what for row in office.log(number)].count("handed_over") == (owner == who)
