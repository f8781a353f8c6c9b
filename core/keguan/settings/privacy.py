"""``[privacy]``: how personal data is kept, and for how long."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from keguan.settings.values import mistake

__all__ = ["PrivacySettings", "RetentionSettings"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _keys(value: SecretStr) -> SecretStr:
    """Keys as ``keguan init`` writes them; the mistake names the line and never shows it."""
    written = value.get_secret_value()
    if written.strip():
        from keguan.sealing import KeyMistake, parse_keys  # noqa: PLC0415 - slow to import

        try:
            parse_keys(written)
        except KeyMistake as wrong:
            raise mistake("config.privacy_key", line=wrong.args[0]) from None
    return value


class RetentionSettings(_Section):
    """``[privacy.retention]``: days; 0 keeps for ever. Defaults are ours unless a law is named.

    Whatever goes, the row stays as a count: promises, statuses, dates and clauses are never taken away.
    """

    messages: int = Field(default=730, ge=0)
    """Texts of messages and the files of the ``file`` adapter: two years, the general warranty of a home."""
    letters: int = Field(default=60, ge=0)
    """Digests and warnings to staff: of use for a morning; what they told of stands in the log of each task."""
    replies: int = Field(default=730, ge=0)
    """What customers answered: as long as what they answered to."""
    tasks: int = Field(default=1095, ge=0)
    """Free text and forms of closed tasks: three years, the general limitation of claims (Civil Code, 188)."""
    evidence: int = Field(default=1825, ge=0)
    """Files that prove tasks: five years, the longest warranty of a home (waterproofing)."""
    codes: int = Field(default=180, ge=0)
    """Short codes after they have expired."""
    receipts: int = Field(default=180, ge=0)
    """What gateways reported: consent and sending must be provable for five months."""
    imports: int = Field(default=365, ge=0)
    """The journal of imports and mails, and files that were taken from the drop folder and
    from mails, with their reports."""
    accesses: int = Field(default=365, ge=180)
    """The access log: six months at least (Cybersecurity Law, 21)."""
    requests: int = Field(default=1095, ge=1095)
    """The log of requests, purges and rotations: three years at least (PIPL, 56)."""
    former_customers: int = Field(default=1825, ge=0)
    """People who own nothing any more are erased so long after the last home or contract of theirs ended."""


class PrivacySettings(_Section):
    """``[privacy]``: encryption at rest and retention."""

    encrypt: bool = True
    keys: Annotated[SecretStr, AfterValidator(_keys)] = SecretStr("")
    """Newest first; from the environment or ``secrets/KEGUAN_PRIVACY__KEYS``, never from the file."""
    retention: RetentionSettings = RetentionSettings()
