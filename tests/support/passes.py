"""An engine over a database, with a plugin of the test's own and a clock that the test moves: no process, no wait."""

from __future__ import annotations

import importlib.util
import itertools
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import tomlkit
from tests.support.plugins import PROBE, install_plugin

from keguan.adapters.base import Adapter, Outcome, OutgoingMessage, Report
from keguan.clock import Clock
from keguan.installation import Installation
from keguan.outbox.delivery import Delivery
from keguan.outbox.knowledge import Rules
from keguan.outbox.retry import RetryPolicy
from keguan.outbox.templates import Templates
from keguan.plugins import Installed, load_plugins
from keguan.runner.engine import Engine
from keguan.settings import parse_settings
from keguan.store.engine import Store

__all__ = ["Out", "load_module", "make_engine"]

_numbers = itertools.count(1)


class Out:
    """An adapter that accepts everything and counts it, after the bad days it is given."""

    def __init__(self, *bad_days: Outcome) -> None:
        self.copies: Counter[str] = Counter()
        """How often each message left, by key."""
        self._bad_days = list(bad_days)
        self._lock = threading.Lock()

    def send(self, message: OutgoingMessage, now: datetime) -> Report:
        """Take ``message``, or have a bad day."""
        with self._lock:
            if self._bad_days:
                return Report(self._bad_days.pop(0), "a bad day")
            self.copies[message.key] += 1
        return Report(Outcome.SENT)

    def check(self) -> str | None:
        """All is well."""
        return None

    def close(self) -> None:
        """Do nothing."""


def load_module(folder: Path, source: str = PROBE) -> tuple[ModuleType, Path]:
    """Write a plugin ``probe`` with this source; return it as a module, and the folder of its templates."""
    package = install_plugin(folder, "probe", source)
    spec = importlib.util.spec_from_file_location(f"probe_{next(_numbers)}", package / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, package / "templates"


def make_engine(
    store: Store,
    folder: Path,
    clock: Clock,
    adapter: Adapter,
    *,
    source: str = PROBE,
    in_doubt: Literal["hold", "resend"] = "resend",
    config: Mapping[str, Any] | None = None,
) -> Engine:
    """Return an engine whose e-mail and SMS leave through ``adapter``, with one city, Shenzhen, never quiet."""
    tables: dict[str, Any] = {
        "language": "en",
        "company": {"name": "Cloud Estates"},
        "cities": {"shenzhen": {"quiet_hours": "00:00-00:00", "tick_at": "06:00"}},
        "plugins": {"sixplustwo": {"enabled": False}, "probe": {"enabled": True}},
        **(config or {}),
    }
    settings = parse_settings(tomlkit.dumps(tables), folder / "config" / "keguan.toml", {})
    module, templates = load_module(folder, source)
    installation = Installation(
        settings=settings,
        store=store,
        plugins=load_plugins(settings, installed={"probe": Installed("probe", lambda: module, "probe", "1.0")}),
        clock=clock,
        cities=settings.city_cards(),
        company=settings.company_card(),
        templates=Templates({"probe": templates}, None, settings.language, settings.company_card()),
    )
    delivery = Delivery(
        name="out",
        adapter=adapter,
        channels=("email", "sms"),
        store=store,
        clock=clock,
        rules=Rules(installation.city),
        policy=RetryPolicy(first_delay=timedelta(minutes=1), in_doubt=in_doubt),
        language="en",
    )
    return Engine(installation, [delivery])
