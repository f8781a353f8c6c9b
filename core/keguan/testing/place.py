"""An installation with one city on a virtual clock: how it starts, and how time passes in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import Path
from types import ModuleType
from zoneinfo import ZoneInfo

from keguan.adapters.memory import MemoryAdapter, Sent
from keguan.building import WayOut, build_engine, build_installation
from keguan.clock import VirtualClock
from keguan.installation import Installation
from keguan.outbox.templates import Templates
from keguan.plugins.discovery import Installed
from keguan.runner.engine import Engine, Settled
from keguan.runner.scopes import ScopeChange, apply_scopes
from keguan.settings import parse_settings
from keguan.store.engine import Store

__all__ = ["CITY", "Place"]

CITY = "shenzhen"
_START = datetime(2026, 3, 2, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
_CONFIG = """
language = "en"
[company]
name = "云璟地产"
signature = "云璟"
hotline = "400-000-0000"
[cities.{key}]
name = "{name}"
"""


class Place:
    """An installation with one city and one project, on a virtual clock.

    Args:
        folder: where relative paths start, and evidence is kept.
        store: a migrated database; whoever gives it closes it.
        plugins: module (or object with hooks) of each plugin by name; all are on.
        config: TOML that stands behind a minimal configuration, such as tables of plugins or of more cities.
        templates: for each plugin a folder that holds ``zh/`` and ``en/``, instead of the packages' own.
        start: what the clock shows first, aware.
        city: the key of the city.
        name: its name, as files write it.
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
        city: str = CITY,
        name: str = "深圳",
    ) -> None:
        self.store = store
        self.key = city
        """The key of the city."""
        self.clock = VirtualClock(start)
        self.adapter = MemoryAdapter()
        self.installation: Installation
        self.engine: Engine
        self.folder = folder
        self.plugins = dict(plugins)
        """Change them, then ``restart``."""
        self._name = name
        self._templates = dict(templates or {})
        self._config = config
        self.restart()

    @property
    def sent(self) -> list[Sent]:
        """Every message that left, in order."""
        return self.adapter.sent

    def restart(self, *, config: str | None = None, plugins: Mapping[str, object] | None = None) -> list[ScopeChange]:
        """Start anew, as after a change of the configuration or a new version of a plugin; return what it changed."""
        self._config = self._config if config is None else config
        self.plugins |= plugins or {}
        tables = "".join(
            f"[plugins.{name}]\nenabled = true\n" for name in self.plugins if f"[plugins.{name}]" not in self._config
        )
        written = _CONFIG.format(key=self.key, name=self._name) + tables + self._config
        settings = parse_settings(written, self.folder / "config" / "keguan.toml", {})
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

    # --- Time ------------------------------------------------------------------------------------------------------

    @property
    def today(self) -> date:
        """The business date."""
        return self.installation.city(self.key).today(self.clock.now())

    def at(self, text: str) -> datetime:
        """Return the instant that the city's clocks show as ``2026-03-02 09:30``."""
        return datetime.fromisoformat(text).replace(tzinfo=self.installation.city(self.key).zone)

    def settle(self) -> Settled:
        """Do everything that is to do at this instant."""
        return self.engine.settle()

    def run_until(self, when: date | datetime) -> Settled:
        """Live through the time until ``when``: an aware instant, or the last minute of a day."""
        if not isinstance(when, datetime):
            when = self.installation.city(self.key).at(when, time(23, 59))
        return self.engine.fast_forward(self.clock, when)


def _installed(name: str, plugin: object) -> Installed:
    value = plugin.__name__ if isinstance(plugin, ModuleType) else ""
    return Installed(name, lambda: plugin, f"keguan-{name}", "1.0", value)
