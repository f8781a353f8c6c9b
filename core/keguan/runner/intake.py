"""The daemon's thread that takes in files: from the drop folder and from mailboxes."""

from __future__ import annotations

import threading
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from keguan.intake.drop.folder import MAIL, DropFolder
from keguan.intake.drop.taking import Source, Taken, Taker
from keguan.intake.kinds import KINDS
from keguan.intake.mail.fetching import Mailbox
from keguan.intake.mail.session import MailboxError
from keguan.people.unsubscribe import unsubscribe_of
from keguan.runner.workers import Worker
from keguan.texts import text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keguan.installation import Installation

__all__ = ["Intake", "open_intake"]


class Intake(Worker):
    """Looks at the drop folder and the mailboxes; ``on_facts`` is called when something came in."""

    def __init__(
        self,
        look: Sequence[Callable[[], Sequence[Taken]]],
        stop: threading.Event,
        every: float,
        on_facts: Callable[[], None],
    ) -> None:
        super().__init__("intake", stop, every)
        self._look = tuple(look)
        self._pause = every
        self._on_facts = on_facts
        self._next = 0.0

    def work(self) -> bool:
        """Take in what has come, unless the last look was a moment ago."""
        if monotonic() < self._next:
            return False
        taken = [one for look in self._look for one in look()]
        self._next = monotonic() + self._pause
        if any(one.accepted for one in taken):
            self._on_facts()
        return False

    def take_back(self) -> None:
        """Leave nothing: a file whose import failed lies where it lay."""

    def close(self) -> None:
        """Leave nothing open."""


def open_intake(installation: Installation) -> list[Callable[[], Sequence[Taken]]]:
    """Return what looks at each place that files come from; empty when the configuration names none.

    Makes the folders, and puts back what a dead process had in hand.
    """
    drop = installation.settings.drop
    found: list[Callable[[], Sequence[Taken]]] = []
    if drop.folder is not None:
        found.append(_folder(installation, Path(drop.folder), drop.settle, drop.max_mb, "folder"))
    found += [_mailbox(installation, name) for name in sorted(installation.settings.mailboxes)]
    return found


def _folder(
    installation: Installation, where: Path, settle: float, max_mb: float, source: Source
) -> Callable[[], Sequence[Taken]]:
    folder = DropFolder(installation.settings.path(str(where)), tuple(KINDS))
    folder.prepare()
    types = installation.plugins.event_types
    taker = Taker(installation.store, installation.settings, installation.clock, types, max_mb)
    return lambda: list(taker.take_folder(folder, settle, installation.clock.now(), source))


def _mailbox(installation: Installation, name: str) -> Callable[[], Sequence[Taken]]:
    """Return what fetches new mails at the mailbox's own pace and takes in their files.

    A mailbox that cannot be read is told once for each look, and what was fetched before is taken in all the same.
    """
    settings = installation.settings.mailboxes[name]
    where = MAIL / name
    take = _folder(installation, where, 0.0, settings.max_mb, "mail")
    root = installation.settings.path(str(where))
    mailbox = Mailbox(name, settings, installation.store, root, tuple(KINDS), unsubscribe_of(installation.settings))
    log = structlog.get_logger("keguan.intake").bind(mailbox=name)
    next_look = 0.0

    def look() -> Sequence[Taken]:
        nonlocal next_look
        failed: list[Taken] = []
        if monotonic() >= next_look:
            next_look = monotonic() + settings.look_every
            try:
                mailbox.fetch(installation.clock.now())
            except MailboxError as error:
                line = text(installation.language, error.key, **error.values)
                log.error("mailbox not read", error=line)
                failed.append(Taken("mailbox", name, 0, 0, 0, line))
        return [*failed, *take()]

    return look
