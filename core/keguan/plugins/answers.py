"""What a call to a plugin comes to: its answer, or its failure as a value that names it."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from keguan.errors import KeguanError, PluginError
from keguan.masking import mask_text
from keguan.plugins.discovery import Installed

__all__ = ["Failure", "Result", "failure_of", "one_line"]

R = TypeVar("R")
_LINE = 400
_TRACEBACK = 8_000


class Result(NamedTuple, Generic[R]):
    """What one plugin answered to one hook."""

    plugin: str
    value: R


@dataclass(frozen=True, slots=True)
class Failure:
    """One plugin's error, kept so that the others can go on. ``str`` gives its one line in English."""

    plugin: str
    hook: str
    error: PluginError
    traceback: str = field(default="", repr=False)

    def __str__(self) -> str:
        return str(self.error)

    def noted(self) -> PluginError:
        """Return the error with the traceback in its notes, which ``-v`` shows."""
        if self.traceback and not getattr(self.error, "__notes__", None):
            self.error.add_note(self.traceback)
        return self.error


def failure_of(plugin: Installed, hook: str, error: BaseException) -> Failure:
    """Return the failure that ``error``, raised by ``plugin`` in ``hook``, comes to.

    What looks like a phone number, an ID number or an address in it is masked.
    """
    trace = "".join(traceback.format_exception(error))[-_TRACEBACK:]
    line = PluginError("plugins.failed", hook=hook, problem=one_line(error), **plugin.label)
    return Failure(plugin.name, hook, line, mask_text(_storable(trace)))


def _storable(text: str) -> str:
    """Return ``text`` without what no database takes: NUL bytes and halves of characters."""
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()


def one_line(error: BaseException) -> str:
    """Return kind and message of ``error`` in one line; never raises, whatever the error's own code does."""
    try:
        message = _storable(" ".join(str(error).split()))
    except Exception:  # noqa: BLE001 - foreign code
        message = ""
    if message and isinstance(error, KeguanError):
        return mask_text(message[:_LINE])
    return mask_text(f"{type(error).__name__}: {message}"[:_LINE] if message else type(error).__name__)
