"""What can be configured, with its defaults. ``config/keguan.toml`` explains each key to administrators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, SecretStr

from keguan.model import City, Company
from keguan.settings.values import (
    Clock,
    Days,
    Identifier,
    OfficeHours,
    Window,
    WorkWeek,
    Zone,
    mistake,
)

__all__ = [
    "BUILT_IN_PLUGINS",
    "FILE_ADAPTER",
    "AdapterTable",
    "CitySettings",
    "CompanySettings",
    "DatabaseSettings",
    "ImportSettings",
    "LimitSettings",
    "LogSettings",
    "PluginTable",
    "RetrySettings",
    "RunnerSettings",
    "Settings",
    "WorkRules",
]

BUILT_IN_PLUGINS = ("complaints", "sixplustwo", "supervision")
"""On unless switched off; any other plugin is off unless switched on."""
FILE_ADAPTER = "file"
"""The adapter that needs no table and serves every channel that the configuration does not name."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)


class _WorkSection(_Section):
    """Working time, for the company and, where a city differs, for the city."""

    office_hours: OfficeHours | None = None
    work_week: WorkWeek | None = None
    holidays: Days = Field(default_factory=dict)
    """Days off beside the national ones, with what they are called."""
    workdays: Days = Field(default_factory=dict)
    """Days worked although they would be off."""


class CompanySettings(_WorkSection):
    """``[company]``: who speaks in messages, and when people work unless their city says otherwise."""

    name: str = ""
    hotline: str = ""
    signature: str = ""
    """What stands in 【…】 of an SMS; the name unless given."""


def _database_url(value: SecretStr) -> SecretStr:
    # Only the scheme is shown: the rest may hold a password.
    url = value.get_secret_value()
    scheme, mark, rest = url.partition("://")
    if not mark or scheme.partition("+")[0] not in ("sqlite", "postgresql"):
        raise mistake("config.database_url", value=scheme if mark else "…")
    if scheme.startswith("sqlite") and (not rest.startswith("/") or rest in ("/", "/:memory:")):
        raise mistake("config.database_file", value=scheme)
    return value


DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]


class DatabaseSettings(_Section):
    """``[database]``: where promises are kept. The URL may hold a password, so it is a secret."""

    url: DatabaseUrl = SecretStr("sqlite:///var/keguan.db")
    rehearsal_url: DatabaseUrl | None = None
    """Where ``--at`` works; needed with PostgreSQL only."""


class CitySettings(_WorkSection):
    """``[cities.KEY]``: a city's names, its zone and its hours."""

    name: str = ""
    """As people read it; the key unless given."""
    aliases: tuple[str, ...] = ()
    """Other spellings in files that come in."""
    time_zone: Zone = "Asia/Shanghai"
    quiet_hours: Window = (time(20), time(9))
    """Local time in which no message leaves; the same time twice means no quiet hours."""
    tick_at: Clock = time(6)
    """Local time of the daily tick."""


class PluginTable(BaseModel):
    """``[plugins.NAME]``: three keys of the core; the others belong to the plugin."""

    model_config = ConfigDict(extra="allow", frozen=True)

    enabled: bool | None = None
    cities: tuple[str, ...] | None = None
    except_cities: tuple[str, ...] | None = None

    @property
    def rest(self) -> dict[str, object]:
        """The plugin's own keys, unchecked."""
        return dict(self.model_extra or {})

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        """Leave out the plugin's own values: among them may be secrets."""
        yield from (("enabled", self.enabled), ("cities", self.cities), ("except_cities", self.except_cities))


class AdapterTable(BaseModel):
    """``[adapters.NAME]``: the kind of adapter and its policy; the other keys belong to the kind."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    in_doubt: Literal["resend", "hold"] | None = None
    """What happens to a message whose answer never came; the kind's own policy unless given."""

    @property
    def rest(self) -> dict[str, object]:
        """The adapter's own keys, unchecked."""
        return dict(self.model_extra or {})

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        """Leave out the adapter's own values: among them are secrets."""
        yield from (("type", self.type), ("in_doubt", self.in_doubt))


