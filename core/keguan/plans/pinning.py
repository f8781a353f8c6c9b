"""The log of what stays as it was when something began: what plugins name in ``register_pins``, by project and day.

A value that is configured holds for what begins from then on. Moving over what has begun is a line of its own, which
a person asks for. Nothing is ever changed or taken out here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection, func, insert, select

from keguan.model import Pin, Pins
from keguan.store.schema import pins

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["CONFIGURATION", "add_moves", "load_pins", "newest_pin", "note_configured", "unnoted_pins"]

CONFIGURATION = "configuration"
"""Who wrote the lines that tell what was configured."""
_ALWAYS = date(1, 1, 1)
"""The first value ever seen holds for everything that had begun by then."""
_p = pins.c


def newest_pin(connection: Connection) -> int:
    """Return the number of the newest line, 0 without any: another number means that there is something to read."""
    return connection.execute(select(func.max(_p.id))).scalar() or 0


def load_pins(connection: Connection) -> dict[str, Pins]:
    """Return the log of every plugin."""
    lines: dict[str, list[Pin]] = {}
    for row in connection.execute(select(_p.plugin, _p.project, _p.since, _p.value, _p.moved).order_by(_p.id)):
        lines.setdefault(row.plugin, []).append(Pin(row.project, row.since, row.value, row.moved))
    return {plugin: Pins(tuple(log)) for plugin, log in lines.items()}


def note_configured(installation: Installation) -> int:
    """Write down the values that are configured now, where they are others than before; return how many lines.

    Called at every start and so at every reload. A new value counts from today on, by the clock of the default zone;
    the first ever counts for all that had begun.
    """
    wanted = {name: values for name, values in installation.plugins.pins.items() if values}
    if not wanted:
        return 0
    with installation.store.read() as connection:
        if not _news(wanted, load_pins(connection), _today(installation)):
            return 0
    with installation.planning(), installation.store.write() as connection:
        news = _news(wanted, load_pins(connection), _today(installation))
        now = installation.clock.now()
        for plugin, pin in news:
            connection.execute(
                insert(pins).values(plugin=plugin, **pin._asdict(), at=now, who=CONFIGURATION),
            )
    log = structlog.get_logger("keguan.runner")
    for plugin, pin in news:
        log.info("pinned", plugin=plugin, project=pin.project, value=pin.value, since=pin.since.isoformat())
    return len(news)


def unnoted_pins(installation: Installation, plugin: str, known: Pins) -> tuple[Pin, ...]:
    """Return the lines that ``note_configured`` would add for ``plugin`` to the log ``known``; writes nothing."""
    values = installation.plugins.pins.get(plugin)
    news = _news({plugin: values}, {plugin: known}, _today(installation)) if values else ()
    return tuple(pin for _, pin in news)


def add_moves(
    installation: Installation, connection: Connection, plugin: str, moves: Mapping[str, tuple[date, str]], by: str
) -> None:
    """Write down that what has begun in these projects is moved over: to which value, on which day there."""
    for project, (day, value) in moves.items():
        connection.execute(
            insert(pins).values(
                plugin=plugin,
                project=project,
                since=day,
                value=value,
                moved=True,
                at=installation.clock.now(),
                who=by,
            )
        )


def _today(installation: Installation) -> date:
    return installation.settings.city("").today(installation.clock.now())


def _news(wanted: Mapping[str, Mapping[str, str]], known: Mapping[str, Pins], today: date) -> list[tuple[str, Pin]]:
    """Return the lines that the log of each plugin lacks."""
    found = []
    for plugin, values in wanted.items():
        log = known.get(plugin, Pins()).log
        newest = _newest(log)
        since = today if log else _ALWAYS
        found += [
            (plugin, Pin(project, since, values.get(project), moved=False))
            for project in sorted({*values, *newest})
            if newest.get(project) != values.get(project)
        ]
    return found


def _newest(log: Iterable[Pin]) -> dict[str, str | None]:
    return {pin.project: pin.value for pin in log if not pin.moved}
