"""What can be wrong, as values: a key into the text catalogues and the facts that fill its sentence."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "ConfigError",
    "DatabaseError",
    "InputError",
    "KeguanError",
    "PluginError",
    "Refusals",
    "TemplateError",
    "UsageError",
]


class KeguanError(Exception):
    """Something a user can mend.

    ``key`` names a text in the catalogues (``texts/zh``, ``texts/en``) whose sentence reads
    ``WHAT (WHERE): HOW TO MEND IT``; ``values`` fill it. Values must be free of personal data, because the
    line goes to the terminal and to the log.
    """

    exit_code = 1

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values

    def __str__(self) -> str:
        from keguan.texts import text  # noqa: PLC0415 - an error is rarely shown; keep start-up light

        return text("en", self.key, **self.values)


class UsageError(KeguanError):
    """The command line asks for something that does not exist or does not fit."""

    exit_code = 2


class ConfigError(KeguanError):
    """The configuration file or an environment variable is wrong."""

    exit_code = 2


class PluginError(KeguanError):
    """A plugin cannot be loaded or breaks the rules of its hooks."""

    exit_code = 2


class InputError(KeguanError):
    """A file or an event that came in cannot be accepted."""


class Refusals(InputError):
    """Of several things that were asked for some are refused: ``errors`` has one for each. Nothing was changed."""

    def __init__(self, errors: Sequence[KeguanError]) -> None:
        super().__init__(errors[0].key, **errors[0].values)
        self.errors = tuple(errors)


class TemplateError(KeguanError):
    """A message template is wrong or lacks a value."""


class DatabaseError(KeguanError):
    """The database cannot be reached, is busy, full, or of another version."""
