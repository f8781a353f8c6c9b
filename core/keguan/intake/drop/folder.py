"""The folders of the drop folder: what is complete, what is in hand, what is done.

``KIND/FILE`` or ``KIND/PROJECT/FILE`` come in; a file in hand is moved to ``.working/``, where nobody who writes to the
old name reaches it; it ends in ``done/`` or ``failed/`` with what belongs to it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from keguan.intake.names import plain_name

__all__ = ["MAIL", "Arrival", "Claimed", "DropFolder", "signature", "taken_before"]

MAIL = Path("var/mail")
"""Where attachments become files, a drop folder for each mailbox; relative to the folder that holds ``config/``."""

_WORKING = ".working"
_TAKEN = ("done", "failed")
_STAMP = "%Y%m%dT%H%M%S"
_UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart", ".partial", ".swp")
"""Under such names programs write what they have not finished."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that lies in the drop folder."""

    path: Path
    kind: str
    project: str | None
    """The project that its rows belong to unless they name one: the folder below the kind."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A file that was taken up: nobody else imports it."""

    path: Path
    """Where it lies now: alone in a folder of its own."""
    arrival: Arrival
    signature: tuple[int, int]
    """Size and time of its last change when it was taken up."""


def signature(path: Path) -> tuple[int, int]:
    """Return size and time of the last change: another one means that somebody wrote on."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns


class DropFolder:
    """One drop folder with a folder for each of ``kinds``, some of which may be mounted from elsewhere."""

    def __init__(self, root: Path, kinds: Sequence[str]) -> None:
        self.root = root
        self._kinds = tuple(kinds)

    def prepare(self) -> None:
        """Make the folders, and put back what a dead process had in hand."""
        for name in (*self._kinds, *_TAKEN, _WORKING):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        for folder in sorted((self.root / _WORKING).iterdir()):
            self._put_back(folder)

    def complete(self, now: datetime, settle: float) -> Iterator[Arrival]:
        """Yield the files that nobody has touched for ``settle`` seconds at ``now`` and nobody has open for writing."""
        for kind in self._kinds:
            for path, project in _files(self.root / kind):
                if _is_complete(path, now, settle):
                    yield Arrival(path, kind, project)

    def claim(self, arrival: Arrival) -> Claimed | None:
        """Take a file up, under a name that anything can hold; ``None`` when it has gone meanwhile.

        Raises ``OSError`` when it cannot be moved, as where others may put files and we may not take them away.
        """
        relative = arrival.path.relative_to(self.root)
        target = self.root / _WORKING / uuid4().hex / relative.with_name(plain_name(relative.name))
        target.parent.mkdir(parents=True)
        try:
            _move(arrival.path, target)
            if target.is_symlink() or not target.is_file():  # put there since it was looked at; it leads anywhere
                target.unlink()
                raise FileNotFoundError(errno.ENOENT, "no file any more")
        except OSError as error:
            self._remove_empty(target.parent)
            if isinstance(error, FileNotFoundError):
                return None
            raise
        named = replace(arrival, path=arrival.path.with_name(target.name))
        return Claimed(target, named, signature(target))

    def changed(self, claimed: Claimed) -> bool:
        """Return whether somebody went on writing into a file that is in hand: whoever had it open can."""
        return signature(claimed.path) != claimed.signature

    def put_back(self, claimed: Claimed) -> None:
        """Let a file that is in hand lie where it lay."""
        self._put_back(self._own_folder(claimed))

    def finish(self, claimed: Claimed, outcome: str, report: str, at: datetime) -> Path:
        """Move a file and what was written beside it to ``done`` or ``failed``; return where it lies now.

        ``report`` is the text of the report; ``at`` (aware, in the time people expect) goes into the name, so that
        the same file name next month finds its place.
        """
        folder = self.root / outcome / claimed.arrival.kind / f"{at:%Y-%m}"
        folder.mkdir(parents=True, exist_ok=True)
        name = _free_name(folder, f"{at:{_STAMP}}-{claimed.arrival.path.name}")
        beside = [one for one in claimed.path.parent.iterdir() if one != claimed.path]
        (folder / f"{name}.report.txt").write_text(report, encoding="utf-8")
        for one in beside:  # the rejected rows
            _move(one, folder / one.name.replace(claimed.path.name, name, 1))
        target = folder / name
        _move(claimed.path, target)
        self._remove_empty(claimed.path.parent)
        return target

    def _own_folder(self, claimed: Claimed) -> Path:
        return self.root / _WORKING / claimed.path.relative_to(self.root / _WORKING).parts[0]

    def _put_back(self, folder: Path) -> None:
        """Move the one file below ``folder`` to where it came from; its half-written companions go."""
        for path in sorted(folder.rglob("*"), key=lambda one: len(one.name)):
            if not path.is_file():
                continue
            target = self.root / path.relative_to(folder)
            if (
                path.name.endswith(".rejected.csv")
                and target.with_name(path.name.removesuffix(".rejected.csv")).exists()
            ):
                path.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            taken = target.exists()
            _move(path, target.with_name(_free_name(target.parent, target.name)) if taken else target)
        for empty in sorted((each for each in folder.rglob("*") if each.is_dir()), reverse=True):
            empty.rmdir()
        folder.rmdir()

    def _remove_empty(self, folder: Path) -> None:
        """Remove ``folder`` and those above it, up to the one of files in hand, as far as they are empty."""
        while folder.name != _WORKING:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent


def taken_before(root: Path, cutoff: datetime) -> Iterator[Path]:
    """Yield the files below ``root`` that were taken before ``cutoff``, with what was written beside them.

    ``cutoff`` is in the zone that ``finish`` was given. The name says when it was: the file's own time is that of
    whoever wrote it, long ago perhaps. Files that others put there count from when they came.
    """
    for name in _TAKEN:
        for file in sorted((root / name).rglob("*")):
            if file.is_file() and _taken_at(file, cutoff) < cutoff:
                yield file


def _taken_at(file: Path, like: datetime) -> datetime:
    try:
        return datetime.strptime(file.name.partition("-")[0], _STAMP).replace(tzinfo=like.tzinfo)
    except ValueError:
        return datetime.fromtimestamp(file.stat().st_ctime, like.tzinfo)


def _files(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield the files of a kind, those of a project's own folder too; hidden and unfinished ones are left out."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith((".", "~$")) or entry.suffix.lower() in _UNFINISHED:
            continue
        if entry.is_dir() and not entry.is_symlink():
            with suppress(OSError):
                yield from ((path, plain_name(entry.name)) for path in sorted(entry.iterdir()) if _is_plain(path))
        elif _is_plain(entry):
            yield entry, None


_NO_TRICKS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
"""Follow no link, and wait for nobody at the other end of a pipe."""


def _move(source: Path, target: Path) -> None:
    """Rename a file, or carry it over where the two lie on different file systems."""
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        before = signature(source)
        part = target.with_name(f".{target.name}.part")
        try:
            with os.fdopen(os.open(source, _NO_TRICKS), "rb") as old, part.open("xb") as new:
                shutil.copyfileobj(old, new, 1 << 20)
                new.flush()
                os.fsync(new.fileno())
            shutil.copystat(source, part)
            if signature(source) != before:  # whoever writes on would write into what is thrown away
                raise FileNotFoundError(errno.ENOENT, "it is still being written") from None
            part.rename(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        source.unlink()


def _is_plain(path: Path) -> bool:
    """A link may lead anywhere, and a pipe never ends: only files that are files are taken."""
    hidden = path.name.startswith((".", "~$")) or path.suffix.lower() in _UNFINISHED
    return not hidden and path.is_file() and not path.is_symlink()


def _is_complete(path: Path, now: datetime, settle: float) -> bool:
    """The time of the inode's last change cannot be set by the writer, as that of the content can."""
    try:
        found = path.stat()
    except OSError:
        return False
    last = max(found.st_ctime, min(found.st_mtime, now.timestamp()))
    return now.timestamp() - last >= settle and not _open_for_writing(path)


def _open_for_writing(path: Path) -> bool:
    """Return whether somebody has the file open for writing, as far as the system tells.

    A read lease is refused while there is a writer (fcntl(2)); where it cannot be asked for, nobody knows.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False  # the import says what is wrong with it
    try:
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except (OSError, AttributeError) as error:
        return isinstance(error, OSError) and error.errno == errno.EAGAIN
    finally:
        os.close(handle)
    return False


def _free_name(folder: Path, name: str) -> str:
    """Return ``name``, or with a number before its suffix when it is taken."""
    stem, dot, suffix = name.partition(".")
    number, free = 1, name
    while (folder / free).exists():
        number += 1
        free = f"{stem}-{number}{dot}{suffix}"
    return free
