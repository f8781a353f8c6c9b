"""Evidence files: judged by their content, pictures made anew, kept once under their hash, never changed or run."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO

from keguan.errors import InputError
from keguan.settings.evidence import EvidenceSettings
from keguan.tasks.media import ALLOWED, media_of
from keguan.tasks.pictures import redraw

__all__ = ["KeptFile", "evidence_file", "keep_evidence", "safe_name"]

_PIECE = 1024 * 1024
_UNSAFE = re.compile(r"[^\w.()（）-]+")
_NAME_LIMIT = 80
_DEFAULTS = EvidenceSettings()


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that is kept as evidence."""

    filename: str
    """As the person called it."""
    sha256: str
    """Of what is kept."""
    size: int
    """Bytes that are kept."""
    media_type: str | None = None
    """What is kept, by its content; ``None`` for files of before contents were looked at."""
    original_sha256: str | None = None
    """Of the file as it came."""

    @property
    def kind(self) -> str | None:
        """``photo``, ``document``, ``video`` or ``audio``."""
        media = ALLOWED.get(self.media_type or "")
        return media.kind if media else None


def evidence_file(folder: Path, sha256: str) -> Path:
    """Return where the file with this content lies below ``folder``: ``aa/aabbcc…``."""
    return folder / sha256[:2] / sha256


def keep_evidence(folder: Path, file: Path, limits: EvidenceSettings = _DEFAULTS) -> KeptFile:
    """Copy ``file`` below ``folder`` under the SHA-256 of what is kept; it is on the disk when this returns.

    A picture is made anew without anything but its pixels; any other file is kept as it came. What is kept already
    is left as it is. Raises ``InputError`` for what is no readable file, is empty, too large, or of a kind that is
    not allowed, whatever its name says.
    """
    if not file.is_file():
        raise InputError("tasks.evidence_absent", file=file.name)
    folder.mkdir(parents=True, exist_ok=True)
    with _incoming(folder) as copy:
        original, size = _copied(file, copy, limits.largest)
        media = media_of(copy, file.name)
        if size > limits.megabytes(media.kind) * _PIECE:
            raise InputError("tasks.evidence_large", file=file.name, megabytes=limits.megabytes(media.kind))
        if media.kind != "photo":
            _settle(copy, evidence_file(folder, original))
            return KeptFile(file.name, original, size, media.media_type, original)
        with _incoming(folder) as drawn:
            media_type = redraw(
                copy,
                media.media_type,
                file.name,
                side=limits.photo_side,
                megapixels=limits.photo_megapixels,
                target=drawn,
            )
            content = drawn.read_bytes()
            sha256 = hashlib.sha256(content).hexdigest()
            _settle(drawn, evidence_file(folder, sha256))
            return KeptFile(file.name, sha256, len(content), media_type, original)


def safe_name(filename: str, media_type: str | None, *, before: str = "") -> str:
    """Return a name under which a copy can be written anywhere: no folder, nothing hidden, the suffix of what it is."""
    stem = _UNSAFE.sub("_", Path(filename.replace("\\", "/")).name)
    media = ALLOWED.get(media_type or "")
    stem = stem.rsplit(".", 1)[0] if "." in stem else stem
    stem = stem.replace(".", "_").strip("_")[:_NAME_LIMIT] or "evidence"
    return f"{before}{stem}{media.suffix if media else '.bin'}"


@contextmanager
def _incoming(folder: Path) -> Iterator[Path]:
    """Give a file below ``folder`` that is gone afterwards, unless it was renamed."""
    with NamedTemporaryFile(dir=folder, prefix=".incoming-", delete=False) as file:
        unfinished = Path(file.name)
    try:
        yield unfinished
    finally:
        unfinished.unlink(missing_ok=True)


def _copied(file: Path, copy: Path, largest: int) -> tuple[str, int]:
    """Copy ``file`` and return its SHA-256 and size: what is judged afterwards cannot change any more."""
    digest, size = hashlib.sha256(), 0
    with _opened(file) as source, copy.open("wb") as target:
        while piece := source.read(_PIECE):
            size += len(piece)
            if size > largest:
                raise InputError("tasks.evidence_large", file=file.name, megabytes=largest // _PIECE)
            digest.update(piece)
            target.write(piece)
    if not size:
        raise InputError("tasks.evidence_empty", file=file.name)
    return digest.hexdigest(), size


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise InputError("tasks.evidence_unreadable", file=file.name) from error


def _settle(unfinished: Path, target: Path) -> None:
    """Give the copy its final name, unless a file of that name, hence of that content, is there already."""
    target.parent.mkdir(exist_ok=True)
    if target.exists() and target.stat().st_size == unfinished.stat().st_size:
        return
    unfinished.chmod(0o440)
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.rename(target)
    for folder in (target.parent, target.parent.parent):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)  # the name itself must survive a power cut too
        finally:
            os.close(handle)
