"""What a check answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from keguan.errors import KeguanError
from keguan.texts import Language, text

__all__ = ["Found", "ill", "notice", "well", "wrong"]


@dataclass(frozen=True, slots=True)
class Found:
    """One answer: what was looked at, whether it is well, and the sentence that says so or names the mend."""

    check: str
    ok: bool
    key: str
    values: dict[str, object] = field(default_factory=dict)
    language: Language | None = None
    """The configuration's, in the answer about it."""
    notice: bool = False
    """It works, and yet somebody should know it."""

    def sentence(self, language: Language) -> str:
        """Return the sentence in ``language``."""
        return text(language, self.key, **self.values)


def well(check: str, key: str, /, **values: object) -> Found:
    """Return that all is as it should be."""
    return Found(check, True, key, values)


def notice(check: str, key: str, /, **values: object) -> Found:
    """Return what is no fault and should be known."""
    return Found(check, True, key, values, notice=True)


def ill(check: str, key: str, /, **values: object) -> Found:
    """Return what somebody has to mend."""
    return Found(check, False, key, values)


def wrong(check: str, error: KeguanError) -> Iterator[Found]:
    """Yield an answer for each mistake that ``error`` tells of."""
    for mistake in getattr(error, "mistakes", None) or [error]:
        yield Found(check, False, mistake.key, dict(mistake.values))
