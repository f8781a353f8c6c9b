"""What every command shares: options, settings, database, clock, language, and how answers are printed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keguan.errors import KeguanError, UsageError

if TYPE_CHECKING:
    from keguan.clock import Clock
    from keguan.installation import Installation
    from keguan.queries.reader import Reader
    from keguan.runner.engine import Engine
    from keguan.settings import Settings
    from keguan.store.engine import Store
    from keguan.texts import Language

__all__ = ["App", "language_of", "pass_app"]


class App:
    """One call of the command line. Opens what a command asks for and closes it at the end."""

    def __init__(
        self,
        *,
        config: Path | None = None,
        as_json: bool = False,
        at: str | None = None,
        lang: Language | None = None,
        verbose: bool = False,
    ) -> None:
        self.config = config
        self.as_json = as_json
        self.verbose = verbose
        self._at = at
        self.option_language: Language | None = lang
        """The language of ``--lang``, if it was given."""
        self._open: list[Any] = []

    # --- What commands work with -------------------------------------------------------------------------------

    @cached_property
    def settings(self) -> Settings:
        """The checked configuration."""
        from keguan.settings import load_settings

        return load_settings(self.config, os.environ)

    @property
    def language(self) -> Language:
        """The language of answers: ``--lang``, else the configuration's."""
        return self.option_language or self.settings.language

    @cached_property
    def rehearsing_at(self) -> datetime | None:
        """The instant of ``--at``, aware; ``None`` in real life."""
        if self._at is None:
            return None
        try:
            instant = datetime.fromisoformat(self._at)
        except ValueError:
            raise UsageError("cli.bad_instant", value=self._at) from None
        if instant.tzinfo is None:
            raise UsageError("cli.instant_without_zone", value=self._at)
        return instant

    @cached_property
    def clock(self) -> Clock:
        """Real time, or the instant of ``--at``."""
        from keguan.clock import RealClock, VirtualClock

        return RealClock() if self.rehearsing_at is None else VirtualClock(self.rehearsing_at)

    @property
    def today(self) -> date:
        """The business date, on the clocks of cities that are not configured."""
        return self.clock.now().astimezone(self.settings.city("").zone).date()

    @cached_property
    def store(self) -> Store:
        """The database: the live one, or the rehearsal's copy of it."""
        from keguan.building import open_database, open_rehearsal
        from keguan.logs import configure_logs

        configure_logs("debug" if self.verbose else "warning", form=self.settings.log.format)
        store = open_database(self.settings) if self.rehearsing_at is None else open_rehearsal(self.settings)
        self._open.append(store)
        return store

    @cached_property
    def reader(self) -> Reader:
        """What the lists read with: the database as of now. Loads no plugin."""
        from keguan.queries.reader import Reader

        return Reader(self.store, self.settings, self.clock.now(), self.language)

    @cached_property
    def installation(self) -> Installation:
        """Database, plugins and clock together; loads the plugins that are on."""
        from keguan.building import build_installation

        return build_installation(self.settings, self.store, self.clock)

    def reopened(self) -> Installation:
        """The installation built anew, after the configuration file was edited."""
        for name in ("settings", "installation", "engine"):
            self.__dict__.pop(name, None)
        return self.installation

    @cached_property
    def engine(self) -> Engine:
        """The passes over the tables; in a rehearsal everything leaves through the file adapter."""
        from keguan.building import build_engine

        engine = build_engine(self.installation, rehearsal=self.rehearsing_at is not None)
        self._open.append(engine)
        return engine

    def close(self) -> None:
        """Close what was opened, last first."""
        while self._open:
            self._open.pop().close()

    # --- How answers are printed ---------------------------------------------------------------------------------

    def text(self, key: str, /, **values: object) -> str:
        """Return a sentence in the user's language."""
        from keguan.texts import text

        return text(self.language, key, **values)

    def say(self, key: str, /, **values: object) -> None:
        """Print a sentence for people; silent with ``--json``."""
        if not self.as_json:
            click.echo(self.text(key, **values))

    def answer(self, document: Any) -> None:
        """Print the one JSON document of ``--json``; silent without."""
        if self.as_json:
            click.echo(json.dumps(document, ensure_ascii=False, default=_plain))

    def answer_rows(self, rows: Iterable[Mapping[str, Any]], columns: Sequence[str], area: str) -> int:
        """Print a list: a JSON array, streamed, or a table of ``columns`` with headings ``AREA.column.NAME``.

        Returns how many rows there were.
        """
        return self._stream_json(rows) if self.as_json else self._table(rows, columns, area)

    def details(self, row: Mapping[str, Any], fields: Sequence[str], area: str) -> None:
        """Print one row for people, a line for each of ``fields``; silent with ``--json``."""
        if self.as_json:
            return
        from keguan.cli.cells import shown

        for field in fields:
            name, value = self.text(f"{area}.column.{field}"), shown(row.get(field), self, field)
            click.echo(self.text("cli.field", name=name, value=value).rstrip())

    def _stream_json(self, rows: Iterable[Mapping[str, Any]]) -> int:
        count = 0
        out = sys.stdout  # `click.echo` would flush it a million times
        for count, row in enumerate(rows, start=1):  # an error before the first row leaves standard output empty
            out.write(",\n" if count > 1 else "[\n")
            out.write(json.dumps(row, ensure_ascii=False, default=_plain))
        out.write("\n]\n" if count else "[]\n")
        out.flush()
        return count

    def _table(self, rows: Iterable[Mapping[str, Any]], columns: Sequence[str], area: str) -> int:
        from keguan.cli.cells import shown
        from keguan.cli.tables import print_table

        headings = [self.text(f"{area}.column.{column}") for column in columns]
        cells = ([shown(row.get(column), self, column) for column in columns] for row in rows)
        count = print_table(headings, cells)
        if not count:
            self.say("cli.nothing")
        return count


pass_app = click.make_pass_decorator(App)


def _plain(value: object) -> object:
    """Return dates and instants as ISO 8601 and anything else as text."""
    iso = getattr(value, "isoformat", None)
    return iso() if iso is not None else str(value)


def language_of(words: Sequence[str]) -> Language:
    """Return the language for an error, when settings may be what is wrong: ``--lang``, else the file's, else zh."""
    if "--lang" in words[:-1]:
        return "en" if words[words.index("--lang") + 1] == "en" else "zh"
    if "--lang=en" in words:
        return "en"
    environment = os.environ.get("KEGUAN_LANGUAGE")
    if environment in ("zh", "en"):
        return "en" if environment == "en" else "zh"
    try:
        from keguan.settings import load_settings

        config = Path(words[words.index("--config") + 1]) if "--config" in words[:-1] else None
        return load_settings(config, os.environ).language
    except KeguanError:
        return "zh"
