"""Which kinds of adapter there are, and how a table ``[adapters.NAME]`` becomes one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import cast

from pydantic import BaseModel, ValidationError

from keguan.adapters.base import Adapter, AdapterType, Surroundings
from keguan.adapters.file import FILE
from keguan.adapters.smtp import SMTP
from keguan.errors import ConfigError, PluginError

__all__ = ["BUILT_IN", "CORE_SETTINGS", "adapter_types", "check_adapter", "make_adapter"]

BUILT_IN = (FILE, SMTP)
CORE_SETTINGS = frozenset({"type", "in_doubt"})
"""Keys of an adapter's table that belong to the core and are taken out before the type's own model reads it."""


def adapter_types(registered: Iterable[tuple[str, AdapterType]] = ()) -> dict[str, AdapterType]:
    """Return the built-in types and those that plugins register, by name.

    Args:
        registered: pairs of plugin name and type, in any order.

    Raises ``PluginError`` naming both when two claim one name.
    """
    owners = {kind.name: "keguan" for kind in BUILT_IN}
    types = {kind.name: kind for kind in BUILT_IN}
    for plugin, kind in registered:
        if kind.name in types:
            first, second = sorted([owners[kind.name], plugin])
            raise PluginError("adapter.name_taken", name=kind.name, first=first, second=second)
        owners[kind.name], types[kind.name] = plugin, kind
    return types


def check_adapter(
    name: str, table: Mapping[str, object], types: Mapping[str, AdapterType]
) -> tuple[AdapterType, object]:
    """Return the type that ``[adapters.NAME]`` names and its checked settings; builds nothing.

    Raises ``ConfigError`` for an unknown type and for the first setting that is unknown, missing or wrong.
    """
    known = ", ".join(sorted(types))
    if "type" not in table:
        raise ConfigError("adapter.type_missing", adapter=name, known=known)
    kind = types.get(str(table["type"]))
    if kind is None:
        raise ConfigError("adapter.unknown_type", adapter=name, type=table["type"], known=known)
    model = cast("type[BaseModel]", kind.settings)
    own = {key: value for key, value in table.items() if key not in CORE_SETTINGS}
    try:
        return kind, model.model_validate(own)
    except ValidationError as error:
        raise _explained(name, model, error) from None


def make_adapter(
    name: str, table: Mapping[str, object], types: Mapping[str, AdapterType], surroundings: Surroundings
) -> Adapter:
    """Return the adapter that ``[adapters.NAME]`` describes; raises as ``check_adapter``, or as its ``build``."""
    kind, settings = check_adapter(name, table, types)
    return kind.build(name, settings, surroundings)


def _explained(name: str, model: type[BaseModel], error: ValidationError) -> ConfigError:
    """Return the first thing wrong, without the value: it may be a password."""
    first = error.errors(include_input=False, include_url=False)[0]
    setting = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = sorted(model.model_fields)
        nearest = next(iter(get_close_matches(setting, known, n=1)), " / ".join(known))
        return ConfigError("adapter.setting_unknown", adapter=name, setting=setting, nearest=nearest)
    if first["type"] == "missing":
        return ConfigError("adapter.setting_missing", adapter=name, setting=setting)
    return ConfigError("adapter.setting_wrong", adapter=name, setting=setting, problem=first["msg"])
