"""What can be configured, with its defaults. ``config/keguan.toml`` explains each key to administrators."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from keguan.model import City, Company
from keguan.settings.arrivals import DropSettings, MailboxSettings
from keguan.settings.codes import CodeSettings
from keguan.settings.database import DatabaseSettings
from keguan.settings.evidence import EvidenceSettings
from keguan.settings.extensible import AdapterTable, PluginTable
from keguan.settings.places import CitySettings, CompanySettings, WorkRules
from keguan.settings.privacy import PrivacySettings
from keguan.settings.registry import RegisteredTemplates
from keguan.settings.running import LogSettings, RunnerSettings
from keguan.settings.section import Section
from keguan.settings.sending import AllowListSettings, LimitSettings
from keguan.settings.staff import DepartmentSettings, StaffSettings
from keguan.settings.values import Identifier
from keguan.settings.web import WebSettings

__all__ = ["BUILT_IN_PLUGINS", "FILE_ADAPTER", "ImportSettings", "Settings"]

BUILT_IN_PLUGINS = ("complaints", "sixplustwo", "supervision")
"""On unless switched off; any other plugin is off unless switched on."""
FILE_ADAPTER = "file"
"""The adapter that needs no table and serves every channel that the configuration does not name."""


class ImportSettings(Section):
    """``[import]``: headers that this company's files use."""

    columns: dict[str, str] = Field(default_factory=dict)
    """From a header as it stands in files to the field it means."""


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
    test: AllowListSettings = AllowListSettings()
    staff: StaffSettings = StaffSettings()
    departments: dict[str, DepartmentSettings] = Field(default_factory=dict)
    templates: RegisteredTemplates = Field(default_factory=dict)
    codes: CodeSettings = CodeSettings()
    log: LogSettings = LogSettings()
    privacy: PrivacySettings = PrivacySettings()
    evidence: EvidenceSettings = EvidenceSettings()
    web: WebSettings = WebSettings()
    drop: DropSettings = DropSettings()
    mailboxes: dict[Identifier, MailboxSettings] = Field(default_factory=dict)

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
        signature = self.company.signature or name
        return Company(name, self.company.hotline, signature, self.company.web)

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
        return City(key, table.name or key, ZoneInfo(table.time_zone), *table.quiet_hours, *table.promotion_hours)

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
