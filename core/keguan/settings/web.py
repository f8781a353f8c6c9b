"""``[web]``: what the daemon answers over HTTP, and how customers reach it."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr

from keguan.settings.values import mistake

__all__ = ["WebSettings"]

_ADDRESS = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(?P<port>\d{1,5})")


def _listen(value: str) -> str:
    match = _ADDRESS.fullmatch(value)
    if match is None or not 0 <= int(match["port"]) <= 65535:
        raise mistake("config.listen", value=value)
    return value


def _public(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise mistake("config.public_url", value=value)
    return value.rstrip("/")


def _network(value: str) -> str:
    try:
        return str(ip_network(value)) if "/" in value else str(ip_address(value))
    except ValueError:
        raise mistake("config.proxy", value=value) from None


class WebSettings(BaseModel):
    """``[web]``: nothing is listened to unless ``listen`` is given."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    listen: Annotated[str, AfterValidator(_listen)] | None = None
    """``HOST:PORT``; port 0 takes any free one. TLS is the business of the proxy in front."""
    proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = ("127.0.0.1", "::1")
    """Addresses and networks of the proxies in front, whose ``X-Forwarded-For`` says who is asking."""
    public_url: Annotated[str, AfterValidator(_public)] | None = None
    """Under which ``https://`` address customers and gateways reach ``listen``."""
    unsubscribe_mail: str | None = None
    """An address whose mails mean "no more": one of the mailboxes that are read."""
    secret: SecretStr | None = None
    """Signs what stands in links; made at first use when none is given."""

    @property
    def host_and_port(self) -> tuple[str, int] | None:
        """Where to listen."""
        match = _ADDRESS.fullmatch(self.listen) if self.listen else None
        return (match["host"].strip("[]"), int(match["port"])) if match else None
