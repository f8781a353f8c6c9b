"""A company in Wuhan that works by the 6+2 steps, as values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

import keguan_sixplustwo as sixplustwo
from keguan import City, Company, Context, Contract, Event, Home, Job, Person, Plan, Project, Record
from keguan.calendar import WorkCalendar
from keguan.model import Branch, Customer, Pins
from keguan_sixplustwo import Playbook

SHANGHAI = ZoneInfo("Asia/Shanghai")
WUHAN = City("wuhan", "武汉", SHANGHAI, quiet_from=time(20), quiet_until=time(9))
CALENDAR = WorkCalendar(zone=SHANGHAI)
TODAY = date(2026, 3, 2)
PROJECT = Project(1, "云璟一期", "wuhan")
OWNERS = (Person(1, "甲", "+8613800000001"), Person(2, "乙", "+8613800000002"))

Variant = Callable[[Playbook, str], object]


@pytest.fixture
def company() -> Callable[..., Context]:
    """Return the context that hooks get, for these settings and these variants (plugin name → its hook)."""

    def build(
        variants: dict[str, Variant] | None = None,
        edition: str = "guide",
        project_editions: dict[str, str] | None = None,
        settings: dict[str, object] | None = None,
        pins: Pins = Pins(),  # noqa: B008 - a value
        through: date = date(2027, 12, 31),
        since: date = date.min,
    ) -> Context:
        def ask(_spec: object, city: str, playbook: Playbook) -> list[tuple[str, object]]:
            return [(name, adjust(playbook, city)) for name, adjust in sorted((variants or {}).items())]

        table = {"edition": edition, "project_editions": project_editions or {}} | (settings or {})
        model = sixplustwo.Settings.model_validate(table)
        prepared = sixplustwo.prepare(model, {"wuhan": WUHAN}, ask)
        return Context(WUHAN, CALENDAR, model, prepared, "zh", through, since, pins)

    return build


@pytest.fixture
def having() -> Callable[..., Variant]:
    """Return a variant that adds one touchpoint, of which these fields matter."""

    def build(touchpoint: str, **fields: object) -> Variant:
        usual: dict[str, object] = {
            "step": "2", "name": {"zh": touchpoint, "en": touchpoint}, "kind": "task", "owner": "客关"
        }  # fmt: skip

        def adjust(playbook: Playbook, _city: str) -> Playbook:
            return playbook.add(touchpoint, **usual | fields)  # type: ignore[arg-type]  # fields, by name

        return adjust

    return build


@pytest.fixture
def promised() -> Callable[..., dict[int, Plan]]:
    """Return the plans that a record has for one touchpoint, by the number of the occurrence."""

    def find(touchpoint: str, record: Record, context: Context, **event: object) -> dict[int, Plan]:
        plans = [plan for plan in all_plans(record, context, **event) if plan.action == touchpoint]
        found = {plan.occurrence: plan for plan in plans}
        assert len(found) == len(plans)
        return found

    return find


@pytest.fixture
def days() -> Callable[..., dict[int, str]]:
    """Return the days that plans fall due on, by the number of the occurrence."""
    return lambda plans: {number: f"{plan.due.astimezone(SHANGHAI):%Y-%m-%d}" for number, plan in plans.items()}


def all_plans(record: Record, context: Context, **event: object) -> list[Plan]:
    """Return what a record is promised, because of all that it can have been through or of this event alone."""
    if event:
        return sixplustwo.on_event(happened(record, **event), record, context)
    match record:
        case Contract():
            kinds = [sixplustwo.on_event(happened(record, type="deposit"), record, context)]
            return [*kinds[0], *(sixplustwo.on_contract_signed(record, context) if record.signed_on else ())]
        case Home():
            return sixplustwo.on_handover(record, context)
        case Branch():
            return sixplustwo.daily_tick(TODAY, record, context)
        case Customer():
            return sixplustwo.on_event(happened(record, type="customer_changed"), record, context)
        case _:
            return sixplustwo.on_event(happened(record, type="project_milestone"), record, context)


def happened(record: Record, **fields: object) -> Event:
    """Return an event about ``record``."""
    known: dict[str, object] = {"seq": 1, "time": datetime(2026, 3, 2, 4, tzinfo=UTC)} | fields
    return Event(source="test", id="1", subject=record.ref, city="wuhan", **known)  # type: ignore[arg-type]  # by name


@pytest.fixture
def contract() -> Callable[..., Contract]:
    """Return a contract with two owners and these dates."""

    def build(handed_over_on: date | None = None, **fields: object) -> Contract:
        home = Home(1, PROJECT, "3", "1", "1201", handed_over_on=handed_over_on)
        known: dict[str, object] = {"project": PROJECT, "home": home, "owners": OWNERS} | fields
        return Contract(1, "HT-001", **known)  # type: ignore[arg-type]  # fields of the contract, by name

    return build


@pytest.fixture
def home() -> Callable[..., Home]:
    """Return a home with two owners and these dates."""

    def build(**fields: object) -> Home:
        known: dict[str, object] = {"owners": OWNERS} | fields
        return Home(1, PROJECT, "3", "1", "1201", **known)  # type: ignore[arg-type]  # fields of the home, by name

    return build


@pytest.fixture
def clock() -> Callable[[datetime], str]:
    """Return an instant as the city's clocks show it."""
    return lambda instant: f"{instant.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


@pytest.fixture
def job() -> Callable[..., Job]:
    """Return the job of a plan for a record, by default at its due time."""

    def build(plan: Plan, record: Record, context: Context, now: datetime | None = None) -> Job:
        return Job(
            key=f"sixplustwo.{plan.action}:{record.ref.type}:{record.ref.id}:1",
            action=plan.action,
            record=record,
            due=plan.due,
            until=plan.until,
            occurrence=plan.occurrence,
            clause=plan.clause,
            late=False,
            now=now or plan.due,
            company=Company("云璟地产", "400-000-0000", "云璟地产"),
            context=context,
        )

    return build
