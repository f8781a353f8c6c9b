"""How files and calls come in: the drop folder, mailboxes, and the web."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from keguan.doctor.found import Found, ill, notice, well, wrong
from keguan.intake.drop.failures import failed_files, places
from keguan.intake.mail.session import MailboxError, open_box
from keguan.runner.health import HEALTH_FILE, read_health

if TYPE_CHECKING:
    from keguan.doctor.patience import Check
    from keguan.settings import Settings

__all__ = ["drop_folder", "failures", "mailbox_checks", "web"]

_FRESH = timedelta(seconds=60)


def drop_folder(settings: Settings) -> Iterator[Found]:
    """It must be there and be writable: a file that was imported is moved."""
    if settings.drop.folder is None:
        return
    folder = settings.path(settings.drop.folder)
    if not folder.exists():
        yield ill("drop", "doctor.drop_absent", folder=folder)
    elif not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield ill("drop", "doctor.drop_unwritable", folder=folder)
    else:
        yield well("drop", "doctor.drop", folder=folder)


def failures(settings: Settings) -> Iterator[Found]:
    """What lies in ``failed/`` is data that is not in."""
    for place, root in places(settings).items():
        found = failed_files(root)
        if found:
            yield ill("drop", "doctor.drop_failed", place=place, count=len(found), folder=root / "failed")


def mailbox_checks(settings: Settings) -> Iterator[Check]:
    """Yield a check for each mailbox: log in, look at the folder, read no mail."""
    for name in sorted(settings.mailboxes):
        yield "mailboxes", name, partial(_mailbox, settings, name)


def _mailbox(settings: Settings, name: str) -> Iterator[Found]:
    table = settings.mailboxes[name]
    try:
        with open_box(name, table):
            pass
    except MailboxError as error:
        yield from wrong("mailboxes", error)
        return
    yield well("mailboxes", "doctor.mailbox", name=name, host=table.host)
    if table.allowed and table.checked_by is None:
        yield notice("mailboxes", "doctor.mailbox_unchecked", name=name)


def web(settings: Settings, now: datetime) -> Iterator[Found]:
    """What ``[web]`` promises must be reachable: the port, the public address, the address for opt-outs."""
    table = settings.web
    if table.listen is not None:
        yield from _port(settings, now)
    elif table.public_url is not None:
        yield ill("web", "doctor.web_public_only", url=table.public_url)
    if table.unsubscribe_mail is not None:
        users = {box.user.casefold() for box in settings.mailboxes.values()}
        if not users:
            yield ill("web", "doctor.web_no_mailbox")
        elif table.unsubscribe_mail.casefold() not in users:
            yield notice("web", "doctor.web_other_mailbox", mailboxes=", ".join(sorted(settings.mailboxes)))


def _port(settings: Settings, now: datetime) -> Iterator[Found]:
    """A running daemon holds the port; without one it must be free."""
    where = settings.web.host_and_port
    assert where is not None
    health = read_health(settings.path(str(HEALTH_FILE)))
    lives = health is not None and now - health.at <= _FRESH
    problem = _taken(*where)
    if problem is None or (lives and problem == errno.EADDRINUSE):
        yield well("web", "doctor.web", listen=settings.web.listen)
    else:
        yield ill("web", "web.port_taken", listen=settings.web.listen, problem=os.strerror(problem))


def _taken(host: str, port: int) -> int | None:
    """Return the system's number of why the address cannot be had; it is given back at once, nobody can connect."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with closing(socket.socket(family, kind, protocol)) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except socket.gaierror:
        return errno.EADDRNOTAVAIL
    except OSError as error:
        return error.errno or errno.EADDRNOTAVAIL
    return None
