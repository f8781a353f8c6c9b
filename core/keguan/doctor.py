"""Examine an installation without changing anything: each check is a line that names the mend."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from keguan.errors import KeguanError
from keguan.texts import Language, text

if TYPE_CHECKING:
    from keguan.adapters.base import AdapterType
    from keguan.settings import Settings
    from keguan.store.engine import Store

__all__ = ["Found", "examine"]

_LOW_DISK_MB = 500
_AHEAD = timedelta(days=400)
_DRIFT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Found:
    """One answer: what was looked at, whether it is well, and the sentence that says so or names the mend."""

    check: str
    ok: bool
    key: str
    values: dict[str, object] = field(default_factory=dict)
    language: Language | None = None

    def sentence(self, language: Language) -> str:
        """Return the sentence in ``language``."""
        return text(language, self.key, **self.values)


def examine(config: Path | None, language: Language | None = None) -> Iterator[Found]:
    """Yield what was found, in the order in which things depend on each other; stops where the next cannot be asked.

    Nothing is written, nothing is sent. ``language`` is that of what adapters report; the configuration's unless
    given.
    """
    from keguan.settings import load_settings, unknown_variables  # noqa: PLC0415 - pydantic is slow to import

    try:
        settings = load_settings(config, os.environ)
    except KeguanError as wrong:
        yield from _wrong("configuration", wrong)
        return
    where = str(settings.config_file or "–")
    yield Found("configuration", True, "doctor.configuration", {"file": where}, settings.language)
    for variable in unknown_variables(os.environ):
        yield from _wrong("environment", variable)
    yield from _secrets(settings)
    yield from _disk(settings)
    yield from _clock()
    yield from _database(settings, language or settings.language)


def _wrong(check: str, error: KeguanError) -> Iterator[Found]:
    for mistake in getattr(error, "mistakes", None) or [error]:
        yield Found(check, False, mistake.key, dict(mistake.values))


def _secrets(settings: Settings) -> Iterator[Found]:
    """Secret files must be readable by their owner only."""
    folder = settings.path("secrets")
    if not folder.is_dir():
        return
    open_to_others = [
        file.name
        for file in sorted(folder.iterdir())
        if file.is_file() and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]
    if open_to_others:
        yield Found("secrets", False, "doctor.secrets_open", {"files": ", ".join(open_to_others)})
    else:
        yield Found("secrets", True, "doctor.secrets")


def _disk(settings: Settings) -> Iterator[Found]:
    free = shutil.disk_usage(settings.base_dir).free // 1_000_000
    ok = free >= _LOW_DISK_MB
    yield Found("disk", ok, "doctor.disk" if ok else "doctor.disk_low", {"free": free, "folder": settings.base_dir})


def _clock() -> Iterator[Found]:
    """The clock cannot be compared with another here; one that stands before this program was written is wrong."""
    now = datetime.now(UTC)
    written = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    ok = now >= written - _DRIFT
    yield Found("clock", ok, "doctor.clock" if ok else "doctor.clock_wrong", {"now": now.isoformat(timespec="seconds")})


def _database(settings: Settings, language: Language) -> Iterator[Found]:
    from keguan.store.engine import open_store  # noqa: PLC0415 - SQLAlchemy is slow to import
    from keguan.store.migrate import HEAD, require_current  # noqa: PLC0415

    store = None
    try:
        store = open_store(settings.database_url(), settings.base_dir)
        if store.path is not None and not store.path.exists():
            yield Found("database", False, "doctor.database_absent", {"file": store.path})
            return
        require_current(store)
        yield Found("database", True, "doctor.database", {"version": HEAD})
        yield from _plugins(settings, store, language)
    except KeguanError as wrong:
        yield from _wrong("database", wrong)
    finally:
        if store is not None:
            store.close()


def _plugins(settings: Settings, store: Store, language: Language) -> Iterator[Found]:
    from keguan.plugins import attempt_plugins  # noqa: PLC0415
    from keguan.plugins.recorded import suspended_names  # noqa: PLC0415

    with store.read() as connection:
        suspended = suspended_names(connection)
    attempt = attempt_plugins(settings, suspended=suspended)
    for name in sorted(attempt.failures):
        yield from _wrong("plugins", attempt.failures[name])
    for name in sorted(suspended):
        yield Found("plugins", False, "doctor.plugin_suspended", {"name": name})
    if not attempt.failures:
        yield Found("plugins", True, "doctor.plugins", {"names": ", ".join(attempt.plugins.names) or "–"})
    from keguan.building import build_templates  # noqa: PLC0415

    for error in build_templates(settings, attempt.plugins).check_all():
        yield from _wrong("templates", error)
    yield from _adapters(settings, attempt.plugins.adapters, language)
    yield from _calendar(settings, store)


def _adapters(settings: Settings, registered: Iterable[tuple[str, AdapterType]], language: Language) -> Iterator[Found]:
    """Build each adapter and, where it can, log in without sending."""
    from keguan.adapters.base import Surroundings  # noqa: PLC0415
    from keguan.adapters.registry import adapter_types  # noqa: PLC0415
    from keguan.settings import configure_adapters  # noqa: PLC0415

    try:
        configured = configure_adapters(settings, adapter_types(registered))
    except KeguanError as wrong:
        yield from _wrong("adapters", wrong)
        return
    surroundings = Surroundings(settings.base_dir, settings.company.name, settings.secret, language)
    for name, entry in sorted(configured.items()):
        adapter = entry.kind.build(name, entry.settings, surroundings)
        try:
            problem = adapter.check()
        except Exception as error:  # noqa: BLE001 - an adapter may be a plugin's
            problem = type(error).__name__
        finally:
            adapter.close()
        if problem is None:
            yield Found("adapters", True, "doctor.adapter", {"name": name, "kind": entry.kind.name})
        else:
            yield Found("adapters", False, "doctor.adapter_wrong", {"name": name, "detail": problem})


def _calendar(settings: Settings, store: Store) -> Iterator[Found]:
    from keguan.calendars import load_calendar  # noqa: PLC0415

    key = next(iter(settings.cities), "default")
    with store.read() as connection:
        calendar = load_calendar(connection, settings, settings.city(key))
    today = datetime.now(UTC).date()
    last = today + _AHEAD
    provisional = [
        year
        for year in range(today.year, last.year + 1)
        if calendar.is_provisional(max(today, date(year, 1, 1)), min(last, date(year, 12, 31)))
    ]
    if provisional:
        years = ", ".join(map(str, provisional))
        yield Found("calendar", True, "doctor.calendar_provisional", {"years": years})
    else:
        yield Found("calendar", True, "doctor.calendar", {"until": last})
