"""How long a text message is, and how many messages the operator bills for it.

China's operators count characters, not GSM-7 septets: 70 in a single message, 67 in each part of a longer one
(the remaining three carry the part's header). Letters, digits, Chinese characters and line breaks count one
each, the signature 【…】 included. Text travels as UTF-16, so a character outside the Basic Multilingual Plane
(most emoji, some rare family names) counts two.
"""

from __future__ import annotations

__all__ = ["PART", "SINGLE", "length", "segments"]

SINGLE = 70
"""The most characters that one message holds."""
PART = 67
"""The most characters that each part of a longer message holds."""


def length(text: str) -> int:
    """Return how many characters ``text``, signature included, counts for the operator."""
    return len(text) + sum(character > "\uffff" for character in text)


def segments(text: str) -> int:
    """Return how many messages the operator bills for ``text``, signature included; at least one."""
    size = length(text)
    return 1 if size <= SINGLE else -(-size // PART)
