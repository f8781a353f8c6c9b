"""Forty journeys worked out by hand (`journeys.md` beside this file), lived through by the software."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.journeys.living import Life
from tests.journeys.reading import Journey, read_cast, read_journeys

from keguan.testing import SampleCity

JOURNEYS = read_journeys()
CAST = read_cast()
ON_BOTH_DATABASES = {1, 7, 22}
"""A whole first year, dates that move behind today, and warranties over years: where rows are replaced most."""


def _cases() -> list[object]:
    here = [pytest.param("sqlite", journey, id=str(journey)) for journey in JOURNEYS]
    there = [
        pytest.param("postgres", journey, id=f"{journey} (PostgreSQL)", marks=pytest.mark.postgres)
        for journey in JOURNEYS
        if journey.number in ON_BOTH_DATABASES
    ]
    return [*here, *there]


@pytest.mark.parametrize(("keguan_store", "journey"), _cases(), indirect=["keguan_store"])
def test_what_was_worked_out_by_hand_is_what_happens(journey: Journey, sample_city: Callable[..., SampleCity]) -> None:
    life = Life(journey, CAST, sample_city)
    life.live()
    differences = list(life.differences())
    assert not differences, f"journey {journey.number}, {journey.title}:\n" + "\n".join(
        f"- {one}" for one in differences
    )


def test_there_are_forty_of_them_numbered_in_order() -> None:
    assert [journey.number for journey in JOURNEYS] == list(range(1, 41))


def test_every_line_of_a_table_is_within_what_the_table_says_it_holds() -> None:
    for journey in JOURNEYS:
        for promise in journey.promises:
            held = [scope.actions for scope in journey.scopes if scope.whose == promise.whose]
            said = any(not actions or promise.action in actions for actions in held)
            assert said, f"journey {journey.number}: the table holds {promise.name} and does not say so"
