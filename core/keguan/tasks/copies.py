"""Copies of evidence for people: written out under safe names, and only when they are still what was kept."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from keguan.errors import InputError
from keguan.masking import mask_name, mask_text
from keguan.store.engine import Store
from keguan.store.schema import evidence, tasks
from keguan.tasks.evidence import evidence_file, safe_name

__all__ = ["copies_of"]

_e = evidence.c
_PIECE = 1 << 20


def copies_of(store: Store, folder: Path, task: int, *, out: Path | None = None) -> Iterator[dict[str, Any]]:
    """Yield a row for each file that proves ``task``: ``file media_type size sha256 added_at added_by``.

    With ``out`` each is written there before its row is yielded, readable by its owner alone; what such a file is
    called is then ``file``. Raises ``InputError`` for a task that nobody knows, a name that is taken, and a file
    that is not what was kept any more.
    """
    with store.read() as connection:
        if connection.execute(select(tasks.c.id).where(tasks.c.id == task)).first() is None:
            raise InputError("tasks.unknown", task=task)
        rows = connection.execute(select(evidence).where(_e.task_id == task).order_by(_e.id)).all()
    for number, row in enumerate(rows, start=1):
        name = mask_text(row.filename)
        if out is not None:
            name = safe_name(row.filename, row.media_type, before=f"task-{task}-{number}-")
            _write(evidence_file(folder, row.sha256), out / name, row.sha256, task, number)
        yield {
            "file": name,
            "media_type": row.media_type,
            "size": row.size,
            "sha256": row.sha256,
            "added_at": row.added_at,
            "added_by": mask_name(row.added_by or ""),
        }


def _write(kept: Path, copy: Path, sha256: str, task: int, number: int) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    try:
        handle = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise InputError("evidence.out_exists", file=copy.name) from error
    try:
        with os.fdopen(handle, "wb") as target, kept.open("rb") as source:
            while piece := source.read(_PIECE):
                digest.update(piece)
                target.write(piece)
        if digest.hexdigest() != sha256:
            raise InputError("evidence.altered", task=task, number=number)
    except (InputError, FileNotFoundError) as error:
        copy.unlink()
        raise InputError("evidence.altered", task=task, number=number) from error
