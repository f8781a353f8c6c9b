"""Turns what pydantic finds into one line for each mistake: what is wrong, where, and how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeGuard, get_args, get_origin

from pydantic import BaseModel, ValidationError

from keguan.errors import ConfigError
from keguan.nearest import nearest

__all__ = ["ConfigMistakes", "Location", "mistakes_of", "raise_mistakes"]

Location = Sequence[str | int]
"""A path of keys into the configuration: ``("cities", "shenzhen", "quiet_hours")``."""

_KINDS = {
    "bool_parsing": "config.want_bool",
    "bool_type": "config.want_bool",
    "int_from_float": "config.want_int",
    "int_parsing": "config.want_int",
    "int_type": "config.want_int",
    "float_parsing": "config.want_number",
    "float_type": "config.want_number",
    "string_type": "config.want_text",
    "string_too_long": "config.too_long",
    "list_type": "config.want_list",
    "tuple_type": "config.want_list",
    "set_type": "config.want_list",
    "frozen_set_type": "config.want_list",
    "dict_type": "config.want_table",
    "mapping_type": "config.want_table",
    "model_type": "config.want_table",
    "model_attributes_type": "config.want_table",
    "literal_error": "config.want_one_of",
    "enum": "config.want_one_of",
    "greater_than": "config.too_small",
    "greater_than_equal": "config.too_small",
    "less_than": "config.too_big",
    "less_than_equal": "config.too_big",
    "missing": "config.missing",
}


class ConfigMistakes(ConfigError):
    """Several mistakes at once. Print each of ``mistakes`` on a line of its own."""

    def __init__(self, mistakes: Iterable[ConfigError]) -> None:
        self.mistakes = tuple(mistakes)
        lines = "\n".join(str(error) for error in self.mistakes)
        super().__init__("config.several", count=len(self.mistakes), lines=lines)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.mistakes)


def raise_mistakes(mistakes: Sequence[ConfigError]) -> None:
    """Raise one ``ConfigError``, or ``ConfigMistakes`` for several; do nothing for none."""
    if len(mistakes) == 1:
        raise mistakes[0]
    if mistakes:
        raise ConfigMistakes(mistakes)


def mistakes_of(
    error: ValidationError,
    model: type[BaseModel],
    where: Callable[[Location], str],
    prefix: Location = (),
) -> list[ConfigError]:
    """Return one ``ConfigError`` for each mistake that pydantic found in a table of the configuration.

    ``model`` describes the table, ``prefix`` is the table's own path, ``where`` tells for a full path whether
    file or environment is to blame. The values themselves are not shown unless our own check shows them: they
    may be secrets.
    """
    found = []
    for item in error.errors(include_url=False, include_input=False):
        inner = [part for part in item["loc"] if part != "[key]"]
        place = where([*prefix, *inner])
        found.append(_mistake(item["type"], item["msg"], item.get("ctx", {}), inner, place, model))
    return found


def _mistake(
    kind: str, message: str, context: Mapping[str, Any], inner: Location, place: str, model: type[BaseModel]
) -> ConfigError:
    key = str(inner[-1]) if inner else ""
    if kind.startswith("config."):
        return ConfigError(kind, where=place, **context)
    if kind == "extra_forbidden":
        return _unknown_key(key, place, _known_keys(model, inner[:-1]))
    if kind not in _KINDS:
        return ConfigError("config.bad_value", where=place, problem=_one_line(message))
    limit = next((context[name] for name in ("gt", "ge", "lt", "le", "max_length") if name in context), "")
    expected = str(context.get("expected", "")).replace(" or ", ", ")
    return ConfigError(_KINDS[kind], where=place, name=key, expected=expected, limit=limit)


def _one_line(message: str) -> str:
    return " ".join(message.removeprefix("Value error, ").split())


def _unknown_key(key: str, place: str, known: Sequence[str]) -> ConfigError:
    near = nearest(key, known)
    if near:
        return ConfigError("config.unknown_key_near", name=key, where=place, near=near)
    return ConfigError("config.unknown_key", name=key, where=place, known=", ".join(sorted(known)) or "–")


def _known_keys(model: type[BaseModel], path: Location) -> list[str]:
    """Return the keys that the table at ``path`` inside ``model`` may have."""
    kind: object = model
    for part in path:
        kind = _inside(kind, part)
    models = [option for option in (kind, *get_args(kind)) if _is_model(option)]
    return [field.alias or name for each in models for name, field in each.model_fields.items()]


def _inside(kind: object, part: str | int) -> object:
    """Return the type of what stands under ``part`` in a value of the type ``kind``."""
    if _is_model(kind):
        found = next((f for name, f in kind.model_fields.items() if part in (name, f.alias)), None)
        return found.annotation if found else None
    arguments = get_args(kind)
    if get_origin(kind) is Annotated:
        return _inside(arguments[0], part)
    if get_origin(kind) in (dict, Mapping, list, tuple):
        return next((a for a in reversed(arguments) if a is not Ellipsis), None)
    return next((inner for option in arguments if (inner := _inside(option, part)) is not None), None)


def _is_model(kind: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
