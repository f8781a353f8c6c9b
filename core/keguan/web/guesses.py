"""How often a visitor may guess a code: 244 million codes last only as long as nobody may try them all."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_network

from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

__all__ = ["Guesses"]

_ONE = RateLimitItemPerMinute(10, 10)
"""Ten wrong codes in ten minutes from one address."""
_ALL = RateLimitItemPerHour(1000)
"""A thousand in an hour from all addresses together: whoever rents many must not get further."""


class Guesses:
    """Counts wrong codes, in memory: a restart forgives them."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def allowed(self, address: str) -> bool:
        """Return whether a visitor from ``address`` may try another code."""
        return self._limiter.test(_ONE, _visitor(address)) and self._limiter.test(_ALL, "all")

    def wrong(self, address: str) -> None:
        """Note a code that opened nothing."""
        self._limiter.hit(_ONE, _visitor(address))
        self._limiter.hit(_ALL, "all")


def _visitor(address: str) -> str:
    """Return what counts as one visitor: of IPv6 a whole network, for each subscriber has 2⁶⁴ addresses."""
    try:
        found = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    mapped = found.ipv4_mapped  # where one socket serves both, whoever comes by IPv4 looks like this
    return str(mapped) if mapped else str(ip_network((found, 64), strict=False))
