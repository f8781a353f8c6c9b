"""What is promised to a whole city: once per company and year, or for each of its projects, by the daily tick."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, time
from typing import Any

import pytest
from sqlalchemy import update
from tests.support.facts import Facts
from tests.support.flow import call, only, rows

from keguan import Action, Branch, Context, Customer, Home, Plan, Project, Record, Subject, Task, hookimpl
from keguan.calendar import CalendarTable, DayRow
from keguan.calendars import NATIONAL, store_table
from keguan.intake.facts import PersonFacts
from keguan.queries.events import list_events
from keguan.queries.plans import list_plans
from keguan.queries.reader import Filters, Reader
from keguan.queries.subjects import natural_ids
from keguan.queries.tasks import list_tasks
from keguan.store.records import load_records
from keguan.store.schema import branches, people, plans, projects, tasks
from keguan.testing import SampleCity

Build = Callable[..., SampleCity]


class Yearly:
    """A plan for the year of the company, and a look at every project on the fifth working day of April."""

    def __init__(self) -> None:
        self.seen: list[tuple[date, Branch, tuple[Project, ...]]] = []
        self.records: list[Record] = []

    @hookimpl
    def daily_tick(self, today: date, branch: Branch, projects: Sequence[Project], context: Context) -> list[Plan]:
        self.seen.append((today, branch, tuple(projects)))
        day = context.calendar.add_workdays(date(2026, 3, 31), 5)
        return [
            Plan("year_plan", context.city.at(day, time(9)), occurrence=2026, subject=branch.ref, by_calendar=True),
            *(Plan("look", context.city.at(day, time(9)), subject=each.ref, by_calendar=True) for each in projects),
            Plan("nobody", context.city.at(day, time(9)), subject=Subject("branch", 999)),
        ]

    @hookimpl
    def register_actions(self) -> list[Action]:
        def plan_the_year(job: Any) -> list[Task]:
            self.records.append(job.record)
            return call(job)

        return [Action("year_plan", plan_the_year), Action("look", call), Action("nobody", call)]


@pytest.fixture
def area() -> Yearly:
    return Yearly()


@pytest.fixture
def city(sample_city: Build, area: Yearly) -> SampleCity:
    return sample_city({"area": area})


def reader(city: SampleCity) -> Reader:
    return Reader(city.store, city.installation.settings, city.clock.now(), "en")


def branch_of(city: SampleCity, key: str = "shenzhen") -> Subject:
    return Subject("branch", only(rows(city.store, branches, "id", where=branches.c.city == key))[0])


def test_the_tick_brings_the_branch_and_all_projects_of_its_city(city: SampleCity, area: Yearly) -> None:
    city.sign()
    facts = Facts(city.store)
    second, elsewhere = facts.add_project("shenzhen"), facts.add_project("wuhan")
    city.run_until(date(2026, 3, 3))
    here = [(today, branch, found) for today, branch, found in area.seen if branch.city == "shenzhen"]
    assert [today for today, _, _ in here] == [date(2026, 3, 2), date(2026, 3, 3)]
    for _, branch, found in here:
        assert branch.ref == branch_of(city)
        assert [project.id for project in found] == sorted({1, second})
    (there, *_) = [found for _, branch, found in area.seen if branch.city == "wuhan"]
    assert [project.id for project in there] == [elsewhere]


def test_a_promise_of_the_company_belongs_to_the_city_and_to_no_project(city: SampleCity, area: Yearly) -> None:
    city.sign()
    city.run_until(date(2026, 4, 10))
    about = {"type": "branch", "id": "深圳"}
    plan = only(rows(city.store, plans, "project_id", "city", "status", where=plans.c.action == "year_plan"))
    assert plan == (None, "shenzhen", "done")
    assert only(rows(city.store, tasks, "project_id", where=tasks.c.action == "year_plan")) == (None,)
    assert only(area.records) == Branch(branch_of(city).id, "shenzhen")
    assert {row["action"] for row in list_plans(reader(city), Filters(city="深圳"))} == {"year_plan", "look"}
    assert [row["action"] for row in list_plans(reader(city), Filters(project="云璟一期"))] == ["look"]
    shown = only(row for row in list_tasks(reader(city), Filters(city="深圳")) if row["action"] == "year_plan")
    assert (shown["subject"], shown["project"]) == (about, None)
    with city.store.read() as connection:
        assert natural_ids(connection, [branch_of(city)], city.installation.settings)[branch_of(city)] == about
    promised = city.expect("year_plan", branch_of(city), "late", due="2026-04-08 09:00", occurrence=2026)
    assert (promised.project, promised.city) == (None, "shenzhen")
    assert all(row["subject"]["type"] != "branch" for row in list_events(reader(city), Filters()))


def test_there_is_one_branch_a_city_however_many_ticks_there_are(city: SampleCity) -> None:
    city.run_until(date(2026, 3, 5))
    assert rows(city.store, branches, "city") == [("shenzhen",)]


def test_ticks_that_were_recorded_before_there_were_branches_are_planned(city: SampleCity, area: Yearly) -> None:
    Facts(city.store).add_project("wuhan", last_tick=date(2026, 3, 2))
    assert rows(city.store, branches, "city", where=branches.c.city == "wuhan") == []
    city.engine.plan_all()
    assert [branch.ref for _, branch, _ in area.seen if branch.city == "wuhan"] == [branch_of(city, "wuhan")]


def test_a_calendar_corrected_in_mid_year_moves_what_ticks_wanted_for_branch_and_projects(city: SampleCity) -> None:
    sale = city.sign()
    city.run_until(date(2026, 3, 3))
    project = Subject("project", 1)
    before = city.expect("year_plan", branch_of(city), "planned", occurrence=2026).due_at
    typhoon = CalendarTable((DayRow(before.date(), False, "typhoon", "national"),), frozenset())
    with city.store.write() as connection:
        store_table(connection, typhoon, NATIONAL, city.clock.now())
    city.settle()
    moved = city.expect("year_plan", branch_of(city), "planned", occurrence=2026).due_at
    assert moved.date() > before.date()
    assert city.expect("look", project, "planned").due_at == moved
    city.expect_nothing("look", sale)


def test_snapshots_tell_what_projects_reached_and_when_homes_were_first_sold(city: SampleCity) -> None:
    city.clock.set(city.at("2026-06-02 10:00"))
    sale = city.sign(on=date(2026, 3, 10), deposit_on=date(2026, 3, 1))
    reserved = city.change(
        sale._replace(contract_no="HT-9"), room="1202", status="reserved", deposit_on=date(2026, 3, 3)
    )
    city.hand_over(sale, date(2026, 5, 1))
    city.resell(sale, PersonFacts("李四", "+8613900139000"), on=date(2026, 6, 1))
    with city.store.write() as connection:
        values = {"planned_handover_on": date(2026, 4, 30), "handed_over_on": date(2026, 5, 1), "fitting": "fitted"}
        connection.execute(update(projects).values(values))
        connection.execute(update(people).where(people.c.id > 0).values(lunar=True))
    with city.store.read() as connection:
        numbers = list(connection.execute(people.select().with_only_columns(people.c.id)).scalars())
        customers = [Subject("customer", number) for number in numbers]
        wanted = [sale.home, reserved.home, Subject("project", 1), *customers]
        found = load_records(connection, wanted)
    home, other, project = found[sale.home], found[reserved.home], found[Subject("project", 1)]
    assert isinstance(home, Home)
    assert isinstance(other, Home)
    assert isinstance(project, Project)
    assert home.signed_on == date(2026, 3, 10), "the contract it was first sold by, though it was resold"
    assert other.signed_on == date(2026, 3, 3), "the deposit, as long as nothing is signed"
    assert (project.planned_handover_on, project.handed_over_on) == (date(2026, 4, 30), date(2026, 5, 1))
    assert project.fitting == "fitted"
    known = [record for record in found.values() if isinstance(record, Customer)]
    assert known
    assert all(customer.person.lunar for customer in known)


def test_a_sale_that_was_cancelled_is_none(city: SampleCity) -> None:
    sale = city.sign(on=date(2026, 3, 1))
    city.cancel(sale)
    city.clock.set(city.at("2026-03-21 10:00"))
    second = city.change(sale._replace(contract_no="HT-2"), room="1201", status="signed", on=date(2026, 3, 20))
    assert second.home == sale.home
    with city.store.read() as connection:
        home = load_records(connection, [sale.home])[sale.home]
    assert isinstance(home, Home)
    assert (home.signed_on, home.contract_no) == (date(2026, 3, 20), "HT-2")
