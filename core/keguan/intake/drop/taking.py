"""Take what came in by folder or mail: import it, and write down what came of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import structlog

from keguan.clock import Clock
from keguan.errors import InputError, KeguanError, UsageError
from keguan.intake.drop.folder import Arrival, Claimed, DropFolder
from keguan.intake.importing import import_file
from keguan.intake.report_text import report_lines
from keguan.model import EventType
from keguan.settings import Settings
from keguan.store.engine import Store
from keguan.texts import text

__all__ = ["Source", "Taken", "Taker"]

_PIECE = 1 << 20
_SHOWN = 200
Source = Literal["command", "folder", "mail"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one file."""

    kind: str
    name: str
    accepted: int
    unchanged: int
    rejected: int
    error: str | None
    """Why the file could not be taken as a whole; one line."""
    file: str | None = None
    """Where it lies now, relative to the drop folder."""

    @property
    def ok(self) -> bool:
        """Whether nobody has to do anything about it."""
        return self.error is None and self.rejected == 0


class Taker:
    """Imports files for one installation."""

    def __init__(
        self, store: Store, settings: Settings, clock: Clock, event_types: Mapping[str, EventType], max_mb: float
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._event_types = event_types
        self._largest = int(max_mb * 1e6)
        self._log = structlog.get_logger("keguan.intake")
        self._told: set[Path] = set()

    def take_folder(
        self, folder: DropFolder, settle: float, now: datetime, source: Source = "folder"
    ) -> Iterator[Taken]:
        """Import every complete file of ``folder`` and move each where it belongs; yield what came of it.

        A database that is locked or away raises, and the file lies where it lay. A file that cannot be taken away from
        where it lies is told and holds up neither the others nor other folders.
        """
        for arrival in folder.complete(now, settle):
            try:
                claimed = folder.claim(arrival)
            except OSError as error:
                yield self._stuck(folder, arrival, error)
                continue
            if claimed is None:
                continue
            try:
                taken, report = self.take(claimed.path, claimed.arrival, source)
                if folder.changed(claimed):  # somebody went on writing: what is in does no harm, the rest comes later
                    folder.put_back(claimed)
                    continue
            except BaseException:
                folder.put_back(claimed)
                raise
            yield self._finish(folder, claimed, taken, report)

    def _stuck(self, folder: DropFolder, arrival: Arrival, error: OSError) -> Taken:
        """Tell of a file that stays where it is; in the log once, for it is met at every look."""
        problem = error.strerror or type(error).__name__
        line = text(self._settings.language, "drop.stuck", folder=folder.root, problem=problem)
        if arrival.path not in self._told:
            self._told.add(arrival.path)
            self._log.error("file stuck", kind=arrival.kind, error=line)
        return Taken(arrival.kind, arrival.path.name, 0, 0, 0, line)

    def take(self, path: Path, arrival: Arrival, source: Source) -> tuple[Taken, str]:
        """Import the file at ``path`` and return what came of it, with the text of the report.

        Whatever is wrong with the file is in the result. Raises ``DatabaseError`` when it is not the file's fault.
        """
        name = arrival.path.name
        try:
            self._measure(path, name)
            report = import_file(
                self._store,
                self._settings,
                self._clock,
                arrival.kind,
                path,
                project=arrival.project,
                event_types=self._event_types,
                source=source,
                sha256=_digest(path),
            )
        except (InputError, UsageError) as wrong:
            line = text(self._settings.language, wrong.key, **self._values(wrong, path, name))
            return Taken(arrival.kind, name, 0, 0, 0, line), line + "\n"
        except OSError as wrong:
            line = text(
                self._settings.language, "drop.unreadable", file=name, problem=wrong.strerror or type(wrong).__name__
            )
            return Taken(arrival.kind, name, 0, 0, 0, line), line + "\n"
        report.file = name
        if report.rejected_file:
            report.rejected_file = Path(report.rejected_file).name
        lines = "\n".join(report_lines(report, self._settings.language, _SHOWN)) + "\n"
        return Taken(arrival.kind, name, report.accepted, report.unchanged, report.rejected_rows, None), lines

    def _measure(self, path: Path, name: str) -> None:
        size = path.stat().st_size
        if size > self._largest:
            raise InputError("drop.too_large", file=name, megabytes=size // 1_000_000, limit=self._largest // 1_000_000)

    def _values(self, wrong: KeguanError, path: Path, name: str) -> dict[str, object]:
        """What an error says, with the file's own name in place of the one it had while it was in hand."""
        return {key: name if str(value) == str(path) else value for key, value in wrong.values.items()}

    def _finish(self, folder: DropFolder, claimed: Claimed, taken: Taken, report: str) -> Taken:
        at = self._clock.now().astimezone(self._settings.city("").zone)
        target = folder.finish(claimed, "done" if taken.ok else "failed", report, at)
        ended = Taken(
            taken.kind,
            taken.name,
            taken.accepted,
            taken.unchanged,
            taken.rejected,
            taken.error,
            str(target.relative_to(folder.root)),
        )
        (self._log.info if ended.ok else self._log.warning)(
            "file taken",
            kind=ended.kind,
            file=ended.file,
            accepted=ended.accepted,
            unchanged=ended.unchanged,
            rejected=ended.rejected,
            error=ended.error,
        )
        return ended


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while piece := content.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
