"""The ``file`` adapter: messages as files that people can read, and a line for each delivery.

A file is complete before it gets its name, and its line is written after it, so a crash between the two leaves a
file without a line; the message is then in doubt, is written again over the same file, and counted once. A crash
after the line counts a repeat as what it is. Nothing is forced to disk for each message: a process that is
killed loses nothing that it wrote, a power cut may lose the last seconds; ``durable = true`` waits for the disk
with every message where these files are the real way out.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, field_validator

from keguan.adapters.base import AdapterType, Outcome, OutgoingMessage, Report, Surroundings
from keguan.adapters.mime import Mailbox, Sender, build_email, parse_address
from keguan.texts import Language, text

__all__ = ["FILE", "FileAdapter", "FileSettings", "file_name"]

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_NOBODY = Mailbox("keguan", "outbox.invalid")


class FileSettings(BaseModel):
    """The table ``[adapters.NAME]`` with ``type = "file"``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    directory: Path = Path("var/outbox")
    """Where the files go; relative to the folder that holds ``config/``."""
    time_zone: str = "Asia/Shanghai"
    """Decides the day's folder and the offset of ``at``."""
    durable: bool = False
    """Wait for the disk with every message."""

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError):
            raise ValueError("not a time zone, such as Asia/Shanghai") from None
        return value


class FileAdapter:
    """Writes ``DAY/KEY.eml`` and ``DAY/KEY.txt``, and ``delivered.jsonl`` with ``{key, channel, at}`` a line.

    Used by one thread; several processes may share a directory. Only the owner of the files can read them: they
    hold names and addresses.
    """

    def __init__(self, settings: FileSettings, base_dir: Path, company_name: str, language: Language) -> None:
        self._directory = base_dir / settings.directory
        self._shown = settings.directory
        self._zone = ZoneInfo(settings.time_zone)
        self._durable = settings.durable
        self._sender = Sender(_NOBODY, company_name)
        self._language: Language = language
        self._day: Path | None = None

    def send(self, message: OutgoingMessage, now: datetime) -> Report:
        """Write ``message``; see ``Adapter.send``. Trouble with the disk is temporary."""
        at = now.astimezone(self._zone)
        try:
            suffix, content = self._content(message, at)
        except ValueError as error:
            broken = isinstance(error, UnicodeEncodeError)
            key = "adapter.file_broken" if broken else "adapter.file_address_invalid"
            return Report(Outcome.PERMANENT, text(self._language, key))
        try:
            self._write(at.date().isoformat(), file_name(message.key) + suffix, content)
            line = {"key": message.key, "channel": message.channel, "at": at.isoformat(timespec="milliseconds")}
            self._append(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        except OSError as error:
            self._day = None  # somebody may have taken the folder away
            problem = error.strerror or type(error).__name__
            detail = text(self._language, "adapter.file_unwritable", directory=self._shown, problem=problem)
            return Report(Outcome.TEMPORARY, detail)
        return Report(Outcome.SENT)

    def check(self) -> str | None:
        """Look whether the folder can be written to; see ``Adapter.check``."""
        place = self._directory
        while not place.exists() and place != place.parent:
            place = place.parent
        if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
            return None
        problem = os.strerror(errno.EACCES if place.is_dir() else errno.ENOTDIR)
        return text(self._language, "adapter.file_unwritable", directory=self._shown, problem=problem)

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _content(self, message: OutgoingMessage, at: datetime) -> tuple[str, bytes]:
        if message.channel == "email":
            to = parse_address(message.to_address)
            return ".eml", build_email(message, to, self._sender, at, eight_bit=True)
        head = [f"To: {message.to_address}", f"Date: {at.isoformat(timespec='seconds')}", f"Key: {message.key}"]
        if message.segments is not None:
            head.append(f"Segments: {message.segments}")
        return ".txt", "\n".join([*head, "", message.text, ""]).encode()

    def _write(self, day: str, name: str, content: bytes) -> None:
        folder = self._directory / day
        if folder != self._day:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._day = folder
        target = f"{folder}/{name}"
        part = f"{target}.{os.getpid()}.part"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _write_all(descriptor, content)
            if self._durable:
                os.fsync(descriptor)
        except OSError:
            os.unlink(part)  # noqa: PTH108 - as its neighbours: paths as text are what makes this quick
            raise
        finally:
            os.close(descriptor)
        os.replace(part, target)  # noqa: PTH105 - see above

    def _append(self, line: bytes) -> None:
        """Add one whole line, or nothing: a disk that fills up in the middle leaves no torn line behind."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor = os.open(f"{self._directory}/delivered.jsonl", flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # so that taking a torn line back cannot hit another's
            before = os.fstat(descriptor).st_size
            try:
                _write_all(descriptor, line)
            except OSError:
                os.ftruncate(descriptor, before)
                raise
            if self._durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    """Write with a single call as a rule; a disk that is nearly full takes a part and then says so."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def file_name(key: str) -> str:
    """Return a name for ``key`` that any file system takes; two keys never share one."""
    readable = _UNSAFE.sub("-", key).strip("-")[:80]
    return f"{readable}.{sha256(key.encode()).hexdigest()[:16]}"


def _build(_name: str, settings: object, surroundings: Surroundings) -> FileAdapter:
    assert isinstance(settings, FileSettings)
    return FileAdapter(settings, surroundings.base_dir, surroundings.company_name, surroundings.language)


FILE = AdapterType(
    name="file",
    channels=frozenset({"email", "sms"}),
    settings=FileSettings,
    build=_build,
    in_doubt="resend",  # the same file is written again
)
