"""How values look in tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keguan.cli.app import App

__all__ = ["shown"]

_TRANSLATED = ("status", "delivery", "kind", "channel")
"""Columns whose words are shown in the user's language; JSON keeps the words of the interface."""


def shown(value: Any, app: App, column: str) -> str:
    """Return one cell as text: local minutes for instants, words for states, nothing for unknown."""
    match value:
        case None | "":
            return ""
        case bool():
            return app.text("cli.yes") if value else app.text("cli.no")
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case date():
            return value.isoformat()
        case Mapping():
            return " ".join(str(part) for part in value.values())
        case list() | tuple():
            return ", ".join(shown(item, app, column) for item in value)
        case str() if column in _TRANSLATED:
            return _word(value, app, column)
        case _:
            return str(value)


def _word(value: str, app: App, column: str) -> str:
    try:
        return app.text(f"words.{column}.{value}")
    except KeyError:
        return value
