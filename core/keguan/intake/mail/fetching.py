"""From a mailbox into a folder: each new mail once, its attachments as files that are imported like any other."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import Connection, func, insert, select

from keguan.intake.mail.hearing import hear_bounces, hear_wish
from keguan.intake.mail.reading import Mail, kind_of, may_send, read_mail
from keguan.intake.mail.session import Box, open_box
from keguan.people.unsubscribe import Unsubscribe
from keguan.settings.arrivals import MailboxSettings
from keguan.store.engine import Store
from keguan.store.schema import mails

__all__ = ["Mailbox"]

_FIRST_DAYS = timedelta(days=7)
"""How far back the first look into a mailbox goes."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """What became of one mail, for the journal."""

    outcome: str
    detail: str | None = None


class Mailbox:
    """One mailbox of the configuration, and the folder ``KIND/FILE`` that its attachments are written to."""

    def __init__(
        self,
        name: str,
        settings: MailboxSettings,
        store: Store,
        root: Path,
        kinds: Sequence[str],
        unsubscribe: Unsubscribe | None = None,
    ) -> None:
        self.name = name
        self.settings = settings
        self._store = store
        self._root = root
        self._kinds = tuple(kinds)
        self._unsubscribe = unsubscribe
        self._log = structlog.get_logger("keguan.intake").bind(mailbox=name)

    def fetch(self, now: datetime) -> int:
        """Look at what is new and return how many mails that were. Raises ``MailboxError`` when it cannot be read.

        A mail's files are on the disk before the mail is noted as seen; killed in between, they are written again.
        """
        count = 0
        with open_box(self.name, self.settings) as box:
            for uid in self._new(box, now):
                judged = self._look(box, uid, now)
                self._note(box.validity, uid, judged, now)
                count += 1
        return count

    def _new(self, box: Box, now: datetime) -> list[int]:
        c = mails.c
        with self._store.read() as connection:
            last = connection.execute(
                select(func.max(c.uid)).where(c.mailbox == self.name, c.uid_validity == box.validity)
            ).scalar()
        return box.since((now - _FIRST_DAYS).date()) if last is None else box.after(last)

    def _look(self, box: Box, uid: int, now: datetime) -> _Judged:
        size = box.size(uid)
        if size is None:
            return _Judged("empty", "mail.gone")
        if size > self.settings.max_mb * 1e6:
            return _Judged("refused", "mail.too_large")
        content = box.content(uid)
        if content is None:
            return _Judged("empty", "mail.gone")
        mail = read_mail(content)
        with self._store.write() as connection:
            heard = self._hear(connection, mail, now)
        if heard is not None:
            return heard
        return self._take(mail, f"{box.validity}-{uid}")

    def _hear(self, connection: Connection, mail: Mail, now: datetime) -> _Judged | None:
        """Do what needs no allowed sender: a signed wish, and what servers say of addresses."""
        if mail.token is not None:
            done = self._unsubscribe is not None and hear_wish(connection, self._unsubscribe, mail.token, now)
            return _Judged("heard", "mail.opted_out") if done else _Judged("refused", "mail.token_unknown")
        if mail.bounces:
            known = hear_bounces(connection, mail.bounces, now)
            return _Judged("heard", "mail.bounce" if known else "mail.bounce_unknown")
        return None

    def _take(self, mail: Mail, number: str) -> _Judged:
        if not may_send(mail, self.settings.allowed, self.settings.checked_by):
            return _Judged("refused", "mail.sender_not_allowed")
        if not mail.files:
            return _Judged("empty", "mail.no_table")
        kind = self.settings.kind or kind_of(mail, self._kinds)
        if kind is None:
            return _Judged("refused", "mail.kind_unknown")
        folder = self._root / kind / (self.settings.project or "")
        folder.mkdir(parents=True, exist_ok=True)
        for place, file in enumerate(mail.files, start=1):
            path = folder / f"{number}-{place}-{file.name}"
            part = path.with_name(f".{path.name}.part")
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
                target.write(file.content)
            part.rename(path)
        return _Judged("imported")

    def _note(self, validity: int, uid: int, judged: _Judged, now: datetime) -> None:
        with self._store.write() as connection:
            connection.execute(
                insert(mails).values(
                    mailbox=self.name,
                    uid_validity=validity,
                    uid=uid,
                    at=now,
                    outcome=judged.outcome,
                    detail=judged.detail,
                )
            )
        say = self._log.warning if judged.outcome == "refused" else self._log.info
        say("mail", uid=uid, outcome=judged.outcome, why=judged.detail)
