"""Adapters for tests, built from the table that stands in the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from keguan.adapters.base import Adapter, Surroundings
from keguan.adapters.registry import adapter_types

__all__ = ["build_adapter"]


def build_adapter(
    folder: Path, type_name: str, *, secrets: Mapping[str, str] | None = None, **table: object
) -> Adapter:
    """Return the adapter ``mail`` of a company in ``folder``; ``table`` holds the settings of its kind."""
    kind = adapter_types()[type_name]
    return kind.build("mail", kind.settings(**table), Surroundings(folder, "云璟地产", (secrets or {}).get))
