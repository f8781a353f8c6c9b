"""The SMS gateways of an installation: whose rules for templates hold there, whether they approve, what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keguan.outbox.provider_rules import provider_of_type
from keguan.settings import FILE_ADAPTER, ConfiguredAdapter, Settings

__all__ = ["DEFAULT_PRICE", "Gateway", "segment_price", "sms_gateways"]

DEFAULT_PRICE = 0.05
"""Yuan for one SMS as billed, where no gateway has a price (a default of ours)."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One way out for text messages."""

    name: str
    type: str
    provider: str | None
    """Whose rules hold, by its name in the rules; ``None``: no rules of China's providers."""
    approves: bool
    """It sends only templates that it approved."""
    price: float | None
    """Yuan for one SMS as billed."""
    signature: str | None = None
    """What it writes in 【…】 where that is not the company's signature."""


def sms_gateways(settings: Settings, configured: Mapping[str, ConfiguredAdapter]) -> tuple[Gateway, ...]:
    """Return every adapter that text messages can leave through, sorted by name; files left out.

    ``configured`` are all adapters, as ``configure_adapters`` returns them.
    """
    found = []
    for name, adapter in sorted(configured.items()):
        kind, table = adapter.kind, settings.adapters.get(name)
        if table is None or kind.name == FILE_ADAPTER or "sms" not in kind.channels:
            continue
        provider = table.provider or provider_of_type(kind.name)
        own = getattr(adapter.settings, "sign_name", None)
        found.append(Gateway(name, kind.name, provider, adapter.approved_templates, table.price, own))
    return tuple(found)


def segment_price(settings: Settings) -> float:
    """Return what one SMS as billed costs in yuan: at the first gateway in use that has a price, else a default."""
    tables = (settings.adapters.get(name) for name in settings.adapters_of("sms"))
    return next((table.price for table in tables if table is not None and table.price is not None), DEFAULT_PRICE)
