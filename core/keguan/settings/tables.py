"""The tables of plugins and adapters: read with the model that their owner declares."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from keguan.adapters.base import AdapterType
from keguan.errors import ConfigError
from keguan.settings.crosscheck import unknown
from keguan.settings.environment import variable_name
from keguan.settings.mistakes import Location, mistakes_of, raise_mistakes
from keguan.settings.models import FILE_ADAPTER, Settings

__all__ = ["ConfiguredAdapter", "configure_adapters", "read_table"]

M = TypeVar("M", bound=BaseModel)
_WANTS_JSON = frozenset(
    {"list_type", "tuple_type", "set_type", "frozen_set_type", "dict_type", "mapping_type", "model_type"}
    | {"model_attributes_type", "dataclass_type"}
)


@dataclass(frozen=True, slots=True)
class ConfiguredAdapter:
    """One adapter as configured: its kind, its checked settings, its policy for messages in doubt, its pace."""

    name: str
    kind: AdapterType
    settings: object
    in_doubt: str
    rate: float | None = None
    poll_every: float = 30.0

    @property
    def approved_templates(self) -> bool:
        """Whether it sends approved templates only: its own key of that name says so, else its kind."""
        own = getattr(self.settings, "approved_templates", None)
        return self.kind.approved_templates if own is None else bool(own)


def read_table(settings: Settings, section: str, name: str, model: type[M]) -> M:
    """Return the own keys of ``[SECTION.NAME]`` as an instance of ``model``.

    ``section`` is ``plugins`` or ``adapters``. Raises ``ConfigError`` with one line for each mistake.
    """
    tables: Mapping[str, Any] = settings.plugins if section == "plugins" else settings.adapters
    rest: dict[str, Any] = tables[name].rest if name in tables else {}
    try:
        return model.model_validate(rest)
    except ValidationError as error:
        texts = [item["loc"] for item in error.errors() if item["type"] in _WANTS_JSON]
        again = _decoded(rest, texts)
    try:
        return model.model_validate(again)
    except ValidationError as error:
        mistakes = mistakes_of(error, model, partial(place_of, settings), (section, name))
    raise_mistakes(mistakes)
    raise AssertionError("pydantic reports at least one mistake")


def place_of(settings: Settings, location: Location) -> str:
    """Return who set ``location`` of checked settings: an environment variable or the file."""
    name = variable_name(location)
    if settings.secret(name) is not None:
        return name
    return f"{settings.config_file or '–'}: {'.'.join(map(str, location))}"


def _decoded(table: Mapping[str, Any], paths: list[tuple[str | int, ...]]) -> dict[str, Any]:
    """Return ``table`` with the texts at ``paths`` read as JSON: so lists come from the environment."""
    copied = copy.deepcopy(dict(table))
    for path in paths:
        node: Any = copied
        try:
            for part in path[:-1]:
                node = node[part]
            node[path[-1]] = json.loads(node[path[-1]])
        except (TypeError, ValueError, LookupError):
            continue  # the second check tells what is wrong there
    return copied


def configure_adapters(settings: Settings, kinds: Mapping[str, AdapterType]) -> dict[str, ConfiguredAdapter]:
    """Return every adapter that the configuration names, and the built-in ``file``, ready to be built.

    ``kinds`` are the built-in kinds (``file`` among them) and those that plugins register. Also checks that
    each channel's adapters can serve it. Raises ``ConfigError`` with one line for each mistake.
    """
    found, mistakes = {}, []
    types = {name: table.type for name, table in settings.adapters.items()}
    for name, type_name in {FILE_ADAPTER: FILE_ADAPTER, **types}.items():
        kind = kinds.get(type_name)
        if kind is None:
            place = place_of(settings, ("adapters", name, "type"))
            mistakes.append(unknown(place, "type", type_name, [*kinds]))
            continue
        try:
            values: object = read_table(settings, "adapters", name, kind.settings)
        except ConfigError as error:
            mistakes.extend(getattr(error, "mistakes", (error,)))
            continue
        table = settings.adapters.get(name)
        policy = table.in_doubt if table and table.in_doubt else kind.in_doubt
        pace = (table.rate, table.poll_every) if table else ()
        found[name] = ConfiguredAdapter(name, kind, values, policy, *pace)
    mistakes.extend(_misplaced(settings, found, frozenset().union(*(kind.channels for kind in kinds.values()))))
    raise_mistakes(mistakes)
    return found


def _misplaced(
    settings: Settings, adapters: Mapping[str, ConfiguredAdapter], channels: frozenset[str]
) -> list[ConfigError]:
    """Return an error for each adapter in a channel that it cannot serve; a misspelt channel is found so.

    The ``file`` kind takes part in a rehearsal of any of the ``channels`` that some kind serves.
    """
    mistakes = []
    for channel, names in settings.channels.items():
        for name in names:
            kind = adapters[name].kind if name in adapters else None
            if kind is None or channel in (channels if kind.name == FILE_ADAPTER else kind.channels):
                continue
            place, serves = place_of(settings, ("channels", channel)), ", ".join(sorted(kind.channels))
            mistakes.append(
                ConfigError("config.channel_not_served", where=place, value=channel, adapter=name, serves=serves)
            )
    return mistakes
