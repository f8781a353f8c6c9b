"""Structured logs: one line an effect, with plugin, action, clause and key; personal values masked."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Literal, TextIO, cast

import structlog

from keguan.masking import mask_text

__all__ = ["configure_logs", "mask_event"]

Level = Literal["debug", "info", "warning", "error"]

_CHATTY = ("yagmail", "yagmail.log", "schedule", "alembic", "sqlalchemy", "asyncio", "urllib3")
"""Libraries whose own debug lines may carry bodies and addresses."""


def mask_event(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask phone numbers, e-mail addresses and ID numbers in every text of a log line."""
    for key, value in event.items():
        if isinstance(value, str) and key not in ("timestamp", "level", "key"):
            event[key] = mask_text(value)
    return event


class _Forgiving:
    """A stream whose disk may be full or whose reader may have gone: the work goes on without its log."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> None:
        """Write ``line`` if that is possible."""
        with contextlib.suppress(OSError):
            self._stream.write(line)

    def flush(self) -> None:
        """Flush if that is possible."""
        with contextlib.suppress(OSError):
            self._stream.flush()


def configure_logs(
    level: Level = "info",
    *,
    form: Literal["auto", "text", "json"] = "auto",
    file: Path | None = None,
) -> None:
    """Set up logging for this process: JSON lines, or readable text on a terminal (``auto`` decides).

    Goes to standard error, or to ``file``, appended to and created with its folder. Called once at start.
    """
    if file is None:
        stream: TextIO = sys.stderr
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        stream = file.open("a", encoding="utf-8")
    readable = form == "text" or (form == "auto" and stream.isatty())
    number = getattr(logging, level.upper())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=stream.isatty())
        if readable
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            mask_event,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Forgiving(stream))),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(stream=stream, level=logging.WARNING, force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
