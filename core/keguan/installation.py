"""One installation at work: configuration, database, plugins and clock, as everything else is handed them."""

from __future__ import annotations

import fcntl
import gc
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time
from functools import cached_property
from pathlib import Path

from keguan.calendar import WorkCalendar
from keguan.calendars import load_calendar, newest_change
from keguan.clock import Clock
from keguan.model import City, Company, Context, Pins
from keguan.outbox.templates import Templates
from keguan.plans.pinning import load_pins, newest_pin
from keguan.plugins import Plugins
from keguan.plugins.recorded import recorded_hooks
from keguan.settings import Settings
from keguan.store.engine import Store
from keguan.texts import Language

__all__ = ["Installation"]

_PLANNING_LOCK = 0x6B670001  # any constant: the advisory lock that planners of one PostgreSQL database share


class Installation:
    """Everything one process works with. Built once at start; nothing in it is swapped while it runs."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: Store,
        plugins: Plugins,
        clock: Clock,
        cities: Mapping[str, City],
        company: Company,
        templates: Templates,
    ) -> None:
        self.settings = settings
        self.store = store
        self.plugins = plugins
        self.clock = clock
        self.cities = cities
        self.company = company
        self.templates = templates
        self._calendars: dict[str, WorkCalendar] = {}
        self._calendars_as_of: datetime | None = None
        self._contexts: dict[tuple[str, str], Context] = {}
        self._pins: tuple[int, Mapping[str, Pins]] | None = None
        self._year_ends: datetime | None = None
        self._off: dict[str, dict[str, frozenset[str]]] = {}
        self._planning = threading.Lock()

    @property
    def language(self) -> Language:
        """The language customers and staff are written to in."""
        return self.settings.language

    @property
    def base_dir(self) -> Path:
        """The folder that holds ``config/``; relative paths start here."""
        return self.settings.base_dir

    def city(self, key: str) -> City:
        """Return a city; one that is not configured has the defaults under its own name."""
        city = self.cities.get(key)
        return city if city is not None else self.settings.city(key)

    def next_new_year(self, now: datetime) -> datetime:
        """Return the first instant (UTC) after ``now`` at which a year begins in some city, configured or not."""
        cities = (*self.cities.values(), self.settings.city(""))
        return min(city.at(date(city.today(now).year + 1, 1, 1), time()) for city in cities)

    def calendar(self, city: str) -> WorkCalendar:
        """Return the working days of a city."""
        calendar = self._calendars.get(city)
        if calendar is None:
            with self.store.read() as connection:
                calendar = load_calendar(connection, self.settings, self.city(city))
            self._calendars[city] = calendar
        return calendar

    def refresh_calendars(self) -> datetime | None:
        """Forget the calendars when somebody loaded new days; return when that was, ``None`` if nobody did.

        The first call of a process tells of the newest days there are, because nobody knows who followed them.
        """
        with self.store.read() as connection:
            newest = newest_change(connection)
        if newest == self._calendars_as_of:
            return None
        self._calendars.clear()
        self._contexts.clear()
        self._calendars_as_of = newest
        return newest

    def context(self, plugin: str, city: str) -> Context:
        """Return what a plugin's hooks and actions may know in a city, in the year that it is there now."""
        now = self.clock.now()
        if self._year_ends is None or now >= self._year_ends:
            self._contexts.clear()
            self._year_ends = self.next_new_year(now)
        key = (plugin, city)
        context = self._contexts.get(key)
        if context is None:
            year = self.city(city).today(now).year
            pins = self._pins_now()
            context = Context(
                city=self.city(city),
                calendar=self.calendar(city),
                settings=self.plugins.settings.get(plugin),
                prepared=self.plugins.prepared.get(plugin),
                language=self.language,
                pins=pins.get(plugin, Pins()),
                through=date(year + 1, 12, 31),
                since=date(year - 1, 12, 1),
            )
            self._contexts[key] = context
        return context

    def _pins_now(self) -> Mapping[str, Pins]:
        if self._pins is None:
            with self.store.read() as connection:
                self._pins = newest_pin(connection), load_pins(connection)
        return self._pins[1]

    def suppose_pins(self, plugin: str, pins: Pins) -> None:
        """Let this process work as if the log of ``plugin`` were ``pins``, to see what that would change."""
        self._pins = -1, {**self._pins_now(), plugin: pins}
        self._contexts.clear()

    def _follow_pins(self) -> None:
        """Forget the pins when somebody wrote others. Called when planning begins, so no plan is of the old ones."""
        if self._pins is None or self._pins[0] < 0:
            return
        with self.store.read() as connection:
            newest = newest_pin(connection)
        if newest != self._pins[0]:
            self._pins = None
            self._contexts.clear()

    @cached_property
    def _recorded_hooks(self) -> dict[str, frozenset[str]]:
        """Hooks of every plugin that was ever loaded, the ones that are off included."""
        with self.store.read() as connection:
            return recorded_hooks(connection)

    def plugins_off(self, city: str) -> dict[str, frozenset[str]]:
        """Return the plugins that miss what happens in ``city``, with the hooks they would have answered."""
        off = self._off.get(city)
        if off is None:
            off = self._off[city] = {
                name: hooks
                for name, hooks in self._recorded_hooks.items()
                if name not in self.plugins.names or not self.plugins.active(name, city)
            }
        return off

    @contextmanager
    def planning(self) -> Iterator[None]:
        """Let one planner at a time work from records to plans, over all threads, processes and machines."""
        with self._planning:
            if self.store.path is not None:
                lock = self.store.path.with_name(self.store.path.name + ".planning")
                with lock.open("w") as handle:
                    fcntl.flock(handle, fcntl.LOCK_EX)  # the system frees it when the process dies
                    self._follow_pins()
                    yield
            else:
                with self.store.engine.connect() as connection:
                    connection.exec_driver_sql(f"SELECT pg_advisory_lock({_PLANNING_LOCK})")
                    try:
                        self._follow_pins()
                        yield
                    finally:
                        connection.exec_driver_sql(f"SELECT pg_advisory_unlock({_PLANNING_LOCK})")
                        connection.rollback()

    def settle(self) -> None:
        """Tell the garbage collector that what is loaded by now stays until the process ends.

        Call it once, when everything is built: looking through it again and again took a fifth of planning.
        """
        gc.freeze()

    def close(self) -> None:
        """Give everything back."""
        self.store.close()
