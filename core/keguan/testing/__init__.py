"""What authors of plugins test with: a city of one's own that lives through years in a moment.

Opt in with ``pytest_plugins = "keguan.testing"`` in ``conftest.py``; then a test reads like the standard::

    def test_the_buyer_is_congratulated_on_the_next_morning(sample_city):
        city = sample_city({"greetings": greetings})     # plugins by name: their modules
        sale = city.sign("1201", on=date(2026, 3, 2))
        city.run_until(date(2026, 3, 4))
        city.expect("congratulation", sale, "kept", due="2026-03-03 09:30")
        assert city.sent[0].text.startswith("【云璟】")

Everything but the way out is real: the records are changed as an import changes them, the daemon's own code
plans, runs and delivers. Time passes only when told to, and messages end in a list.

PYTEST_DONT_REWRITE: a conftest may import from here before it names the plugin; our assertions say all themselves.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from keguan.adapters.memory import MemoryAdapter, Sent
from keguan.intake.facts import PersonFacts
from keguan.store.engine import Store, open_store
from keguan.store.migrate import upgrade
from keguan.testing.expectations import Expectations
from keguan.testing.happenings import PROJECT, Sale
from keguan.testing.place import CITY

__all__ = ["CITY", "PROJECT", "MemoryAdapter", "PersonFacts", "Sale", "SampleCity", "Sent"]


class SampleCity(Expectations):
    """An installation with one city and one project, on a virtual clock; its arguments are those of ``Place``.

    What happens: ``sign``, ``change``, ``cancel``, ``hand_over``, ``move_in``, ``resell``, ``project``, ``customer``,
    ``tell``. What people do: ``finish``, ``leave``. Time: ``settle``, ``run_until``. What became of it: ``expect``,
    ``expect_nothing``, ``expect_journey``, ``promises``, ``sent``.
    """


@pytest.fixture(scope="session")
def keguan_empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy: migrating takes longer than most tests."""
    folder = tmp_path_factory.mktemp("keguan")
    file = folder / "empty.db"
    store = open_store(f"sqlite:///{file}", folder)
    upgrade(store)
    store.close()
    return file


@pytest.fixture
def keguan_store(tmp_path: Path, keguan_empty_database: Path) -> Iterator[Store]:
    """A fresh SQLite database. Override it to test on PostgreSQL."""
    shutil.copyfile(keguan_empty_database, tmp_path / "keguan.db")
    store = open_store(f"sqlite:///{tmp_path / 'keguan.db'}", tmp_path)
    yield store
    store.close()


@pytest.fixture
def sample_city(tmp_path: Path, keguan_store: Store) -> Callable[..., SampleCity]:
    """Builds a ``SampleCity``: give it the plugins, and what else that class takes."""
    return partial(SampleCity, tmp_path, keguan_store)
