"""The examination as a whole: checks in the order in which things depend on each other."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from keguan.doctor.found import Found, ill, notice, wrong
from keguan.doctor.patience import Check, answers
from keguan.errors import KeguanError

if TYPE_CHECKING:
    from keguan.plugins.loading import Attempt
    from keguan.settings import Settings
    from keguan.store.engine import Store
    from keguan.texts import Language

__all__ = ["PATIENCE", "examine"]

PATIENCE = 30.0
"""Seconds that one check may take unless told otherwise."""


def examine(config: Path | None, language: Language | None = None, seconds: float = PATIENCE) -> Iterator[Found]:
    """Yield what was found; what depends on something broken is left out.

    Nothing is written, nothing is sent, and no check takes longer than ``seconds``. ``language`` is that of what
    adapters report; the configuration's unless given.
    """
    from keguan.settings import load_settings, unknown_variables  # noqa: PLC0415 - pydantic is slow to import

    try:
        settings = load_settings(config, os.environ)
    except KeguanError as error:
        yield from wrong("configuration", error)
        return
    where = str(settings.config_file or "–")
    yield Found("configuration", True, "doctor.configuration", {"file": where}, settings.language)
    for variable in unknown_variables(os.environ):
        yield from wrong("environment", variable)
    if settings.test.only_to is not None:
        yield notice("allow_list", "doctor.allow_list", count=len(settings.test.only_to))
    yield from _Examination(settings, language or settings.language, seconds).run()


class _Examination:
    def __init__(self, settings: Settings, language: Language, seconds: float) -> None:
        self._settings = settings
        self._language: Language = language
        self._seconds = seconds
        self._now = datetime.now(UTC)

    def run(self) -> Iterator[Found]:
        from keguan.doctor import machine, storage, ways_in  # noqa: PLC0415 - SQLAlchemy is slow to import

        settings, now = self._settings, self._now
        file = storage.database_file(settings)
        yield from self._answers(
            ("secrets", "", partial(machine.permissions, settings, file)),
            ("disk", "", partial(machine.disk, settings)),
            ("clock", "", partial(machine.machine_clock, now)),
        )
        store: Store | None = None
        try:
            found, store = self._database(file)
            yield from found
            yield from self._content(store)
        finally:
            if store is not None:
                store.close()
        yield from self._answers(
            ("drop", "", partial(ways_in.drop_folder, settings)),
            ("drop", "", partial(ways_in.failures, settings)),
            *ways_in.mailbox_checks(settings),
            ("web", "", partial(ways_in.web, settings, now)),
        )

    def _answers(self, *checks: Check) -> Iterator[Found]:
        return answers(checks, self._seconds)

    def _database(self, file: Path | None) -> tuple[list[Found], Store | None]:
        """Return what there is to say of the database, and the database itself if it can be asked further."""
        from keguan.doctor import storage  # noqa: PLC0415
        from keguan.store.engine import open_store  # noqa: PLC0415

        if file is not None and not file.is_file():
            return [ill("database", "doctor.database_absent", file=file)], None
        try:
            store = open_store(self._settings.database_url(), self._settings.base_dir)
        except KeguanError as error:
            return list(wrong("database", error)), None
        found = list(self._answers(("database", "", partial(storage.version, store))))
        if all(one.ok for one in found):
            return found, store
        store.close()
        return found, None

    def _content(self, store: Store | None) -> Iterator[Found]:
        """Ask the database; load the plugins also without one, for adapters and templates may be theirs."""
        from keguan.doctor import content, machine, storage, ways_out  # noqa: PLC0415 - plugins are slow to load

        settings, now = self._settings, self._now
        if store is not None:
            yield from self._answers(
                ("clock", "", partial(machine.database_clock, store, now)),
                ("privacy", "", partial(storage.sealing, settings, store)),
                ("backups", "", partial(storage.backups, settings, store, now)),
                ("staff", "", partial(content.staff, settings, store, now.date())),
            )
        loaded: list[tuple[Attempt, set[str]]] = []
        yield from self._answers(("plugins", "", partial(self._load, store, loaded)))
        checks: list[Check] = []
        if loaded:
            attempt, suspended = loaded[0]
            registered = attempt.plugins.adapters
            yield from self._answers(("plugins", "", partial(content.plugins, attempt, suspended)))
            checks.append(("templates", "", partial(content.templates, settings, attempt.plugins)))
            checks += ways_out.adapter_checks(settings, registered, self._language)
        if store is not None:
            checks.append(("gateways", "", partial(ways_out.gateway_states, settings, store, now)))
        checks.append(("channels", "", partial(ways_out.channels, settings)))
        if store is not None:
            checks.append(("calendar", "", partial(content.calendars, settings, store, now)))
        yield from self._answers(*checks)

    def _load(self, store: Store | None, loaded: list[tuple[Attempt, set[str]]]) -> Iterable[Found]:
        from keguan.doctor import content  # noqa: PLC0415

        loaded.append(content.load(self._settings, store))
        return ()
