"""Tasks done as people do them: the form filled in, the evidence attached, the task closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import func, select

from keguan.authoring.inventing import SUFFIXES, invent_answers, invent_file
from keguan.forms.values import parse_answer
from keguan.installation import Installation
from keguan.intake.cells import Cell
from keguan.model.forms import FormLines
from keguan.store.schema import evidence, tasks
from keguan.tasks.desk import finish
from keguan.tasks.evidence import KeptFile, keep_evidence
from keguan.tasks.papers import GivenLine, Paper, fill_paper, open_papers

__all__ = ["Paperwork"]

_t = tasks.c


class Paperwork:
    """Does tasks of one installation. What nobody says is invented, as long as it can be given at all.

    Args:
        installation: whose tasks; its clock says when they are done.
        folder: where evidence is kept.
    """

    def __init__(self, installation: Installation, folder: Path) -> None:
        self._installation = installation
        self._folder = folder
        self._kept: dict[tuple[str, int], KeptFile] = {}

    def finish(
        self,
        task: int,
        answers: Mapping[str, Cell] | None = None,
        lines: Sequence[Mapping[str, Cell]] = (),
        *,
        by: str = "author",
        now: datetime | None = None,
    ) -> None:
        """Fill in the form of ``task``, attach what must prove it, and close it, at ``now`` or by the clock.

        ``lines`` name the line that they are about by the table's key, or are new. Raises ``Refusals`` or another
        ``KeguanError`` as the desk does: then something is asked for that cannot be given.
        """
        with self._installation.store.read() as connection:
            row = connection.execute(
                select(_t.form, _t.city, _t.evidence_required, _t.department).where(_t.id == task)
            ).one()
        now = now or self._installation.clock.now()
        if row.form is not None or answers or lines:
            self._fill_in(task, row, dict(answers or {}), lines, by, now)
        with self._installation.store.read() as connection:
            there = connection.execute(
                select(func.count(evidence.c.sha256.distinct())).where(evidence.c.task_id == task)
            ).scalar_one()
        missing = range(there, len(row.evidence_required or ()))
        finish(
            self._installation.store,
            [task],
            now=now,
            by=by,
            files=[self._file("document", number) for number in missing],
        )

    def _fill_in(
        self,
        task: int,
        row: Any,
        answers: Mapping[str, Cell],
        lines: Sequence[Mapping[str, Cell]],
        by: str,
        now: datetime,
    ) -> None:
        installation = self._installation
        forms, today = installation.plugins.forms, installation.city(row.city).today(now)
        with installation.store.read() as connection:
            [paper] = open_papers(connection, forms, [task])
        form, entry = paper.form, paper.entry
        fill_paper(
            installation.store,
            forms,
            task,
            now=now,
            today=today,
            by=by,
            language=installation.language,
            answers=invent_answers(form.fields, today, answers, entry.answers),
            lines=[] if form.lines is None and not lines else self._lines(paper, lines, now),
            files=[
                (field.name, self._file(field.type, number))
                for field in form.files
                if field.required
                for number in range(len(entry.answers.get(field.name, ())), field.count)
            ],
        )

    def _lines(self, paper: Paper, given: Sequence[Mapping[str, Cell]], now: datetime) -> list[GivenLine]:
        """Return every line complete: those there are with what is ``given`` for them, and new ones."""
        table = paper.form.lines
        if table is None:
            return [GivenLine(line) for line in given]
        today = self._installation.city(paper.task.city).today(now)
        rest = list(given)
        found = []
        for number, line in enumerate(paper.entry.lines, start=1):
            mine = next((each for each in rest if _is_about(each, line, table)), None)
            if mine is not None:
                rest.remove(mine)
            values = invent_answers(table.fields, today, mine or {}, line)
            found.append(GivenLine(values, number))
        least = table.least - len(found)
        rest += [{} for _ in range(least - len(rest))]
        for number, each in enumerate(rest, start=1):
            named: dict[str, Cell] = {} if table.key is None else {table.key: f"{number}"}
            found.append(GivenLine(invent_answers(table.fields, today, named | dict(each), {})))
        return found

    def _file(self, kind: str, number: int) -> KeptFile:
        """Return the ``number``-th file of this ``kind``, kept once: a city closes thousands of tasks."""
        if (kind, number) not in self._kept:
            with TemporaryDirectory() as desk:
                file = Path(desk) / f"{kind}-{number + 1}{SUFFIXES[kind]}"
                file.write_bytes(invent_file(kind, number))
                self._kept[kind, number] = keep_evidence(self._folder, file, self._installation.settings.evidence)
        return self._kept[kind, number]


def _is_about(given: Mapping[str, Cell], line: Mapping[str, Any], table: FormLines) -> bool:
    """Return whether ``given`` names ``line`` by the table's key."""
    if table.key is None or table.key not in given:
        return False
    key = next(field for field in table.fields if field.name == table.key)
    return bool(parse_answer(key, given[table.key]) == line.get(table.key))
