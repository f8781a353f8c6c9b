"""The years of the demonstration: files arrive, the daemon's passes run, the staff works, the clock jumps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomlkit

from keguan.building import build_engine, build_installation, open_database
from keguan.clock import VirtualClock
from keguan.demo.city import SyntheticCity, make_city
from keguan.demo.exports import Export, write_exports
from keguan.demo.hurry import hurry
from keguan.demo.ledger import OptOut, opt_outs
from keguan.demo.staff import VirtualStaff
from keguan.intake.importing import import_file
from keguan.intake.report import ImportReport
from keguan.people.consent import opt_out
from keguan.people.lookup import find_customer
from keguan.runner.engine import Settled
from keguan.runner.scopes import apply_scopes
from keguan.settings import default_text, parse_settings

if TYPE_CHECKING:
    from keguan.installation import Installation
    from keguan.runner.engine import Engine
    from keguan.texts import Language

__all__ = ["Lived", "live"]

_FILES = "files"
_CITIES = ("深圳", "武汉")
_BUSIEST = "客关"
_TALK = time(15, 0)
"""When somebody tells the staff that messages are not wanted."""


@dataclass(frozen=True, slots=True)
class Lived:
    """What a demonstration leaves behind."""

    folder: Path
    config: Path
    installation: Installation
    city: SyntheticCity
    exports: list[Export]
    reports: list[ImportReport]
    settled: Settled


def live(
    folder: Path, homes: int, end: date, language: Language = "zh", years: int = 3, *, until: date | None = None
) -> Lived:
    """Set up an installation in ``folder`` and let it live through the ``years`` before the day ``end``.

    With ``until`` it stops on the evening of that day, in the midst of what was to come.

    Everything is real but the city and the clock: configuration, files, imports, plugins, engine and the
    ``file`` adapter. ``language`` is that of messages and tasks. The caller closes the installation.
    """
    config = folder / "config" / "keguan.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    text = _config(language)
    config.write_text(text, encoding="utf-8")
    settings = parse_settings(text, config, {})
    start = (end - timedelta(days=365 * years)).replace(day=1)
    city = make_city(homes, start, end, _CITIES)
    exports = write_exports(city, folder / _FILES)
    store = open_database(settings)
    hurry(store)
    clock = VirtualClock(datetime.combine(start, time(), tzinfo=UTC))
    installation = build_installation(settings, store, clock)
    engine = build_engine(installation)
    try:
        apply_scopes(installation)
        reports, settled = _years(installation, engine, clock, city, exports, until or end)
    finally:
        engine.close()
    return Lived(folder, config, installation, city, exports, reports, settled)


def _config(language: Language) -> str:
    """Return the default configuration without the cities in which nothing is built here.

    The department that has most to do is told each morning, as the staff's own addresses are not all known.
    """
    text = default_text().replace('language = "zh"', f'language = "{language}"', 1)
    document = tomlkit.parse(text)
    cities: Any = document["cities"]
    for key in [key for key, city in cities.items() if city["name"] not in _CITIES]:
        del cities[key]
    document["departments"] = {_BUSIEST: {"email": "care@example.com"}}
    return tomlkit.dumps(document)


def _years(
    installation: Installation,
    engine: Engine,
    clock: VirtualClock,
    city: SyntheticCity,
    exports: list[Export],
    until: date,
) -> tuple[list[ImportReport], Settled]:
    """Let everything happen at its time; return what the imports said and what the engine did."""
    home = installation.city(next(iter(installation.cities)))
    staff = VirtualStaff(installation)
    reports: list[ImportReport] = []
    total = Settled()
    happenings: list[tuple[datetime, Export | OptOut]] = [
        *((home.at(export.day, export.clock), export) for export in exports),
        *((home.at(wish.on, _TALK), wish) for wish in opt_outs(city)),
    ]
    evening = home.at(until, time(23, 59))
    for at, what in sorted(happenings, key=lambda happening: happening[0]):
        if at > evening:
            break
        total.merge(engine.fast_forward(clock, at, staff.work))
        if isinstance(what, Export):
            reports.append(import_file(installation.store, installation.settings, clock, what.kind, what.file))
        else:
            _opt_out(installation, what)
    total.merge(engine.fast_forward(clock, evening, staff.work))
    return reports, total


def _opt_out(installation: Installation, wish: OptOut) -> None:
    with installation.store.write() as connection:
        person = find_customer(connection, wish.phone, "phone")
        opt_out(connection, person, source="demo", now=installation.clock.now())