class ImportSettings(_Section):
    """``[import]``: headers that this company's files use."""

    columns: dict[str, str] = Field(default_factory=dict)
    """From a header as it stands in files to the field it means."""


class RetrySettings(_Section):
    """``[runner.retry]``: how failed deliveries are tried again."""

    first: float = Field(default=60.0, gt=0)
    """Seconds before the second try."""
    growth: float = Field(default=3.0, ge=1)
    """How many times longer each further delay is."""
    longest: float = Field(default=21_600.0, gt=0)
    """Seconds that no delay exceeds."""
    attempts: int = Field(default=8, ge=1)
    """Tries after which a message is dead."""


class RunnerSettings(_Section):
    """``[runner]``: the daemon's pace. Times are seconds."""

    dispatch_every: float = Field(default=5.0, gt=0)
    reload_every: float = Field(default=10.0, gt=0, le=30)
    """How often a changed configuration file is looked for."""
    plan_batch: int = Field(default=1000, ge=1, le=100_000)
    """Rows that one transaction plans at most."""
    dispatch_batch: int = Field(default=500, ge=1, le=100_000)
    """Plans that are taken up at once."""
    delivery_batch: int = Field(default=50, ge=1, le=10_000)
    """Messages that one adapter claims at once."""
    catch_up_days: int = Field(default=30, ge=0, le=366)
    """Missed daily ticks that are caught up at most."""
    hook_timeout: float = Field(default=60.0, gt=0)
    """After this long in one call a plugin counts as hanging, and the daemon restarts."""
    lease: float = Field(default=120.0, ge=30)  # an adapter may take 20 s for one message
    """A claim that its owner has not renewed for this long was left behind by a crash."""
    stop_within: float = Field(default=15.0, gt=0, le=20)
    """SIGTERM: how long the messages in hand may take."""
    retry: RetrySettings = RetrySettings()


class LimitSettings(_Section):
    """``[limits]``: how many messages one person gets on one channel; 0 means no limit."""

    per_day: int = Field(default=3, ge=0)
    per_week: int = Field(default=10, ge=0)


class LogSettings(_Section):
    """``[log]``: what the daemon writes about its work."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"
    """``auto``: text on a terminal, JSON elsewhere."""
    file: str | None = None
    """Standard error unless given."""


@dataclass(frozen=True, slots=True)
class WorkRules:
    """When people work in one city: its own rules where it has some, else the company's, else the defaults."""

    office_hours: tuple[tuple[time, time], ...]
    work_week: frozenset[int]
    """0 for Monday to 6 for Sunday."""
    holidays: Mapping[date, str]
    workdays: Mapping[date, str]


