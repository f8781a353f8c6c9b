"""Files that hold a secret: on disk whole or not at all, readable by their owner only."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

__all__ = ["make_secret", "replace_secret"]


def make_secret(file: Path, text: str) -> None:
    """Write ``text`` to ``file``, its folder included; a file that another process made meanwhile is left as it is.

    Raises ``OSError`` when that is not possible.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = _written(file, text)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(part, file)  # never over another
    finally:
        part.unlink()
    _sync_folder(file.parent)


def replace_secret(file: Path, text: str) -> None:
    """Put ``text`` in the place of what ``file`` holds; raises ``OSError`` when that is not possible."""
    _written(file, text).replace(file)
    _sync_folder(file.parent)


def _written(file: Path, text: str) -> Path:
    """Return a file beside ``file`` with this text, on disk."""
    descriptor, name = tempfile.mkstemp(prefix=".secret-", dir=file.parent)
    part = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
    except BaseException:
        part.unlink()
        raise
    return part


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # the name itself must survive a power cut too
    finally:
        os.close(descriptor)
