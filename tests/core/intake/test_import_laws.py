"""Whatever order rows come in, however often: the same records, and every event once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.databases import SqliteTemplate
from tests.support.front_desk import FrontDesk

from keguan.intake.report import ImportReport
from keguan.store.engine import open_store

HEADER = "合同编号,房号,客户姓名,手机号,证件号码,落定日期,签约日期,状态"
BASE = date(2026, 1, 1)
NAMES = ("王伟", "李娜", "孙丽")
PHONES = ("13800138000", "13800138001", "")
NUMBERS = ("110101199003070038", "G12345678", "")


@st.composite
def contract(draw: st.DrawFn) -> tuple[str, ...]:
    """The rows of one contract, without its number and room: one to three buyers of different names."""
    deposit = BASE + timedelta(days=draw(st.integers(0, 20)))
    signed = draw(st.none() | st.integers(0, 20).map(lambda days: deposit + timedelta(days=days)))
    status = draw(st.sampled_from(("", "已签约", "已退房"))) if signed else ""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    return tuple(
        f"{name},{draw(st.sampled_from(PHONES))},{draw(st.sampled_from(NUMBERS))},{deposit},{signed or ''},{status}"
        for name in names
    )


files = st.lists(contract(), min_size=1, max_size=5)


def numbered(contracts: Sequence[tuple[str, ...]]) -> list[list[str]]:
    """Give each contract its number and its room."""
    return [[f"HT-{n},{1201 + n},{row}" for row in rows] for n, rows in enumerate(contracts)]


def text(groups: Sequence[Sequence[str]]) -> str:
    return "\n".join([HEADER, *(row for group in groups for row in group)])


@pytest.fixture(scope="module")
def desks(sqlite_template: SqliteTemplate) -> Desks:
    return Desks(sqlite_template)


class Desks:
    """As many fresh desks as an example needs; SQLite only, since these are laws of comparing, not of storing."""

    def __init__(self, template: SqliteTemplate) -> None:
        self._template = template

    def run(self, *imports: str) -> tuple[dict[str, list[Any]], FrontDesk, list[ImportReport]]:
        """Return the records after these files, and what the last of them came to."""
        folder = Path(tempfile.mkdtemp(prefix="laws-"))
        store = open_store(self._template.copy_to(folder / "keguan.db"), folder)
        try:
            desk = FrontDesk(store, folder)
            reports = [desk.contracts(one) for one in imports]
            return desk.state(), desk, reports
        finally:
            store.close()
            shutil.rmtree(folder)


quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@quick
@given(contracts=files)
def test_importing_again_changes_nothing(desks: Desks, contracts: list[tuple[str, ...]]) -> None:
    file = text(numbered(contracts))
    once, _, _ = desks.run(file)
    twice, _, reports = desks.run(file, file)
    assert twice == once
    assert reports[-1].accepted == 0


@quick
@given(contracts=files, data=st.data())
def test_the_order_of_contracts_does_not_matter(
    desks: Desks, contracts: list[tuple[str, ...]], data: st.DataObject
) -> None:
    groups = numbered(contracts)
    shuffled = data.draw(st.permutations(groups))
    assert desks.run(text(shuffled))[0] == desks.run(text(groups))[0]


@quick
@given(contracts=files, data=st.data())
def test_repeated_rows_count_once(desks: Desks, contracts: list[tuple[str, ...]], data: st.DataObject) -> None:
    groups = numbered(contracts)
    rows = [row for group in groups for row in group]
    again = data.draw(st.lists(st.sampled_from(rows), max_size=4))
    assert desks.run(text([*groups, again]))[0] == desks.run(text(groups))[0]


@quick
@given(before=files, after=files)
def test_a_changed_file_is_taken_over_once(
    desks: Desks, before: list[tuple[str, ...]], after: list[tuple[str, ...]]
) -> None:
    first, second = text(numbered(before)), text(numbered(after))
    once, _, _ = desks.run(first, second)
    twice, _, _ = desks.run(first, second, second)
    assert twice == once
