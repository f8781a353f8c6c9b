"""How values look in tables for people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keguan.cli.app import App

__all__ = ["shown"]

_TRANSLATED = ("status", "delivery", "kind", "channel", "source", "message_class", "change")
"""Columns whose words are shown in the user's language; JSON keeps the words of the interface."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What could move the cursor or recolour the terminal: data comes from files that others wrote."""


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
        case {"type": str(kind), "id": str(name)}:
            return f"{_word(kind, app, 'subject')} {shown(name, app, 'id')}"
        case Mapping():
            return " ".join(filter(None, (shown(part, app, name) for name, part in value.items())))
        case list() | tuple():
            return ", ".join(shown(item, app, column) for item in value)
        case str() if column in _TRANSLATED:
            return _word(value, app, column)
        case _:
            return _CONTROL.sub("", str(value))


def _word(value: str, app: App, column: str) -> str:
    try:
        return app.text(f"words.{column}.{value}")
    except KeyError:
        return value
