"""Which kinds of adapter ``[adapters.NAME] type`` may name: the built-in ones and those that plugins register."""

from __future__ import annotations

from collections.abc import Iterable

from keguan.adapters.aliyun import ALIYUN
from keguan.adapters.base import AdapterType
from keguan.adapters.file import FILE
from keguan.adapters.http import HTTP
from keguan.adapters.robots import ROBOTS
from keguan.adapters.smtp import SMTP
from keguan.adapters.tencent import TENCENT
from keguan.adapters.twilio import TWILIO
from keguan.errors import PluginError

__all__ = ["BUILT_IN", "adapter_types"]

BUILT_IN = (ALIYUN, FILE, HTTP, ROBOTS, SMTP, TENCENT, TWILIO)


def adapter_types(registered: Iterable[tuple[str, AdapterType]] = ()) -> dict[str, AdapterType]:
    """Return the built-in types and those that plugins register, by name.

    Args:
        registered: pairs of plugin name and type, in any order.

    Raises ``PluginError`` naming both when two claim one name.
    """
    owners = {kind.name: "keguan" for kind in BUILT_IN}
    types = {kind.name: kind for kind in BUILT_IN}
    for plugin, kind in registered:
        if kind.name in types:
            first, second = sorted([owners[kind.name], plugin])
            raise PluginError("adapter.name_taken", name=kind.name, first=first, second=second)
        owners[kind.name], types[kind.name] = plugin, kind
    return types
