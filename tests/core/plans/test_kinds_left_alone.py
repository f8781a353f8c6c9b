"""What follows on a task, or a business day wanted, is nothing that a record's hooks can move or take back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from tests.support.flow import Area, call, only, rows

from keguan import Action, Contract, Plan
from keguan.store.schema import plans
from keguan.testing import SampleCity


@pytest.mark.parametrize("kind", ["after", "tick"])
@pytest.mark.parametrize("wanted", [True, False], ids=["wanted otherwise", "not wanted"])
def test_asking_again_leaves_it_as_it_is(sample_city: Callable[..., SampleCity], kind: str, *, wanted: bool) -> None:
    days, wants = 5, True

    def signed(contract: Contract, context: Any) -> list[Plan]:
        return [Plan("call", city.at("2026-03-09 09:00") + timedelta(days=days))] if wants else []

    city = sample_city({"area": Area(Action("call", call), signed=signed)})
    sale = city.sign()
    city.settle()
    with city.store.write() as connection:
        connection.execute(update(plans).values(kind=kind))
    before = only(rows(city.store, plans))
    days, wants = 20, wanted
    city.tell("contract_signed", sale.contract)
    settled = city.settle()
    assert (settled.planned, settled.moved, settled.cancelled) == (0, 0, 0)
    assert only(rows(city.store, plans)) == before
