"""What holds messages back, as far as it is configured: ``[limits]`` and the allow list ``[test]``."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from keguan.settings.values import mistake

__all__ = ["AllowListSettings", "CodeLimitSettings", "LimitSettings", "PromotionLimitSettings"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CodeLimitSettings(_Section):
    """``[limits.code]``: verification codes; the defaults are those that gateways in China set."""

    per_minute: int = Field(default=1, ge=0)
    per_hour: int = Field(default=5, ge=0)
    per_day: int = Field(default=10, ge=0)
    """In any 24 hours."""


class PromotionLimitSettings(_Section):
    """``[limits.promotion]``: advertising, which counts in the common limits besides."""

    per_day: int = Field(default=1, ge=0)
    per_week: int = Field(default=2, ge=0)


class LimitSettings(_Section):
    """``[limits]``: how many messages one person gets on one channel; 0 means no limit."""

    per_day: int = Field(default=3, ge=0)
    per_week: int = Field(default=10, ge=0)
    code: CodeLimitSettings = CodeLimitSettings()
    promotion: PromotionLimitSettings = PromotionLimitSettings()


def _admitted(value: SecretStr) -> SecretStr:
    """A phone number as E.164, ``name@domain`` or ``@domain`` in small letters; the mistake never shows it."""
    written = value.get_secret_value().strip()
    _, at, domain = written.rpartition("@")
    if at:
        if not domain or " " in written:
            raise mistake("config.only_to")
        return SecretStr(written.casefold())
    from keguan.intake.fields import FieldError  # noqa: PLC0415 - the phone library is slow to load, and rarely asked
    from keguan.intake.phones import parse_phone  # noqa: PLC0415

    try:
        return SecretStr(parse_phone(written))
    except FieldError:
        raise mistake("config.only_to") from None


class AllowListSettings(_Section):
    """``[test]``: whom a test installation may reach. The addresses are somebody's own, so they are secrets."""

    only_to: tuple[Annotated[SecretStr, AfterValidator(_admitted)], ...] | None = None
    """Phone numbers, e-mail addresses, ``@domain`` for all of a domain; an empty list: nobody. Absent: everybody."""

    @property
    def is_on(self) -> bool:
        """Whether messages leave to the addresses of the list only."""
        return self.only_to is not None

    def admits(self, address: str) -> bool:
        """Return whether a message may leave to ``address`` (E.164, or an e-mail address)."""
        listed = {each.get_secret_value() for each in self.only_to or ()}
        small = address.casefold()
        return not self.is_on or small in listed or ("@" in small and f"@{small.rpartition('@')[2]}" in listed)
