"""The journal of imports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from keguan.queries.reader import Reader
from keguan.store.schema import imports, mails
from keguan.texts import text

__all__ = ["list_imports", "list_mails"]


def list_imports(reader: Reader, limit: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield ``{id, started_at, finished_at, source, kind, filename, sha256, accepted, unchanged, rejected}``.

    The newest first; ``finished_at`` is ``null`` for one that runs or was interrupted, ``sha256`` for a command's.
    """
    c = imports.c
    statement = select(imports).order_by(c.id.desc()).limit(limit)
    with reader.store.read() as connection:
        for row in connection.execute(statement).mappings():
            yield {
                "id": row["id"],
                "started_at": reader.local(row["started_at"], None),
                "finished_at": reader.local(row["finished_at"], None) if row["finished_at"] else None,
                "source": row["source"],
                "kind": row["kind"],
                "filename": row["filename"],
                "sha256": row["sha256"],
                "accepted": row["accepted"],
                "unchanged": row["unchanged"],
                "rejected": row["rejected"],
            }


def list_mails(reader: Reader, limit: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield ``{at, mailbox, uid, outcome, detail}`` of the mails that were looked at, the newest first.

    ``outcome`` is ``imported heard refused empty``; ``detail`` the sentence that says why, else ``null``.
    """
    c = mails.c
    statement = select(mails).order_by(c.at.desc(), c.uid.desc()).limit(limit)
    with reader.store.read() as connection:
        for row in connection.execute(statement).mappings():
            yield {
                "at": reader.local(row["at"], None),
                "mailbox": row["mailbox"],
                "uid": row["uid"],
                "outcome": row["outcome"],
                "detail": text(reader.language, row["detail"]) if row["detail"] else None,
            }
