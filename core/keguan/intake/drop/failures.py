"""Files that could not be taken in as a whole and wait for somebody: what lies in ``failed/``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keguan.settings import Settings

__all__ = ["failed_files", "places"]

_BESIDE = (".report.txt", ".rejected.csv")


def places(settings: Settings) -> dict[str, Path]:
    """Return the folders that files are taken in from, by what people call them; they need not exist."""
    found = {name: settings.path("var/mail") / name for name in sorted(settings.mailboxes)}
    if settings.drop.folder is not None:
        found = {settings.drop.folder: settings.path(settings.drop.folder)} | found
    return found


def failed_files(root: Path, since: datetime | None = None) -> list[Path]:
    """Return the files in ``failed/`` of a drop folder, without what was written beside them.

    ``since`` (aware) leaves out those that ended there earlier: moving a file changes its inode, so that time counts.
    """
    found = []
    for path in sorted((root / "failed").rglob("*")):
        try:
            moved = path.stat().st_ctime
        except OSError:  # somebody took it away a moment ago
            continue
        if path.is_file() and not path.name.endswith(_BESIDE) and (since is None or moved >= since.timestamp()):
            found.append(path)
    return found
