"""Edits the configuration file for ``keguan plugins enable|disable``; comments and order in it survive."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import Array

from keguan.errors import ConfigError
from keguan.settings.crosscheck import unknown
from keguan.settings.environment import variable_name
from keguan.settings.extensible import PluginTable
from keguan.settings.load import parse_settings
from keguan.settings.models import Settings

__all__ = ["PluginScope", "ScopeEdit", "set_plugin_scope", "turned"]


@dataclass(frozen=True, slots=True)
class PluginScope:
    """Where a plugin is on: nowhere, everywhere, in some cities, or everywhere but in some.

    The lists of a plugin that is off are remembered, so that switching it on again restores them.
    """

    enabled: bool
    cities: tuple[str, ...] | None = None
    except_cities: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ScopeEdit:
    """What an edit of the file changed."""

    before: PluginScope
    after: PluginScope

    @property
    def changed(self) -> bool:
        """Whether the file differs from what it was."""
        return self.before != self.after


def turned(scope: PluginScope, *, on: bool, city: str | None) -> PluginScope:
    """Return ``scope`` after switching the plugin on or off, in one city or (``None``) as a whole.

    ==================  ====================  ======================  ====================================
    it is               whole on / off        on in C                 off in C
    ==================  ====================  ======================  ====================================
    off                 as remembered / –     only in C               off; C will not be among the cities
    on everywhere       – / off               –                       everywhere but C
    on in L             – / off, L kept       in L and C              in L without C; was it the last: off
    on everywhere but L – / off, L kept       everywhere but L less C everywhere but L and C
    on in no city       everywhere / off      only in C               –
    ==================  ====================  ======================  ====================================

    Doing it twice changes nothing the second time.
    """
    some, but = scope.cities, scope.except_cities
    if city is None:
        return PluginScope(on, None if on and some == () else some, but)
    if on:
        if not scope.enabled or some == ():
            return PluginScope(True, (city,), None)
        if some is not None:
            return PluginScope(True, _with(some, city), None)
        return PluginScope(True, None, _without(but or (), city) or None)
    if some is not None:
        left = _without(some, city)
        return PluginScope(scope.enabled and bool(left), left or some, None) if some else scope
    return PluginScope(scope.enabled, None, _with(but or (), city))


def _with(cities: tuple[str, ...], city: str) -> tuple[str, ...]:
    return cities if city in cities else (*cities, city)


def _without(cities: tuple[str, ...], city: str) -> tuple[str, ...]:
    return tuple(each for each in cities if each != city)


def set_plugin_scope(
    path: Path, name: str, enabled: bool, city: str | None = None, *, environ: Mapping[str, str]
) -> ScopeEdit:
    """Switch the plugin ``name`` on or off in the file ``path``, as a whole or in one ``city`` (key or name).

    The new text is checked like the whole configuration before it takes the file's place in one step, with the
    same permissions; of a symbolic link the target is replaced. Raises ``ConfigError`` and leaves the file
    alone when the file is wrong, before or after, when the city is unknown, or when an environment variable
    would undo the edit.
    """
    text = _read_exactly(path)
    settings = parse_settings(text, path, environ)
    key = _known_city(settings, path, city)
    document = tomlkit.parse(text)
    before = _scope_of(document, name)
    edit = ScopeEdit(before, turned(before, on=enabled, city=key))
    if edit.changed:
        _write_scope(document, name, edit.after)
    new_text = tomlkit.dumps(document)
    if "\r\n" in text:
        new_text = re.sub(r"\r?\n", "\r\n", new_text)
    _environment_agrees(parse_settings(new_text, path, environ), name, edit.after)
    if edit.changed:
        _replace(path, new_text)
    return edit


def _read_exactly(path: Path) -> str:
    """Return the text with its own line ends; a byte-order mark, which TOML does not know, is taken off."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return file.read()
    except UnicodeDecodeError:
        raise ConfigError("config.not_utf8", where=path) from None
    except OSError as error:
        raise ConfigError("config.unreadable", where=path, problem=error.strerror) from error


def _known_city(settings: Settings, path: Path, city: str | None) -> str | None:
    if city is None:
        return None
    key = settings.city_key(city)
    if key is None:
        raise unknown(f"{path}: cities", "city", city, [*settings.cities])
    return key


def _scope_of(document: Mapping[str, Any], name: str) -> PluginScope:
    """Return what the file alone says; what it leaves open is the default."""
    table = document.get("plugins", {}).get(name, {})
    enabled = table.get("enabled")
    default = Settings().is_on(name)
    stored = PluginTable.model_validate({key: value for key, value in table.items() if key in PluginTable.model_fields})
    return PluginScope(default if enabled is None else bool(stored.enabled), stored.cities, stored.except_cities)


def _write_scope(document: tomlkit.TOMLDocument, name: str, scope: PluginScope) -> None:
    if "plugins" not in document:
        document["plugins"] = tomlkit.table(is_super_table=True)
    plugins: Any = document["plugins"]
    if name not in plugins:
        plugins[name] = tomlkit.table()
    table: Any = plugins[name]
    table["enabled"] = scope.enabled
    _write_list(table, "cities", scope.cities)
    _write_list(table, "except_cities", scope.except_cities)


def _write_list(table: Any, key: str, cities: Iterable[str] | None) -> None:
    """Change the list in place, so that its own layout and comments stay."""
    if cities is None:
        table.pop(key, None)
        return
    wanted = list(cities)
    if key not in table:
        table[key] = wanted
        return
    array: Array = table[key]
    for each in [str(item) for item in array if str(item) not in wanted]:
        array.remove(each)
    for each in wanted:
        if each not in array:
            array.append(each)


def _environment_agrees(settings: Settings, name: str, scope: PluginScope) -> None:
    table = settings.plugin(name)
    for key, wanted, found in (
        ("enabled", scope.enabled, table.enabled),
        ("cities", scope.cities, table.cities),
        ("except_cities", scope.except_cities, table.except_cities),
    ):
        if found is not None and wanted != found:
            raise ConfigError("config.environment_wins", where=variable_name(("plugins", name, key)))


def _replace(path: Path, text: str) -> None:
    """Put ``text`` in the place of the file in one step: a reader sees the old text or the new one."""
    target = path.resolve()
    try:
        status = target.stat()
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise ConfigError("config.unwritable", where=path, problem=error.strerror) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fchmod(file.fileno(), status.st_mode & 0o7777)
            if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), status.st_uid, status.st_gid)
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise ConfigError("config.unwritable", where=path, problem=error.strerror) from error
