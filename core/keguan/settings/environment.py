"""Reads ``KEGUAN_SECTION__KEY`` variables into the tables that they override."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from keguan.settings.mistakes import Location
from keguan.settings.models import Settings

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

__all__ = ["PREFIX", "from_environment", "sections", "variable_name"]

PREFIX = "KEGUAN_"
_LEVEL = "__"


def variable_name(location: Location) -> str:
    """Return the environment variable that sets ``location``."""
    return PREFIX + _LEVEL.join(str(part).upper() for part in location)


def sections() -> dict[str, bool]:
    """Return every top-level key of the configuration, and whether it is a table."""
    found = {}
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        plain = kind is str or getattr(kind, "__origin__", None) is not dict
        is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
        found[field.alias or name] = is_model or not plain
    return found


def from_environment(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return what ``variables`` set, as nested tables like those of the TOML file.

    Lists and tables are written as JSON. Below plugins and adapters, whose models are not known here, values
    stay text, because a password of digits is not a number; ``read_table`` reads lists and tables there.
    """
    from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict  # noqa: PLC0415 - slow

    class Reader(Settings, BaseSettings):
        model_config = SettingsConfigDict(
            env_prefix=PREFIX,
            env_prefix_target="all",
            env_nested_delimiter=_LEVEL,
            populate_by_name=True,
            defer_build=True,  # nothing is validated here, and a validator of everything takes 10 MB
        )

    class Source(EnvSettingsSource):
        def _load_env_vars(self) -> Mapping[str, str | None]:
            return {name.lower(): value for name, value in variables.items()}

        def decode_complex_value(self, field_name: str, field: FieldInfo | None, value: Any) -> Any:
            if field is None and not str(value).lstrip().startswith("{"):
                return value
            try:
                return super().decode_complex_value(field_name, field, value)  # type: ignore[arg-type]  # its own caller passes None
            except ValueError:
                return value  # the check of the whole configuration says what should stand there

    return Source(Reader)()
