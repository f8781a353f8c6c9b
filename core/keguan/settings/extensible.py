"""``[plugins.NAME]`` and ``[adapters.NAME]``: a few keys of the core, the others belong to whoever is named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["AdapterTable", "PluginTable"]


class PluginTable(BaseModel):
    """``[plugins.NAME]``: three keys of the core; the others belong to the plugin."""

    model_config = ConfigDict(extra="allow", frozen=True)

    enabled: bool | None = None
    cities: tuple[str, ...] | None = None
    except_cities: tuple[str, ...] | None = None

    @property
    def rest(self) -> dict[str, object]:
        """The plugin's own keys, unchecked."""
        return dict(self.model_extra or {})

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        """Leave out the plugin's own values: among them may be secrets."""
        yield from (("enabled", self.enabled), ("cities", self.cities), ("except_cities", self.except_cities))


class AdapterTable(BaseModel):
    """``[adapters.NAME]``: the kind of adapter and its policy; the other keys belong to the kind."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    in_doubt: Literal["resend", "hold"] | None = None
    """What happens to a message whose answer never came; the kind's own policy unless given."""
    price: float | None = Field(default=None, ge=0)
    """Yuan for one SMS as billed."""
    rate: float | None = Field(default=None, gt=0, le=100_000)
    """Messages a second at most; as many as the adapter takes unless given."""
    poll_every: float = Field(default=30.0, gt=0)
    """Seconds from one fetching of receipts and replies to the next, where a gateway does not call us."""
    provider: Literal["general", "aliyun", "tencent", "huawei", "baidu"] | None = None
    """Whose rules for templates hold there; those of the kind unless given."""

    @property
    def rest(self) -> dict[str, object]:
        """The adapter's own keys, unchecked."""
        return dict(self.model_extra or {})

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        """Leave out the adapter's own values: among them are secrets."""
        yield from (("type", self.type), ("in_doubt", self.in_doubt))
