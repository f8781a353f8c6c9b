"""Editions by the names that people give them."""

from __future__ import annotations

from typing import get_args

from keguan.errors import UsageError
from keguan_sixplustwo.touchpoint import Edition

__all__ = ["edition_called"]


def edition_called(text: str) -> Edition:
    """Return the edition called ``text``; 2011 may go without its e. Raises ``UsageError`` naming those there are."""
    known: tuple[Edition, ...] = get_args(Edition)
    wanted = f"e{text}" if text.isdigit() else text
    for edition in known:
        if edition == wanted:
            return edition
    raise UsageError("sixplustwo.edition_unknown", edition=text, known=", ".join(known))
