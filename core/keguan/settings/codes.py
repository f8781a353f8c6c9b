"""``[codes]``: the short codes by which customers open a survey or a status page."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from keguan.settings.values import mistake

__all__ = ["CodeSettings", "WebAddress"]


def _web_address(value: str) -> str:
    """An address that can stand in a text message for good: no query, no place for a code in it."""
    value = value.strip().rstrip("/")
    if value and (not value.startswith(("https://", "http://")) or any(mark in value for mark in "?#{} ")):
        raise mistake("config.web_address", value=value)
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]
"""A constant address; a slash at its end is taken off."""


class CodeSettings(BaseModel):
    """How long a code opens something."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: int = Field(default=90, ge=1, le=3650)
    """Calendar days from the day on which the message was written."""
