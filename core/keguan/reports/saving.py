"""Reports as files: written in one piece, over the one of last time."""

from __future__ import annotations

import os
from pathlib import Path

from keguan.errors import InputError

__all__ = ["require_folder", "save_report"]


def require_folder(path: Path) -> None:
    """Raise ``InputError`` when there is no folder for ``path``: before the work of making the report."""
    if not path.absolute().parent.is_dir():
        raise InputError("sheets.unwritable", file=path.name)


def save_report(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write ``content`` to ``path``, ``private`` readable by its owner only.

    Raises ``InputError`` when it cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o666)
        with os.fdopen(handle, "wb") as target:
            if private:  # a file of last time keeps the rights it had
                os.fchmod(handle, 0o600)
            target.write(content)
    except OSError as error:
        raise InputError("sheets.unwritable", file=path.name) from error
