"""Evidence files: copied once, found by what they contain, never changed afterwards."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO

from keguan.errors import InputError

__all__ = ["LARGEST", "KeptFile", "evidence_file", "keep_evidence"]

LARGEST = 200 * 1024 * 1024
"""Bytes that one file may have: a long video of a meeting fits, a disk image picked by mistake does not."""
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that is kept as evidence."""

    filename: str
    """As the person called it."""
    sha256: str
    size: int
    """Bytes."""


def evidence_file(folder: Path, sha256: str) -> Path:
    """Return where the file with this content lies below ``folder``: ``aa/aabbcc…``."""
    return folder / sha256[:2] / sha256


def keep_evidence(folder: Path, file: Path) -> KeptFile:
    """Copy ``file`` below ``folder`` under its SHA-256 and return it; it is on the disk when this returns.

    What is kept already is left as it is. Raises ``InputError`` for what is no readable file, is empty or is
    larger than ``LARGEST``.
    """
    if not file.is_file():
        raise InputError("tasks.evidence_absent", file=file.name)
    digest, size = hashlib.sha256(), 0
    folder.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=folder, prefix=".incoming-", delete=False) as copy:
        unfinished = Path(copy.name)
        try:
            with _opened(file) as source:
                while piece := source.read(_PIECE):
                    size += len(piece)
                    if size > LARGEST:
                        raise InputError("tasks.evidence_large", file=file.name, megabytes=LARGEST // _PIECE)
                    digest.update(piece)
                    copy.write(piece)
            if not size:
                raise InputError("tasks.evidence_empty", file=file.name)
            copy.flush()
            os.fsync(copy.fileno())
            target = evidence_file(folder, digest.hexdigest())
            _settle(unfinished, target)
        finally:
            unfinished.unlink(missing_ok=True)
    return KeptFile(file.name, digest.hexdigest(), size)


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
    unfinished.rename(target)
    for folder in (target.parent, target.parent.parent):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)  # the name itself must survive a power cut too
        finally:
            os.close(handle)
