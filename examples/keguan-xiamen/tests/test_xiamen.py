"""What is different in Xiamen, worked out by hand from its leaflet on warranty service."""

from __future__ import annotations

from datetime import date

import pytest
from keguan.testing import PROJECT, Sale, SampleCity


@pytest.fixture
def sale(city: SampleCity) -> Sale:
    """A home that is handed over on 10 March 2026."""
    sale = city.sign("1201")
    city.run_until(city.at("2026-03-10 10:00"))
    city.hand_over(sale)
    city.settle()
    return sale


def test_an_engineer_calls_within_24_hours_of_a_repair_report(city: SampleCity, sale: Sale) -> None:
    city.run_until(city.at("2026-03-13 17:00"))  # a Friday evening: hours are hours, at the weekend too
    city.tell("repair_reported", sale.home)
    city.settle()
    reported = next(promised for promised in city.promises(sale.home) if promised.action == "call")
    assert reported.due_at == city.at("2026-03-14 17:00")
    assert "0592-000-0000" in city.sent[-1].text
    city.run_until(city.at("2026-03-14 16:00"))
    city.finish("call", sale)
    [reported] = [promised for promised in city.promises(sale.home) if promised.action == "call"]
    assert reported.status == "kept"


def test_each_report_is_answered(city: SampleCity, sale: Sale) -> None:
    for day in ("2026-03-16", "2026-03-18"):
        city.run_until(city.at(f"{day} 09:00"))
        city.tell("repair_reported", sale.home)
        city.settle()
        city.finish("call", sale)
    found = [promised.status for promised in city.promises(sale.home) if promised.action == "call"]
    assert found == ["kept", "kept"]


def test_the_ends_of_warranties_are_posted_by_customer_relations_and_nobody_gets_a_message(
    city: SampleCity, sale: Sale
) -> None:
    city.run_until(date(2028, 4, 1))
    city.expect_nothing("warranty_expiry_reminder", sale)
    posted = city.expect("warranty_expiry_notice", city.project(PROJECT), due="2028-02-10")
    assert posted.clause.startswith("厦门保修服务说明")


@pytest.mark.parametrize(
    ("visit", "due"),
    [
        ("xiamen_windows_visit", "2026-09-10"),
        ("xiamen_entrance_doors_visit", "2027-03-10"),
        ("xiamen_fire_doors_visit", "2027-09-10"),
    ],
)
def test_homes_are_maintained_part_by_part_within_the_warranty(
    city: SampleCity, sale: Sale, visit: str, due: str
) -> None:
    city.expect(visit, city.project(PROJECT), "planned", due=due)


def test_community_events_are_led_by_customer_relations(city: SampleCity, sale: Sale) -> None:
    city.run_until(date(2027, 5, 1))
    promised = city.expect("community_culture", city.project(PROJECT), occurrence=2027)
    assert promised.clause.startswith("厦门保修服务说明")
