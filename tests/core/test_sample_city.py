"""What authors of plugins test with tells when something is otherwise than expected."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from tests.support.flow import Area, greet, templates

from keguan import Action, Plan
from keguan.adapters.base import Outcome
from keguan.testing import SampleCity

Build = Callable[..., SampleCity]


@pytest.fixture
def city(sample_city: Build, tmp_path: Path) -> SampleCity:
    def on_the_next_day(contract: Any, context: Any) -> list[Plan]:
        return [Plan("greet", context.city.at(date(2026, 3, 3), time(9, 30)), clause="G 1")]

    area = Area(Action("greet", greet), signed=on_the_next_day)
    return sample_city({"area": area}, templates=templates(tmp_path))


def test_an_expectation_that_holds_gives_the_promise(city: SampleCity) -> None:
    sale = city.sign()
    city.run_until(date(2026, 3, 3))
    kept = city.expect("greet", sale, "kept", due="2026-03-03 09:30", done="2026-03-03 09:30")
    assert kept.clause == "G 1"
    assert city.expect("greet", sale.contract) == kept
    city.expect_nothing("greet", sale.home)


@pytest.mark.parametrize(
    "wrong", [{"status": "kept"}, {"due": "2026-03-04 09:30"}, {"done": "2026-03-03 09:30"}, {"why": "the moon"}]
)
def test_an_expectation_that_fails_shows_what_is_promised(city: SampleCity, wrong: dict[str, str]) -> None:
    sale = city.sign()
    city.settle()
    with pytest.raises(AssertionError, match="greet"):
        city.expect("greet", sale, **wrong)  # type: ignore[arg-type]  # a table of arguments


def test_what_was_never_promised_is_told_apart(city: SampleCity) -> None:
    sale = city.sign()
    city.settle()
    with pytest.raises(AssertionError, match=r"visit is not promised.*\n.*greet"):
        city.expect("visit", sale)
    with pytest.raises(AssertionError, match="greet is promised"):
        city.expect_nothing("greet", sale)
    city.expect_nothing("visit", sale)


def test_time_passes_only_when_told_to(city: SampleCity) -> None:
    before = city.clock.now()
    city.sign()
    city.settle()
    assert city.clock.now() == before
    city.run_until(date(2026, 3, 2))
    assert city.clock.now() == city.at("2026-03-02 23:59")
    city.run_until(datetime.fromisoformat("2026-03-03T09:29+08:00"))
    assert city.sent == []


def test_the_other_side_may_be_told_how_to_answer(city: SampleCity) -> None:
    city.adapter.answer_next(Outcome.PERMANENT)
    first, second = city.sign("101"), city.sign("102")
    city.run_until(date(2026, 3, 3))
    assert len(city.adapter.attempts) == 2
    assert len(city.sent) == 1
    city.expect("greet", first, "failed")
    city.expect("greet", second, "kept")
