"""A company in Wuhan that works by the 6+2 steps, as values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

import keguan_sixplustwo as sixplustwo
from keguan import City, Company, Context, Contract, Home, Job, Person, Plan, Project, Record
from keguan.calendar import WorkCalendar
from keguan_sixplustwo import Playbook

SHANGHAI = ZoneInfo("Asia/Shanghai")
WUHAN = City("wuhan", "武汉", SHANGHAI, quiet_from=time(20), quiet_until=time(9))
CALENDAR = WorkCalendar(zone=SHANGHAI)
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
    ) -> Context:
        def ask(_spec: object, city: str, playbook: Playbook) -> list[tuple[str, object]]:
            return [(name, adjust(playbook, city)) for name, adjust in sorted((variants or {}).items())]

        settings = sixplustwo.Settings.model_validate({"edition": edition, "project_editions": project_editions or {}})
        return Context(
            WUHAN, CALENDAR, settings, sixplustwo.prepare(settings, {"wuhan": WUHAN}, ask), "zh", date(2027, 12, 31)
        )

    return build


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
