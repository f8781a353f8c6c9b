"""``[templates.PLUGIN.NAME.GATEWAY]``: which text messages which gateway knows, under which name of its own."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from keguan.model.effects import MessageClass
from keguan.settings.values import Identifier, mistake

__all__ = ["RegisteredTemplates", "TemplateTable"]


def _day(value: object) -> object:
    """A date of TOML, or ``"2026-03-01"`` from an environment variable; no instant and no number."""
    if isinstance(value, datetime) or not isinstance(value, date | str):
        raise mistake("config.day", value=value)
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise mistake("config.day", value=value) from None


class TemplateTable(BaseModel):
    """One template as one gateway knows it."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)

    id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    """The gateway's own name for it, such as ``SMS_123456``."""
    variables: tuple[str, ...] | None = None
    """Our names in the order of the gateway's placeholders; those of the template unless given."""
    message_class: MessageClass = Field(default="service", alias="class")
    approved_on: Annotated[date, BeforeValidator(_day)] | None = None
    """Business date; without it the template is submitted and nothing leaves by it yet."""
    lead_days: int | None = Field(default=None, ge=0)
    """How long approval takes there, in calendar days."""
    text: str | None = None
    """What was approved, as the gateway shows it, without signature …"""
    text_digest: str | None = None
    """… or its fingerprint; ``keguan templates show`` prints both. Another text is not approved."""


RegisteredTemplates = dict[Identifier, dict[Identifier, dict[Identifier, TemplateTable]]]
"""By plugin, template and gateway."""
