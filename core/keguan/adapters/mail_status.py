"""What mail servers' enhanced status codes (RFC 3463) say about an address: in answers and in reports alike."""

from __future__ import annotations

import re

__all__ = ["is_gone", "status_in"]

_GONE = re.compile(r"5\.(1\.([1-6]|10)|2\.1|4\.4|7\.13)")
"""No such mailbox or domain, moved away, null MX, disabled. Others of 5.1 speak of the sender, or say nothing."""
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")


def is_gone(status: str | None) -> bool:
    """Return whether a status such as ``5.1.1`` means that the address does not exist, and will not tomorrow."""
    return status is not None and _GONE.fullmatch(status) is not None


def status_in(answer: str) -> str | None:
    """Return the status that begins what a server said, behind its three digits; ``None`` when there is none."""
    found = _STATUS.match(answer.lstrip())
    return found[1] if found else None
