"""What proves the steps of a journey: messages that left, forms that were filled in, files that were attached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from keguan.forms.entries import Entry, entries_of_tasks
from keguan.forms.values import shown_answer
from keguan.masking import mask_name, mask_text
from keguan.model import Form
from keguan.queries.promises import Traced
from keguan.queries.reader import Reader, by_key, plain_why
from keguan.store.records import in_chunks
from keguan.store.schema import evidence

__all__ = ["Proofs"]


class Proofs:
    """The files and forms behind some promises, read in a few statements."""

    def __init__(
        self,
        reader: Reader,
        connection: Connection,
        promises: Sequence[Traced],
        forms: Mapping[str, Form],
        *,
        unmask: bool = False,
    ) -> None:
        tasks = [effect.id for traced in promises for effect in traced.effects if hasattr(effect, "form")]
        self._reader = reader
        self._forms = forms
        self._unmask = unmask
        self._entries: dict[int, list[Entry]] = {}
        for (task, _), entry in entries_of_tasks(connection, tasks).items():
            self._entries.setdefault(task, []).append(entry)
        self._files = by_key(_files(connection, tasks), lambda row: row.task_id)

    def of(self, traced: Traced) -> list[dict[str, Any]]:
        """Return what proves a promise: ``[kind, name, by, at]``, ``kind`` is ``message``, ``form`` or ``file``.

        A message is named by its channel and where it went, a form by its title.
        """
        found: list[dict[str, Any]] = []

        def local(at: datetime) -> datetime | None:
            return self._reader.local(at, traced.plan.city)

        for effect in traced.effects:
            if hasattr(effect, "channel"):
                if effect.sent_at is not None:
                    channel = plain_why(self._reader.language, f"words.channel.{effect.channel}")
                    name = f"{channel} {effect.to_masked or ''}".strip()
                    found.append(_piece("message", name, None, local(effect.sent_at)))
                continue
            found += [
                _piece("form", self._title(entry.form), self.name(entry.filled_by), local(at))
                for entry in self._entries.get(effect.id, ())
                if entry.complete and (at := entry.filled_at) is not None
            ]
            found += [
                _piece("file", self._free(row.filename), self.name(row.added_by), local(row.added_at))
                for row in self._files.get(effect.id, ())
            ]
        return found

    def done_by(self, traced: Traced) -> str | None:
        """Return who closed the last task of a promise that was done; ``None``: nobody, or nobody knows."""
        closed = [row for row in traced.effects if hasattr(row, "form") and row.status == "done" and row.closed_at]
        last = max(closed, key=lambda row: row.closed_at, default=None)
        return None if last is None else self.name(last.closed_by)

    def line_of(self, traced: Traced, home: str) -> dict[str, Any] | None:
        """Return what the lines of a promise's forms say of ``home``: ``{listed, said}``.

        ``said`` is its line in short, ``None`` while it is empty. ``None``: no form of it has lines by home.
        """
        language = self._reader.language
        for effect in traced.effects:
            for entry in self._entries.get(getattr(effect, "id", 0), ()):
                form = self._forms.get(entry.form)
                if form is None or form.lines is None or form.lines.key is None:
                    continue
                key = form.lines.key
                line = next((line for line in entry.lines if line.get(key) == home), None)
                answers = line or {}
                said = [
                    f"{field.label.in_(language)} "
                    f"{shown_answer(field, answers[field.name], language, unmask=self._unmask)}"
                    for field in form.lines.fields
                    if field.name != key and not field.is_file and answers.get(field.name) not in (None, "", [])
                ]
                stop = "；" if language == "zh" else "; "
                return {"listed": line is not None, "said": stop.join(said) or None}
        return None

    def name(self, who: str | None) -> str | None:
        """Return who did something, as it may be shown."""
        return who or None if self._unmask or not who else mask_name(who)

    def _free(self, words: str) -> str:
        return words if self._unmask else mask_text(words)

    def _title(self, name: str) -> str:
        form = self._forms.get(name)
        return name if form is None else form.title.in_(self._reader.language)


def _piece(kind: str, name: str, by: str | None, at: Any) -> dict[str, Any]:
    return {"kind": kind, "name": name, "by": by, "at": at}


def _files(connection: Connection, tasks: Iterable[int]) -> list[Any]:
    c = evidence.c
    found: list[Any] = []
    for chunk in in_chunks(tasks):
        found += connection.execute(
            select(c.task_id, c.filename, c.added_by, c.added_at).where(c.task_id.in_(chunk)).order_by(c.id)
        )
    return found