class Settings(BaseModel):
    """The whole configuration, checked. ``load_settings`` makes it."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)

    language: Literal["zh", "en"] = "zh"
    company: CompanySettings = CompanySettings()
    database: DatabaseSettings = DatabaseSettings()
    cities: dict[Identifier, CitySettings] = Field(default_factory=dict)
    plugins: dict[Identifier, PluginTable] = Field(default_factory=dict)
    adapters: dict[Identifier, AdapterTable] = Field(default_factory=dict)
    channels: dict[Identifier, tuple[str, ...]] = Field(default_factory=dict)
    import_: ImportSettings = Field(default=ImportSettings(), alias="import")
    runner: RunnerSettings = RunnerSettings()
    limits: LimitSettings = LimitSettings()
    log: LogSettings = LogSettings()

    _base_dir: Path = PrivateAttr(default_factory=Path.cwd)
    _config_file: Path | None = PrivateAttr(default=None)
    _secrets: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @property
    def base_dir(self) -> Path:
        """The folder that holds ``config/``; every relative path starts here."""
        return self._base_dir

    @property
    def config_file(self) -> Path | None:
        """The file the settings came from; ``None`` for settings that no file made."""
        return self._config_file

    def secret(self, name: str) -> str | None:
        """Return what the environment or a file in ``secrets/`` says, ``None`` when neither does.

        ``name`` is a place in the configuration (``adapters.mail.password``) or the variable
        (``KEGUAN_ADAPTERS__MAIL__PASSWORD``).
        """
        variable = name if name.startswith("KEGUAN_") else "KEGUAN_" + name.upper().replace(".", "__")
        return self._secrets.get(variable)

    def path(self, relative: str) -> Path:
        """Return ``relative`` as an absolute path that starts at ``base_dir``."""
        return self._base_dir / relative

    def database_url(self, *, rehearsal: bool = False) -> str:
        """Return the database's URL, an SQLite file as an absolute path. It may hold a password.

        ``rehearsal`` asks for the database of ``--at``: ``rehearsal_url``, else ``var/rehearsal.db`` beside a
        live SQLite file; empty when the live database is PostgreSQL and no ``rehearsal_url`` is given.
        """
        live = self.database.url.get_secret_value()
        url = live
        if rehearsal:
            given = self.database.rehearsal_url
            default = "sqlite:///var/rehearsal.db" if live.startswith("sqlite") else ""
            url = given.get_secret_value() if given else default
        scheme, mark, file = url.partition(":///")
        if scheme.startswith("sqlite") and mark and not file.startswith("/"):
            return f"{scheme}:///{self._base_dir / file}"
        return url

    def company_card(self) -> Company:
        """Return the company as messages and jobs name it."""
        name = self.company.name
        return Company(name=name, hotline=self.company.hotline, signature=self.company.signature or name)

    def city_key(self, text: str) -> str | None:
        """Return the key of the city that is written ``text``: key, name or alias; ``None`` when unknown."""
        wanted = text.strip()
        for key, city in self.cities.items():
            if wanted.lower() == key or wanted in (city.name, *city.aliases):
                return key
        return None

    def city(self, key: str) -> City:
        """Return the city ``key``; one that is not configured gets the defaults and its key as its name."""
        table = self.cities.get(key, CitySettings())
        start, end = table.quiet_hours
        return City(key, table.name or key, ZoneInfo(table.time_zone), start, end)

    def city_cards(self) -> dict[str, City]:
        """Return every configured city by its key."""
        return {key: self.city(key) for key in self.cities}

    def tick_at(self, key: str) -> time:
        """Return the local time of the daily tick in the city ``key``."""
        return self.cities.get(key, CitySettings()).tick_at

    def work_rules(self, key: str) -> WorkRules:
        """Return when people work in the city ``key``, configured or not."""
        city, company = self.cities.get(key, CitySettings()), self.company
        days_off = {day: name for day, name in company.holidays.items() if day not in city.workdays}
        days_on = {day: name for day, name in company.workdays.items() if day not in city.holidays}
        return WorkRules(
            office_hours=city.office_hours or company.office_hours or ((time(9), time(18)),),
            work_week=city.work_week or company.work_week or frozenset(range(5)),
            holidays={**days_off, **city.holidays},
            workdays={**days_on, **city.workdays},
        )

    def plugin(self, name: str) -> PluginTable:
        """Return the table of the plugin ``name``, an empty one when the file has none."""
        return self.plugins.get(name, PluginTable())

    def is_on(self, name: str) -> bool:
        """Return whether the plugin ``name`` is switched on somewhere."""
        table = self.plugin(name)
        enabled = name in BUILT_IN_PLUGINS if table.enabled is None else table.enabled
        return enabled and table.cities != ()

    def adapters_of(self, channel: str) -> tuple[str, ...]:
        """Return the adapters of ``channel`` in order of preference; an empty one means nothing may leave."""
        return self.channels.get(channel, (FILE_ADAPTER,))
