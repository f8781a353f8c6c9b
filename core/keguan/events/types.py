"""The kinds of event that the core itself knows. Plugins add others with ``register_event_types``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from keguan.model import EventType

__all__ = ["CORE_EVENT_TYPES"]

_BOUGHT = frozenset({"deposit", "contract_signed"})

CORE_EVENT_TYPES: Mapping[str, EventType] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            EventType("deposit", "contract"),
            EventType("contract_signed", "contract"),
            EventType("contract_changed", "contract"),
            EventType("contract_cancelled", "contract", retracts=_BOUGHT),
            # A resale: the home goes on with its new owner, the old contract is as good as never signed.
            EventType("ownership_transferred", "home"),
            EventType("contract_transferred", "contract", retracts=_BOUGHT),
            EventType("handover", "home"),
            EventType("move_in", "home"),
            EventType("home_changed", "home"),
            EventType("customer_changed", "customer"),
            EventType("project_milestone", "project"),
            EventType("project_changed", "project"),
            EventType("staff_left", "staff"),
            EventType("tick", "day"),
        )
    }
)
"""By name."""
