"""A promise that opens before it is due: its action runs early, its due time stays what people see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from tests.support.flow import Area, only, rows

from keguan import Action, Contract, Job, Plan, Task
from keguan.plans.preview import preview_day
from keguan.queries.reader import Reader
from keguan.queries.status import read_status
from keguan.store.schema import plans, tasks
from keguan.testing import SampleCity

Build = Callable[..., SampleCity]


class Meeting(Area):
    """A meeting on the tenth day after signing, to be prepared from ``days`` days before."""

    def __init__(self) -> None:
        super().__init__(Action("meeting", self._prepare), signed=self._plan)
        self.days: float | None = 7
        self.until: float | None = None
        self.seen: list[tuple[datetime | None, datetime]] = []

    def _plan(self, contract: Contract, context: Any) -> list[Plan]:
        assert contract.signed_on is not None
        due = context.city.at(contract.signed_on + timedelta(days=10), time(9))
        opens = None if self.days is None else due - timedelta(days=self.days)
        until = None if self.until is None else due + timedelta(days=self.until)
        return [Plan("meeting", due, until, opens=opens)]

    def _prepare(self, job: Job) -> list[Task]:
        self.seen.append((job.opens, job.due))
        return [Task("invite the buyers", "客关", due=job.due)]


@pytest.fixture
def area() -> Meeting:
    return Meeting()


@pytest.fixture
def city(sample_city: Build, area: Meeting) -> SampleCity:
    return sample_city({"area": area})


def reader(city: SampleCity) -> Reader:
    return Reader(city.store, city.installation.settings, city.clock.now(), "en")


def opened(city: SampleCity) -> str:
    """When the task came up, on the city's clocks."""
    at = only(rows(city.store, tasks, "created_at"))[0]
    return f"{at.astimezone(city.installation.city('shenzhen').zone):%Y-%m-%d %H:%M}"


def test_the_task_comes_up_when_it_opens_and_is_due_later(city: SampleCity, area: Meeting) -> None:
    sale = city.sign(on=date(2026, 3, 2))
    city.settle()
    city.expect("meeting", sale, "planned", due="2026-03-12 09:00")
    city.run_until(date(2026, 3, 6))
    assert opened(city) == "2026-03-05 09:00"
    city.expect("meeting", sale, "due", due="2026-03-12 09:00")
    assert area.seen == [(city.at("2026-03-05 09:00"), city.at("2026-03-12 09:00"))]
    city.run_until(date(2026, 3, 12))
    city.expect("meeting", sale, "late")


def test_what_opened_before_it_was_entered_runs_at_once_and_is_not_late(city: SampleCity) -> None:
    sale = city.sign(on=date(2026, 2, 26))
    city.settle()
    assert opened(city) == "2026-03-02 10:00"
    assert not city.expect("meeting", sale, "due", due="2026-03-08 09:00").late_at_creation


def test_an_opening_after_the_due_time_counts_as_the_due_time(city: SampleCity, area: Meeting) -> None:
    area.days = -3
    city.sign(on=date(2026, 3, 2))
    city.run_until(date(2026, 3, 20))
    assert opened(city) == "2026-03-12 09:00"
    assert area.seen == [(None, city.at("2026-03-12 09:00"))]


def test_another_opening_moves_what_is_open_and_nothing_else(city: SampleCity, area: Meeting) -> None:
    sale = city.sign(on=date(2026, 3, 2))
    city.settle()
    area.days = 2
    city.tell("contract_signed", sale.contract)
    assert city.settle().moved == 1
    city.expect("meeting", sale, "planned", due="2026-03-12 09:00")
    city.run_until(date(2026, 3, 10))
    assert opened(city) == "2026-03-10 09:00"
    area.days = 1
    city.tell("contract_signed", sale.contract)
    city.settle()
    assert len(area.seen) == 1, "what ran does not run again because it would open later"


def test_a_date_that_moves_takes_its_opening_along(city: SampleCity) -> None:
    sale = city.sign(on=date(2026, 2, 27))
    city.change(sale, on=date(2026, 3, 2))
    city.settle()
    city.change(sale, on=date(2026, 3, 3))
    city.run_until(date(2026, 3, 7))
    assert opened(city) == "2026-03-06 09:00"
    city.expect("meeting", sale, "due", due="2026-03-13 09:00")


def test_only_the_end_of_its_window_makes_it_missed(city: SampleCity, area: Meeting) -> None:
    area.until = 1
    sale = city.sign(on=date(2026, 3, 2))
    city.settle()
    city.clock.set(city.at("2026-03-13 08:59"))  # nobody was there since it opened
    city.expect("meeting", sale, "due")
    city.settle()
    assert opened(city) == "2026-03-13 08:59"
    other = city.sign("1202", on=date(2026, 3, 12))
    city.settle()
    city.clock.set(city.at("2026-03-23 09:00"))
    city.settle()
    city.expect("meeting", other, "missed")


def test_what_opened_and_did_not_run_yet_is_due(city: SampleCity) -> None:
    sale = city.sign(on=date(2026, 3, 2))
    city.settle()
    assert read_status(reader(city))["due"] == 0
    city.clock.set(city.at("2026-03-05 09:00"))
    assert read_status(reader(city))["due"] == 1
    city.expect("meeting", sale, "due", due="2026-03-12 09:00")


def test_preview_shows_it_on_the_day_it_opens(city: SampleCity) -> None:
    city.sign(on=date(2026, 3, 2))
    city.settle()
    told = only(preview_day(city.installation, reader(city), date(2026, 3, 5)))
    assert (told["action"], told["channel"], f"{told['time']:%H:%M}") == ("meeting", "task", "09:00")
    assert list(preview_day(city.installation, reader(city), date(2026, 3, 12))) == []


def test_sixty_thousand_promises_of_one_day_run_batch_by_batch_once_each(city: SampleCity, area: Meeting) -> None:
    city.sign(on=date(2026, 3, 2))
    city.settle()
    pattern = only(rows(city.store, plans))._asdict()
    names = tuple(plans.c.keys())
    stored = {**pattern, "due_at": 0, "run_at": 0, "until_at": None, "created_at": 0, "changed_at": 0}
    with city.store.write() as connection:
        numbers = range(2, 60_001)
        many = [tuple({**stored, "id": pattern["id"] + n, "occurrence": n}.values()) for n in numbers]
        city.store.insert(connection, plans, names, many)
    batch = city.installation.settings.runner.dispatch_batch
    sizes = []
    while size := city.engine.run().claimed:
        sizes.append(size)
    assert sum(sizes) == 59_999
    assert max(sizes) <= batch
    assert len(sizes) >= 59_999 // batch
    assert len(set(rows(city.store, tasks, "key"))) == 59_999
    assert len(area.seen) == 59_999


def test_midnight_that_passes_in_the_middle_of_a_batch_changes_nothing_in_it(city: SampleCity, area: Meeting) -> None:
    for room in ("1201", "1202", "1203"):
        city.sign(room, on=date(2026, 3, 2))
    city.settle()
    prepare, nows = area._prepare, []

    def and_a_minute_passes(job: Job) -> list[Task]:
        nows.append(job.now)
        city.clock.advance(timedelta(seconds=40))
        return prepare(job)

    area.actions = [Action("meeting", and_a_minute_passes)]
    city.restart()
    city.clock.set(city.at("2026-03-05 23:59"))
    city.settle()
    assert nows == [city.at("2026-03-05 23:59")] * 3
    assert len(set(rows(city.store, tasks, "key"))) == 3
    assert set(rows(city.store, plans, "status")) == {("done",)}
