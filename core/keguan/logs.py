"""Structured logs: one line an effect, with plugin, action, clause and key; personal values masked."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterable, MutableMapping
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Literal, Protocol, TextIO, cast

import structlog

from keguan.masking import mask_text

__all__ = ["cap_logs", "configure_logs", "mask_event"]

Level = Literal["debug", "info", "warning", "error"]

_CHATTY = (
    *("yagmail", "yagmail.log", "schedule", "alembic", "sqlalchemy", "asyncio", "urllib3"),
    *("alibabacloud-tea", "darabonba-core", "tencentcloud_sdk_common", "twilio", "apprise"),
)
"""Libraries whose own debug lines may carry bodies and addresses."""


def cap_logs(names: Iterable[str], level: int = logging.WARNING) -> None:
    """Keep the loggers ``names``, and those below them, from saying anything below ``level``."""
    for name in names:
        logging.getLogger(name).setLevel(level)


def mask_event(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask phone numbers, e-mail addresses and ID numbers in every text of a log line."""
    for key, value in event.items():
        if isinstance(value, str) and key not in ("timestamp", "level", "key"):
            event[key] = mask_text(value)
    return event


class _Sink(Protocol):
    """Where lines go."""

    def write(self, line: str) -> object:
        """Write ``line``, which ends with a line break."""

    def flush(self) -> object:
        """Have it on its way."""

    def isatty(self) -> bool:
        """Whether a person reads along."""


class _Forgiving:
    """A stream whose disk may be full or whose reader may have gone: the work goes on without its log."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> None:
        """Write ``line`` if that is possible."""
        with contextlib.suppress(OSError, ValueError):  # ValueError: it was closed
            self._stream.write(line)

    def flush(self) -> None:
        """Flush if that is possible."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._stream.isatty()


class _Rotating(RotatingFileHandler):
    """A file that begins anew when it is full, the older ones kept beside it; as forgiving as the stream."""

    def __init__(self, file: Path, max_bytes: int, keep: int) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(file, maxBytes=max_bytes, backupCount=keep, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        """Open the file, the new one after a rotation too, for nobody outside its group."""
        stream = super()._open()
        with contextlib.suppress(OSError):
            os.fchmod(stream.fileno(), 0o640)
        return stream

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the base class named it
        """Go on: a log that cannot be written stops nothing."""

    def write(self, line: str) -> None:
        """Write one line; the handler's own lock keeps those of several threads apart."""
        self.handle(logging.makeLogRecord({"msg": line.rstrip("\n")}))

    def flush(self) -> None:
        """Flush if that is possible."""
        with contextlib.suppress(OSError):
            super().flush()

    def close(self) -> None:
        """Close the file; what a full disk did not take is lost."""
        with contextlib.suppress(OSError):
            super().close()

    def isatty(self) -> bool:
        """Never."""
        return False


class _Foreign(logging.Handler):
    """What libraries say through the standard library's logging, as lines like ours: masked, in the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the line on; its traceback may hold values and stays behind."""
        with contextlib.suppress(Exception):  # a library's own mistake in formatting is not worth more
            logger = structlog.get_logger("keguan.libraries")
            logger.log(record.levelno, record.getMessage(), library=record.name)


def configure_logs(
    level: Level = "info",
    *,
    form: Literal["auto", "text", "json"] = "auto",
    file: Path | None = None,
    max_mb: float = 20,
    keep: int = 10,
) -> None:
    """Set up logging for this process: JSON lines, or readable text on a terminal (``auto`` decides).

    Goes to standard error, or to ``file``, appended to and created with its folder. A file of ``max_mb``
    megabytes (10⁶ bytes) is set aside as ``FILE.1``, ``FILE.2`` …, of which ``keep`` are kept. Called once at start.
    """
    stream: _Sink = _Forgiving(sys.stderr) if file is None else _Rotating(file, int(max_mb * 1e6), keep)
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
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", stream)),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Foreign()], level=logging.WARNING, force=True)
    cap_logs(_CHATTY)
