"""Which files prove which task: the same file, or the same photo sent twice, is one piece of evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, insert, select

from keguan.settings.evidence import EvidenceSettings
from keguan.store.engine import Store
from keguan.store.schema import evidence
from keguan.tasks.evidence import KeptFile, evidence_file, keep_evidence

__all__ = ["attach_files", "kept_files"]

_e = evidence.c


@contextmanager
def kept_files(store: Store, folder: Path, files: Sequence[Path], limits: EvidenceSettings) -> Iterator[list[KeptFile]]:
    """Keep ``files`` below ``folder`` for as long as what is done with them succeeds.

    When it fails, those that prove no task are gone again: nobody would ever erase the photo of a home that no row
    names.
    """
    kept: list[KeptFile] = []
    try:
        for file in files:
            kept.append(keep_evidence(folder, file, limits))  # noqa: PERF401 - those before a failure must be known
        yield kept
    except BaseException:
        wanted = {file.sha256 for file in kept}
        with store.read() as connection:
            named = set(connection.execute(select(_e.sha256).where(_e.sha256.in_(wanted))).scalars())
        for sha256 in wanted - named:
            evidence_file(folder, sha256).unlink(missing_ok=True)
        raise


def attach_files(
    connection: Connection, task_id: int, files: Sequence[KeptFile], *, now: datetime, by: str
) -> list[str]:
    """Attach ``files`` to a task, those that it has already left out; return the SHA-256 of each as it is kept.

    A photo is known again by the file it came as, too: made anew by a later version of the library it would have
    another content.
    """
    known: dict[str, str] = {}
    if files:
        for kept, original in connection.execute(select(_e.sha256, _e.original_sha256).where(_e.task_id == task_id)):
            known |= {kept: kept, original or kept: kept}
    found = []
    for file in files:
        first = known.get(file.sha256) or known.get(file.original_sha256 or file.sha256)
        if first is None:
            first = file.sha256
            known |= {file.sha256: first, file.original_sha256 or file.sha256: first}
            connection.execute(
                insert(evidence).values(
                    task_id=task_id,
                    filename=file.filename,
                    sha256=file.sha256,
                    size=file.size,
                    added_at=now,
                    added_by=by,
                    media_type=file.media_type,
                    original_sha256=file.original_sha256,
                )
            )
        found.append(first)
    return found
