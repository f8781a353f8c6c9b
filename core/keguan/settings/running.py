"""``[runner]`` and ``[log]``: the daemon's pace, and what it writes about its work."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from keguan.settings.section import Section

__all__ = ["LogSettings", "RetrySettings", "RunnerSettings"]


class RetrySettings(Section):
    """``[runner.retry]``: how failed deliveries are tried again."""

    first: float = Field(default=60.0, gt=0)
    """Seconds before the second try."""
    growth: float = Field(default=3.0, ge=1)
    """How many times longer each further delay is."""
    longest: float = Field(default=21_600.0, gt=0)
    """Seconds that no delay exceeds."""
    attempts: int = Field(default=8, ge=1)
    """Tries after which a message is dead."""


class RunnerSettings(Section):
    """``[runner]``: the daemon's pace. Times are seconds."""

    dispatch_every: float = Field(default=5.0, gt=0)
    reload_every: float = Field(default=10.0, gt=0, le=30)
    """How often a changed configuration file is looked for."""
    plan_batch: int = Field(default=1000, ge=1, le=100_000)
    """Rows that one transaction plans at most."""
    dispatch_batch: int = Field(default=500, ge=1, le=100_000)
    """Plans that are taken up at once."""
    delivery_batch: int = Field(default=50, ge=1, le=10_000)
    """Messages that one adapter claims at once."""
    catch_up_days: int = Field(default=30, ge=0, le=366)
    """Missed daily ticks that are caught up at most."""
    hook_timeout: float = Field(default=60.0, gt=0)
    """After this long in one call a plugin counts as hanging, and the daemon restarts."""
    lease: float = Field(default=120.0, ge=30)  # an adapter may take 20 s for one message
    """A claim that its owner has not renewed for this long was left behind by a crash."""
    stop_within: float = Field(default=15.0, gt=0, le=20)
    """SIGTERM: how long the messages in hand may take."""
    retry: RetrySettings = RetrySettings()


class LogSettings(Section):
    """``[log]``: what the daemon writes about its work."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"
    """``auto``: text on a terminal, JSON elsewhere."""
    file: str | None = None
    """Standard error unless given."""
    max_mb: float = Field(default=20, ge=0.001)
    """Megabytes after which the file is set aside and a new one begun."""
    keep: int = Field(default=10, ge=1, le=1000)
    """How many files set aside are kept."""
