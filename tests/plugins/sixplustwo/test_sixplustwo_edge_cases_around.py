"""The edge cases that come from around the journey: addresses, calendars, variants, midnight, sheer numbers.

The index of all edge cases stands at the top of `test_sixplustwo_edge_cases.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from types import MethodType

import pytest
from sqlalchemy import func, insert, select
from tests.support.kinds import EITHER, store_for

import keguan_sixplustwo
from keguan import hookimpl
from keguan.adapters.base import Outcome, Report
from keguan.calendar import CalendarTable, DayRow
from keguan.calendars import NATIONAL, store_table
from keguan.clock import VirtualClock
from keguan.people.consent import opt_out
from keguan.store.engine import Store
from keguan.store.schema import homes, messages, owners, people, plans
from keguan.testing import PersonFacts, SampleCity
from keguan_sixplustwo import Playbook

LI = PersonFacts("李红", "+8613800138002", birthday=date(1992, 2, 29))
WANG = PersonFacts("王小明", "+8613800138001", birthday=date(1990, 3, 8))
NEXT_YEAR = date(2027, 6, 30)


@pytest.fixture
def keguan_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """One kind of database is enough, unless a test asks for either."""
    with store_for(request, tmp_path) as store:
        yield store


@pytest.fixture
def city(sample_city: Callable[..., SampleCity]) -> SampleCity:
    """A city on Monday 2 March 2026 at ten."""
    return sample_city({"sixplustwo": keguan_sixplustwo})


def sent_to(city: SampleCity, phone: str | None) -> list[str]:
    """The days on which something left for that number."""
    return [f"{each.at + timedelta(hours=8):%m-%d}" for each in city.sent if each.message.to_address == phone]


def test_a_changed_phone_is_the_one_that_is_called(city: SampleCity) -> None:
    sale = city.sign(buyer=WANG)
    city.settle()
    city.customer(PersonFacts("王小明", "+8613900139009"))
    city.change(sale, on=city.today, people=(PersonFacts("王小明", "+8613900139009"),))
    city.run_until(date(2026, 3, 3))
    assert (sent_to(city, WANG.phone), sent_to(city, "+8613900139009")) == ([], ["03-03"])


def test_nobody_writes_to_an_owner_who_opted_out(city: SampleCity) -> None:
    sale = city.sign(buyer=WANG)
    city.settle()
    with city.store.write() as connection:
        opt_out(connection, city.buyers(sale)[0].id, source="call", now=city.clock.now(), who="周敏")
    city.run_until(date(2026, 3, 8))
    assert city.sent == []
    for action in ("sms_congratulation", "sms_service_supervision"):
        city.expect(action, sale, "waived", why="opted out")
    city.expect("birthday_sms", sale, "waived", occurrence=2026)
    city.expect("signing_callback", sale, "late")  # a call is no message: a person decides


def test_an_owner_without_a_phone_is_told_by_a_person(city: SampleCity) -> None:
    sale = city.sign(buyer=PersonFacts("赵敏"))
    city.run_until(city.at("2026-03-03 12:00"))
    assert city.sent == []
    assert city.expect("sms_congratulation", sale, "due", due="2026-03-03").kind == "task"


def test_a_number_that_bounced_gets_no_second_message(city: SampleCity) -> None:
    city.adapter.answer_next(Report(Outcome.PERMANENT, "no such number", bounces=True))
    sale = city.sign(buyer=WANG)
    city.run_until(date(2026, 3, 8))
    city.expect("sms_congratulation", sale, "failed")
    city.expect("sms_service_supervision", sale, "waived", why="refused as not existing")
    assert (len(city.adapter.attempts), city.sent) == (1, [])


@EITHER
def test_a_calendar_corrected_in_mid_year_moves_what_counts_working_days(city: SampleCity) -> None:
    sale = city.sign(planned_handover_on=date(2026, 6, 30))
    city.settle()
    city.expect("signing_callback", sale, "planned", due="2026-03-05")
    with city.store.write() as connection:
        off = tuple(DayRow(date(2026, month, day), False, "storm", "national") for month, day in ((3, 4), (6, 15)))
        store_table(connection, CalendarTable(off, frozenset()), NATIONAL, city.clock.now())
    city.settle()
    city.expect("signing_callback", sale, "planned", due="2026-03-06")
    city.expect("welcome_kit", sale, "planned", due="2026-06-12")  # counts back: the Friday before
    city.expect("sms_congratulation", sale, "planned", due="2026-03-03 09:30")  # messages wait for no office


class Variant:
    """A city's variant, as it was installed at one time."""

    def __init__(self, adjust: Callable[[Playbook], Playbook]) -> None:
        self._adjust = adjust

    @hookimpl
    def sixplustwo_adjust(self, playbook: Playbook) -> Playbook:
        """Adjust the guide."""
        return self._adjust(playbook) if playbook.edition == "guide" else playbook


def test_an_entry_removed_from_the_playbook_is_not_done_any_more(city: SampleCity) -> None:
    sale = city.sign(planned_handover_on=NEXT_YEAR)
    city.run_until(city.at("2026-03-04 10:00"))
    city.restart(plugins={"ours": Variant(lambda playbook: playbook.remove("sms_service_supervision"))})
    city.run_until(date(2026, 3, 8))
    city.expect("sms_congratulation", sale, "kept")  # history stays
    found = city.expect("sms_service_supervision", sale)
    assert found.status in ("missed", "cancelled")
    assert found.why
    assert sent_to(city, "+8613800138000") == ["03-03"]


