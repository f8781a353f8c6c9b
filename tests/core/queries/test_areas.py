"""What areas say of their plans: asked one plugin at a time, and one that raises is named and says nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import NoReturn

from tests.support.flow import Area

from keguan.model import Action, Contract, Project, Remarks
from keguan.queries.areas import Areas
from keguan.testing import SampleCity

CONTRACT = Contract(1, "HT-001", Project(1, "云璟一期", "shenzhen"))


def raises(*_given: object) -> NoReturn:
    """A plugin with a mistake in it."""
    raise ValueError("13800138000 is wrong")


def said(city: str, clause: str, language: str) -> Remarks:
    """Repeat what was asked."""
    return Remarks(ours=(f"{city} {clause} {language}",))


def torn() -> Area:
    """An area with one action that answers, one that raises, and one that has nothing to say."""
    return Area(
        Action("sound", lambda _: [], remarks=said, touches=lambda contract, day: day.year == 2026),
        Action("broken", lambda _: [], remarks=raises, touches=raises),
        Action("silent", lambda _: []),
    )


def test_each_says_what_it_knows_and_one_that_raises_is_named(sample_city: Callable[..., SampleCity]) -> None:
    areas = Areas.of(sample_city({"torn": torn()}).installation.plugins)
    assert areas.remarks("torn", "sound", "shenzhen", "§ 1", "en") == Remarks(ours=("shenzhen § 1 en",))
    assert areas.touches("torn", "sound", CONTRACT, date(2026, 3, 2))
    assert not areas.touches("torn", "sound", CONTRACT, date(2027, 3, 2))
    assert areas.failures == []
    assert areas.remarks("torn", "broken", "shenzhen", "§ 1", "en") == Remarks()
    assert not areas.touches("torn", "broken", CONTRACT, date(2026, 3, 2))
    [failure] = areas.failures
    assert "torn" in failure
    assert "broken" in failure
    assert "13800138000" not in failure


def test_actions_that_say_nothing_and_those_of_plugins_that_are_away_are_silent(
    sample_city: Callable[..., SampleCity],
) -> None:
    areas = Areas.of(sample_city({"torn": torn()}).installation.plugins)
    for plugin, action in (("torn", "silent"), ("gone", "sound")):
        assert areas.remarks(plugin, action, "shenzhen", "", "en") == Remarks()
        assert not areas.touches(plugin, action, CONTRACT, date(2026, 3, 2))
        assert areas.label(plugin, action, "en") is None
