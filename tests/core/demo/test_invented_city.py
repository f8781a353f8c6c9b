"""The invented city: lives that could have happened, every rare thing among them."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from keguan.demo.city import Purchase, SyntheticCity, make_city
from keguan.demo.ledger import contract_entries, handover_entries, opt_outs

START, END = date(2023, 1, 1), date(2025, 12, 31)
CITIES = ("深圳", "武汉")

cities = st.builds(
    lambda homes, years, seed: make_city(homes, START, START + timedelta(days=365 * years), CITIES, seed),
    st.integers(1, 150),
    st.integers(1, 6),
    st.integers(0, 99),
)


def demo_city() -> SyntheticCity:
    return make_city(60, START, END, CITIES)


def test_the_same_seed_makes_the_same_city() -> None:
    assert make_city(30, START, END, CITIES, seed=5) == make_city(30, START, END, CITIES, seed=5)
    assert make_city(30, START, END, CITIES, seed=5) != make_city(30, START, END, CITIES, seed=6)


@settings(max_examples=25, deadline=None)
@given(cities)
def test_every_home_is_sold_once_until_it_is_resold(city: SyntheticCity) -> None:
    numbers = [life.contract_no for life in city.purchases]
    assert len(numbers) == len(set(numbers))
    first = [life.place for life in city.purchases if not life.contract_no.endswith("-2")]
    assert len(first) == len(set(first))
    resold = [life.place for life in city.purchases if life.contract_no.endswith("-2")]
    assert sorted(resold, key=str) == sorted((life.place for life in city.purchases if life.resold_on), key=str)


@settings(max_examples=25, deadline=None)
@given(cities)
def test_things_happen_in_the_order_of_life(city: SyntheticCity) -> None:
    for life in city.purchases:
        days = [life.deposit_on, life.signed_on, life.handed_over_on, life.move_in_on]
        known = [day for day in days if day is not None]
        assert known == sorted(known)
        assert life.signed_entered_on is None or life.signed_on is None or life.signed_entered_on >= life.signed_on
        assert not (life.cancelled_on and life.handed_over_on)
        assert life.resold_on is None or (life.handed_over_on is not None and life.resold_on > life.handed_over_on)


@settings(max_examples=25, deadline=None)
@given(cities)
def test_nothing_is_entered_before_it_happened(city: SyntheticCity) -> None:
    for entry in [*contract_entries(city), *handover_entries(city)]:
        assert entry.on <= city.end
        for name in ("deposit_on", "signed_on", "handed_over_on", "move_in_on"):
            day = entry.row.get(name)
            assert day is None or (isinstance(day, date) and day <= entry.on)


def test_sixty_homes_show_everything_that_is_rare() -> None:
    lives = demo_city().purchases

    def some(is_so: object) -> list[Purchase]:
        return [life for life in lives if is_so(life)]  # type: ignore[operator]  # a question about a life

    assert some(lambda life: life.cancelled_on and life.signed_on)
    assert some(lambda life: life.cancelled_on and not life.signed_on)
    assert some(lambda life: life.resold_on)
    assert some(lambda life: len(life.buyers) > 1)
    assert some(lambda life: life.buyers[0].phone is None)
    assert some(lambda life: life.postponed_on)
    assert some(lambda life: life.signed_on and life.signed_entered_on > life.signed_on)
    assert some(lambda life: life.handed_over_on and (life.handover_entered_on - life.handed_over_on).days > 100)
    assert some(lambda life: life.handed_over_on and life.move_in_on is None)
    assert opt_outs(demo_city())


def test_a_co_owner_stands_in_a_row_of_their_own() -> None:
    city = demo_city()
    life = next(life for life in city.purchases if len(life.buyers) > 1 and life.signed_entered_on)
    rows = [
        entry.row["customer"]
        for entry in contract_entries(city)
        if entry.row["contract_no"] == life.contract_no and entry.on == life.signed_entered_on
    ]
    assert rows == [buyer.name for buyer in life.buyers]