@EITHER
def test_a_variant_that_is_uninstalled_takes_its_own_promises_along(sample_city: Callable[..., SampleCity]) -> None:
    def adjust(playbook: Playbook) -> Playbook:
        playbook = playbook.change("signing_callback", due="contract_signed + 8 workdays")
        return playbook.add(
            "our_call", step="2", name={"zh": "本地回访", "en": "our call"}, kind="task", trigger="contract_signed",
            due="contract_signed + 4 days", owner="客关",
        )  # fmt: skip

    city = sample_city({"sixplustwo": keguan_sixplustwo, "ours": Variant(adjust)})
    sale = city.sign(planned_handover_on=NEXT_YEAR)
    city.settle()
    city.expect("our_call", sale, "planned", due="2026-03-06")
    city.expect("signing_callback", sale, "planned", due="2026-03-12")
    del city.plugins["ours"]
    city.restart()
    city.change(sale, on=date(2026, 3, 2), planned_handover_on=date(2027, 7, 31))  # whatever is told next
    city.run_until(date(2026, 3, 9))
    city.expect("signing_callback", sale, "late", due="2026-03-05")
    assert city.expect("our_call", sale).status in ("missed", "cancelled")
    city.expect("sms_service_supervision", sale, "kept")  # everything else goes on


@EITHER
def test_midnight_within_a_batch_changes_no_day_and_doubles_nothing(sample_city: Callable[..., SampleCity]) -> None:
    start = datetime.fromisoformat("2026-12-31T23:59:58+08:00")
    city = sample_city({"sixplustwo": keguan_sixplustwo}, start=start)
    buyers = [PersonFacts(f"业主{number}", f"+86138{number:08}") for number in range(12)]
    sales = [city.sign(buyer.phone or "", buyer=buyer, planned_handover_on=NEXT_YEAR) for buyer in buyers]
    still = VirtualClock.now

    def ticking(clock: VirtualClock) -> datetime:
        clock.advance(timedelta(milliseconds=200))  # whoever looks at the clock finds it a little later
        return still(clock)

    city.clock.now = MethodType(ticking, city.clock)  # type: ignore[method-assign]  # a clock that goes by itself
    city.settle()
    assert city.today == date(2027, 1, 1)
    del city.clock.now
    city.run_until(city.at("2027-01-01 12:00"))
    assert len({city.journey(sale.contract) for sale in sales}) == 1
    city.expect("sms_congratulation", sales[0], due="2027-01-01 09:30")
    company = [one.key for one in city.promises(city.branch)]
    assert len(company) == len(set(company))
    city.expect("annual_activity_plan", city.branch, occurrence=2027, due="2027-02-01")


def test_sixty_thousand_birthdays_and_warranties_on_one_day(city: SampleCity) -> None:
    project = city.project()
    city.run_until(city.at("2026-03-08 09:00"))
    _sixty_thousand(city, project.id, city.at("2026-03-08 09:30"))
    city.clock.set(city.at("2026-03-08 09:31"))
    ran = sum(city.engine.run().claimed for _ in range(4))  # as many as a test has time for
    with city.store.read() as connection:
        rows = connection.execute(select(messages.c.plan_id, messages.c.action, messages.c.person_id)).all()
        open_plans = select(func.count()).where(plans.c.status == "planned", plans.c.due_at <= city.clock.now())
        assert connection.execute(open_plans).scalar_one() == 60_000 - ran
        [ended] = connection.execute(
            select(messages.c.body).where(messages.c.action == "warranty_expiry_reminder").limit(1)
        ).scalars()
    assert ran == 4 * city.installation.settings.runner.dispatch_batch
    # one for each home that lists its components, one for each person
    assert len({row.plan_id for row in rows}) == len({(row.action, row.person_id) for row in rows}) == len(rows) == ran
    assert {row.action for row in rows} == {"birthday_sms", "warranty_expiry_reminder"}
    assert "electric wiring, water pipes and drains, installation of equipment" in ended


def _sixty_thousand(city: SampleCity, project: int, due: datetime) -> None:
    """Put 30,000 owners with a home each into the tables: a birthday and the end of a warranty on one morning."""
    since, now, numbers = date(2024, 4, 8), city.clock.now(), range(1_000, 31_000)
    promise = {
        "plugin": "sixplustwo", "round": 0, "event_seq": 0, "clause": "6+2指引", "project_id": project,
        "city": city.key, "due_at": due, "run_at": due, "until_at": due + timedelta(hours=14), "status": "planned",
        "by_calendar": False, "provisional": False, "late_at_creation": False, "stale": False, "created_at": now,
        "changed_at": now,
    }  # fmt: skip
    wish = {"action": "birthday_sms", "subject_type": "customer", "occurrence": 2026, "kind": "customer_changed"}
    ended = {"action": "warranty_expiry_reminder", "subject_type": "home", "occurrence": 5, "kind": "handover"}
    born = date(1990, 3, 8)
    with city.store.write() as connection:
        connection.execute(
            insert(homes),
            [{"id": each, "project_id": project, "room": str(each), "handed_over_on": since} for each in numbers],
        )
        connection.execute(
            insert(people),
            [{"id": each, "name": "业主", "phone": f"+86138{each:08}", "birthday": born} for each in numbers],
        )
        connection.execute(insert(owners), [{"person_id": each, "home_id": each, "since": since} for each in numbers])
        connection.execute(
            insert(plans), [promise | kind | {"subject_id": each} for each in numbers for kind in (wish, ended)]
        )
