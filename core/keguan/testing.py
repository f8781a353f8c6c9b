"""What authors of plugins test with: a city of one's own that lives through years in a moment.

Opt in with ``pytest_plugins = ["keguan.testing"]`` in ``conftest.py``; then a test reads like the standard::

    def test_the_buyer_is_congratulated_on_the_next_morning(sample_city):
        city = sample_city({"greetings": greetings})     # plugins by name: their modules
        sale = city.sign("1201", on=date(2026, 3, 2))
        city.run_until(date(2026, 3, 4))
        city.expect("congratulation", sale, "kept", due="2026-03-03 09:30")
        assert city.sent[0].text.startswith("【云璟】")

Everything but the way out is real: the records are changed as an import changes them, the daemon's own code
plans, runs and delivers. Time passes only when told to, and messages end in a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from keguan.adapters.memory import MemoryAdapter, Sent
from keguan.building import WayOut, build_engine, build_installation
from keguan.clock import VirtualClock
from keguan.events.log import NewEvent, append
from keguan.installation import Installation
from keguan.intake.book import Book
from keguan.intake.contracts import apply_contract, load_for_contracts
from keguan.intake.facts import ContractFacts, HandoverFacts, PersonFacts
from keguan.intake.handovers import apply_handover, load_for_handovers
from keguan.intake.resale import apply_resale
from keguan.model import Promised, Subject
from keguan.outbox.templates import Templates
from keguan.plugins.discovery import Installed
from keguan.queries.promises import read_promises
from keguan.queries.reader import Reader
from keguan.runner.engine import Engine, Settled
from keguan.runner.scopes import ScopeChange, apply_scopes
from keguan.settings import parse_settings
from keguan.store.engine import Store, open_store
from keguan.store.migrate import upgrade
from keguan.store.schema import plans

__all__ = ["CITY", "PROJECT", "MemoryAdapter", "Sale", "SampleCity", "Sent"]

CITY = "shenzhen"
PROJECT = "云璟一期"
_START = datetime(2026, 3, 2, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
_BUYER = PersonFacts("王小明", "+8613800138000", "wang@example.com")
_CONFIG = """
language = "en"
[company]
name = "云璟地产"
signature = "云璟"
hotline = "400-000-0000"
[cities.shenzhen]
name = "深圳"
"""


class Sale(NamedTuple):
    """A contract and the home that was bought by it."""

    contract_no: str
    contract: Subject
    home: Subject


class SampleCity:
    """An installation with one city and one project, on a virtual clock.

    Args:
        folder: where relative paths start.
        store: a migrated database; whoever gives it closes it.
        plugins: module (or object with hooks) of each plugin by name; all are on.
        config: TOML that stands behind a minimal configuration, such as tables of plugins.
        templates: for each plugin a folder that holds ``zh/`` and ``en/``, instead of the packages' own.
        start: what the clock shows first, aware.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        plugins: Mapping[str, object],
        *,
        config: str = "",
        templates: Mapping[str, Path] | None = None,
        start: datetime = _START,
    ) -> None:
        self.store = store
        self.clock = VirtualClock(start)
        self.adapter = MemoryAdapter()
        self.installation: Installation
        self.engine: Engine
        self._folder = folder
        self.plugins = dict(plugins)
        """Change them, then ``restart``."""
        self._templates = dict(templates or {})
        self._config = config
        self.restart()

    @property
    def sent(self) -> list[Sent]:
        """Every message that left, in order."""
        return self.adapter.sent

    # --- The installation ------------------------------------------------------------------------------------------

    def restart(self, *, config: str | None = None, plugins: Mapping[str, object] | None = None) -> list[ScopeChange]:
        """Start anew, as after a change of the configuration or a new version of a plugin; return what it changed."""
        self._config = self._config if config is None else config
        self.plugins |= plugins or {}
        tables = "".join(
            f"[plugins.{name}]\nenabled = true\n" for name in self.plugins if f"[plugins.{name}]" not in self._config
        )
        settings = parse_settings(_CONFIG + tables + self._config, self._folder / "config" / "keguan.toml", {})
        self.installation = build_installation(
            settings,
            self.store,
            self.clock,
            installed={name: _installed(name, it) for name, it in self.plugins.items()},
        )
        if self._templates:
            self.installation.templates = Templates(self._templates, None, settings.language, self.installation.company)
        way = WayOut("memory", self.adapter, ("email", "sms"), "hold")
        self.engine = build_engine(self.installation, ways=[way])
        return apply_scopes(self.installation)

    # --- What happens ----------------------------------------------------------------------------------------------

    def sign(self, room: str = "1201", *, on: date | None = None, buyer: PersonFacts = _BUYER, **facts: Any) -> Sale:
        """Sign a contract for the home ``room`` (a new one); ``on`` is today unless given.

        ``facts`` are further fields of ``ContractFacts``, such as ``deposit_on``.
        """
        sale = Sale(f"HT-{room}", Subject("contract", 0), Subject("home", 0))
        stated = {"room": room, "people": (buyer,), "status": "signed", **facts}
        return self.change(sale, on=on or self.today, **stated)

    def change(self, sale: Sale, *, on: date | None = None, **facts: Any) -> Sale:
        """Correct what is known of a contract: ``on`` is its date of signing, ``facts`` as for ``sign``."""
        stated = ContractFacts(sale.contract_no, PROJECT, CITY, signed_on=on, **facts)
        with self._book() as book:
            load_for_contracts(book, [stated])
            contract = apply_contract(book, stated).contract
        return Sale(sale.contract_no, Subject("contract", contract.id), Subject("home", contract.home_id or 0))

    def cancel(self, sale: Sale) -> None:
        """Cancel the contract."""
        self.change(sale, status="cancelled")

    def hand_over(self, sale: Sale, on: date | None = None) -> None:
        """Hand the home over, or correct the date."""
        self._take_over(HandoverFacts(sale.contract_no, PROJECT, handed_over_on=on or self.today))

    def move_in(self, sale: Sale, on: date | None = None) -> None:
        """Let the owners move in, or correct the date."""
        self._take_over(HandoverFacts(sale.contract_no, PROJECT, move_in_on=on or self.today))

    def resell(self, sale: Sale, to: PersonFacts, on: date | None = None) -> None:
        """Let the home go on to ``to``; the contract it was bought by is over."""
        with self._book() as book:
            facts = HandoverFacts(sale.contract_no, PROJECT)
            load_for_handovers(book, [facts])
            apply_resale(book, book.homes[sale.home.id], to, on or self.today)

    def tell(
        self, kind: str, about: Subject, *, event_id: str = "", at: datetime | None = None, **data: object
    ) -> None:
        """Put an event into the log, such as one of a type that the plugin registered."""
        now = self.clock.now()
        fact = NewEvent("test", event_id or f"{kind}/{about.id}/{now.isoformat()}", kind, at or now, about, CITY, data)
        with self.store.write() as connection:
            append(self.store, connection, [fact], now)

    # --- Time ------------------------------------------------------------------------------------------------------

    @property
    def today(self) -> date:
        """The business date."""
        return self.installation.city(CITY).today(self.clock.now())

    def at(self, text: str) -> datetime:
        """Return the instant that the city's clocks show as ``2026-03-02 09:30``."""
        return datetime.fromisoformat(text).replace(tzinfo=self.installation.city(CITY).zone)

    def settle(self) -> Settled:
        """Do everything that is to do at this instant."""
        return self.engine.settle()

    def run_until(self, when: date | datetime) -> Settled:
        """Live through the time until ``when``: an aware instant, or the last minute of a day."""
        if not isinstance(when, datetime):
            when = self.installation.city(CITY).at(when, time(23, 59))
        return self.engine.fast_forward(self.clock, when)

    # --- What became of it -----------------------------------------------------------------------------------------

    def promises(self, about: Sale | Subject | None = None) -> list[Promised]:
        """Return the promises to the contract and the home of a sale, to one subject, or all, in order of time."""
        subjects = about[1:] if isinstance(about, Sale) else (about,)
        reader = Reader(self.store, self.installation.settings, self.clock.now(), self.installation.language)
        with self.store.read() as connection:
            every = list(read_promises(reader, connection, plans.c.id > 0))
        return [one for one in every if about is None or one.subject in subjects]

    def expect(
        self,
        action: str,
        about: Sale | Subject,
        status: str | None = None,
        *,
        due: str | None = None,
        done: str | None = None,
        occurrence: int = 1,
        why: str | None = None,
    ) -> Promised:
        """Return the newest promise of ``action`` to ``about`` and fail unless it stands as described.

        ``due`` and ``done`` are times as the city's clocks show them, ``2026-03-03 09:30``; ``why`` is a part of
        the reason.
        """
        every = self.promises(about)
        mine = [one for one in every if one.action == action and _occurrence(one) == occurrence]
        journey = "".join(f"\n  {_line(one)}" for one in every) or "\n  nothing"
        assert mine, f"{action} is not promised; what is:{journey}"
        promised = mine[-1]
        stands = {"status": promised.status, "due": _minute(promised.due_at), "done": _minute(promised.done_at)}
        wanted = {"status": status, "due": due, "done": done}
        wrong = {name: stands[name] for name, value in wanted.items() if value not in (None, stands[name])}
        assert not wrong, f"{action} stands otherwise: {wrong}; all promises:{journey}"
        assert why is None or why in (promised.why or ""), f"{action} gives another reason: {promised.why}"
        return promised

    def expect_nothing(self, action: str, about: Sale | Subject) -> None:
        """Fail when ``action`` was ever promised to ``about``."""
        found = [_line(one) for one in self.promises(about) if one.action == action]
        assert not found, f"{action} is promised: {found}"

    # --- Inside ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _book(self) -> Iterator[Book]:
        """Change records as an import does, in a transaction."""
        with self.store.write() as connection:
            book = Book(
                self.store,
                connection,
                now=self.clock.now(),
                city=self.installation.city,
                new_cities={PROJECT: CITY},
                default_city=CITY,
            )
            yield book
            book.write()

    def _take_over(self, facts: HandoverFacts) -> None:
        with self._book() as book:
            load_for_handovers(book, [facts])
            apply_handover(book, facts)


def _installed(name: str, plugin: object) -> Installed:
    value = plugin.__name__ if isinstance(plugin, ModuleType) else ""
    return Installed(name, lambda: plugin, f"keguan-{name}", "1.0", value)


def _occurrence(promised: Promised) -> int:
    return int(promised.key.rpartition("/")[2].partition(".")[0])


def _minute(instant: datetime | None) -> str | None:
    return None if instant is None else f"{instant:%Y-%m-%d %H:%M}"


def _line(promised: Promised) -> str:
    why = f" ({promised.why})" if promised.why else ""
    return f"{promised.key} due {_minute(promised.due_at)}: {promised.status}{why}"


@pytest.fixture
def keguan_store(tmp_path: Path) -> Iterator[Store]:
    """A fresh SQLite database. Override it to test on PostgreSQL."""
    store = open_store(f"sqlite:///{tmp_path / 'keguan.db'}", tmp_path)
    upgrade(store)
    yield store
    store.close()


@pytest.fixture
def sample_city(tmp_path: Path, keguan_store: Store) -> Callable[..., SampleCity]:
    """Builds a ``SampleCity``: give it the plugins, and what else that class takes."""
    return partial(SampleCity, tmp_path, keguan_store)
