"""The configuration: one TOML file, the environment over it, secrets from files; every mistake is one line.

Names load when first used: pydantic is not needed for ``keguan --help``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keguan.settings.config_file import ScopeEdit, set_plugin_scope
    from keguan.settings.load import default_text, find_config, load_settings, parse_settings, unknown_variables
    from keguan.settings.mistakes import ConfigMistakes
    from keguan.settings.models import BUILT_IN_PLUGINS, FILE_ADAPTER, Settings
    from keguan.settings.places import WorkRules
    from keguan.settings.tables import ConfiguredAdapter, configure_adapters, read_table

_HOMES = {
    "BUILT_IN_PLUGINS": "models",
    "ConfigMistakes": "mistakes",
    "ConfiguredAdapter": "tables",
    "FILE_ADAPTER": "models",
    "ScopeEdit": "config_file",
    "Settings": "models",
    "WorkRules": "places",
    "configure_adapters": "tables",
    "default_text": "load",
    "find_config": "load",
    "load_settings": "load",
    "parse_settings": "load",
    "read_table": "tables",
    "set_plugin_scope": "config_file",
    "unknown_variables": "load",
}

__all__ = [
    "BUILT_IN_PLUGINS",
    "FILE_ADAPTER",
    "ConfigMistakes",
    "ConfiguredAdapter",
    "ScopeEdit",
    "Settings",
    "WorkRules",
    "configure_adapters",
    "default_text",
    "find_config",
    "load_settings",
    "parse_settings",
    "read_table",
    "set_plugin_scope",
    "unknown_variables",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        from importlib import import_module  # noqa: PLC0415 - lazily, see above

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
