"""What counts as the same value when somebody is looked up."""

from __future__ import annotations

import unicodedata
from typing import Literal

__all__ = ["Kind", "normalised"]

Kind = Literal["name", "phone", "email", "id_no"]


def normalised(kind: Kind, value: str) -> str:
    """Return ``value`` as it is compared: widths, letter case and blanks that make no difference are gone.

    Phone numbers come as E.164. In ID numbers blanks never count; in names a row of them is one.
    """
    text = unicodedata.normalize("NFKC", value)
    if kind == "name":
        return _settled(" ".join(text.casefold().split()))
    if kind == "email":
        return _settled(text.strip().casefold())
    return _settled("".join(text.split()).upper())


def _settled(text: str) -> str:
    """Compose once more: with a blank or a capital gone, two characters may have become one."""
    return unicodedata.normalize("NFKC", text)
