"""Lines of registers: added, changed, taken out and put back, each change in a log that nothing is taken out of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, update

from keguan.errors import InputError, KeguanError, Refusals
from keguan.events.log import NewEvent, append
from keguan.forms.checking import Mistake, read_answers, what_is_missing
from keguan.intake.cells import Cell
from keguan.model import Subject
from keguan.model.forms import Form, FormRegister
from keguan.nearest import nearest
from keguan.registers.naming import Place
from keguan.store.engine import Store
from keguan.store.schema import entry_log, form_entries

__all__ = ["Keeper", "Kept", "find_register", "register_of"]

_e = form_entries.c
_What = Literal["added", "changed", "removed", "restored"]


@dataclass(frozen=True, slots=True)
class Kept:
    """One line as it stands."""

    id: int
    form: str
    """``PLUGIN.FORM``"""
    place: Place
    answers: dict[str, Any]
    removed: bool


def register_of(form: Form) -> FormRegister:
    """Return what makes ``form`` a register, which it must be."""
    assert form.register_of is not None
    return form.register_of


def find_register(forms: Mapping[str, Form], name: str) -> Form:
    """Return the register called ``name`` (``PLUGIN.FORM``); raises ``InputError`` naming the nearest."""
    known = {full: form for full, form in forms.items() if form.register_of is not None}
    if name not in known:
        raise InputError(
            "registers.unknown", register=name, near=nearest(name, known) or ", ".join(sorted(known)) or "–"
        )
    return known[name]


class Keeper:
    """Changes lines in one transaction, on behalf of one person.

    Everything raises ``Refusals`` with each mistake, or ``InputError``; then the transaction must not be committed.
    """

    def __init__(self, store: Store, connection: Connection, forms: Mapping[str, Form], now: datetime, by: str) -> None:
        self._store, self._connection, self._forms = store, connection, forms
        self._now, self._by = now, by

    def add(self, name: str, place: Place, given: Mapping[str, Cell]) -> int:
        """Add a line about ``place`` to the register ``name`` and return its number."""
        form = find_register(self._forms, name)
        answers = self._answers(form, given, {})
        self._refuse_twice(name, form, place.subject, answers, None)
        values = {
            "form": name,
            "subject_type": place.subject.type,
            "subject_id": place.subject.id,
            "project_id": place.project_id,
            "city": place.city,
            "answers": answers,
            "lines": [],
            "complete": True,
            "version": form.version,
            "filled_at": self._now,
            "filled_by": self._by,
        }
        number = int(self._connection.execute(insert(form_entries).values(values).returning(_e.id)).scalar_one())
        kept = Kept(number, name, place, answers, removed=False)
        self._note(kept, "added", None, counted=self._counts(form, answers))
        return number

    def change(self, number: int, given: Mapping[str, Cell], reason: str) -> bool:
        """Give a line other answers, for a reason; return whether anything is other than before."""
        kept, form = self._open(number)
        if kept.removed:
            raise InputError("registers.removed", entry=number)
        answers = self._answers(form, given, kept.answers)
        if answers == kept.answers:
            return False
        _require_reason(reason)
        self._refuse_twice(kept.form, form, kept.place.subject, answers, number)
        counted = self._counts(form, kept.answers) or self._counts(form, answers)
        values = {"answers": answers, "version": form.version, "filled_at": self._now, "filled_by": self._by}
        self._connection.execute(update(form_entries).where(_e.id == number).values(values))
        self._note(Kept(number, kept.form, kept.place, answers, removed=False), "changed", reason, counted=counted)
        return True

    def remove(self, number: int, reason: str) -> None:
        """Let a line count no longer, for a reason; it stays to be seen."""
        self._set_removed(number, reason, removed=True)

    def restore(self, number: int, reason: str) -> None:
        """Let a line count again that was taken out."""
        self._set_removed(number, reason, removed=False)

    def same(self, name: str, subject: Subject, key: object) -> Kept | None:
        """Return the line about ``subject`` whose key is ``key``, if the register has a key and such a line."""
        field = register_of(find_register(self._forms, name)).key
        if field is None:
            return None
        return next((one for one in self._lines(name, subject) if one.answers.get(field) == key), None)

    def holds(self, name: str, subject: Subject, given: Mapping[str, Cell]) -> bool:
        """Return whether a line about ``subject``, not taken out, has exactly these answers."""
        answers, wrong = read_answers(find_register(self._forms, name).fields, given, {})
        return not wrong and any(line.answers == answers for line in self._lines(name, subject))

    # --- Inside ----------------------------------------------------------------------------------------------------

    def _set_removed(self, number: int, reason: str, *, removed: bool) -> None:
        _require_reason(reason)
        kept, form = self._open(number)
        if kept.removed == removed:
            raise InputError("registers.removed" if removed else "registers.not_removed", entry=number)
        if not removed:
            self._refuse_twice(kept.form, form, kept.place.subject, kept.answers, number)
        at = self._now if removed else None
        self._connection.execute(update(form_entries).where(_e.id == number).values(removed_at=at))
        self._note(kept, "removed" if removed else "restored", reason, counted=self._counts(form, kept.answers))

    def _answers(self, form: Form, given: Mapping[str, Cell], before: Mapping[str, Any]) -> dict[str, Any]:
        answers, wrong = read_answers(form.fields, given, before)
        refused: list[KeguanError] = [
            _given_wrongly(form, one) for one in (*wrong, *what_is_missing(form, answers, []))
        ]
        if refused:
            raise Refusals(refused)
        return answers

    def _open(self, number: int) -> tuple[Kept, Form]:
        found = self._connection.execute(
            select(form_entries).where(_e.id == number, _e.task_id.is_(None)).with_for_update()
        ).first()
        if found is None or found.form not in self._forms or self._forms[found.form].register_of is None:
            raise InputError("registers.entry_unknown", entry=number)
        return _kept(found), self._forms[found.form]

    def _lines(self, name: str, subject: Subject) -> list[Kept]:
        """Return the lines about ``subject`` that were not taken out. Answers are sealed: they are compared here."""
        about = (_e.subject_type == subject.type, _e.subject_id == subject.id)
        rows = self._connection.execute(select(form_entries).where(_e.form == name, _e.removed_at.is_(None), *about))
        return [_kept(row) for row in rows]

    def _refuse_twice(
        self, name: str, form: Form, subject: Subject, answers: Mapping[str, Any], own: int | None
    ) -> None:
        key = register_of(form).key
        if key is None or key not in answers:
            return
        other = next((one for one in self._lines(name, subject) if one.answers.get(key) == answers[key]), None)
        if other is not None and other.id != own:
            raise InputError("registers.twice", field=key, entry=other.id)

    def _counts(self, form: Form, answers: Mapping[str, Any]) -> bool:
        field = register_of(form).counts
        return field is None or answers.get(field) is True

    def _note(self, kept: Kept, what: _What, reason: str | None, *, counted: bool) -> None:
        """Write the log, and tell of the subject where the register says so."""
        row = {"entry_id": kept.id, "at": self._now, "who": self._by, "what": what, "reason": reason}
        number = self._connection.execute(
            insert(entry_log).values(row | {"answers": kept.answers}).returning(entry_log.c.id)
        ).scalar_one()
        tells = register_of(self._forms[kept.form]).tells
        if tells is None or not counted:
            return
        fact = NewEvent(
            source="register",
            id=f"{kept.form}/{number}",
            type=tells,
            time=self._now,
            subject=kept.place.subject,
            city=kept.place.city,
            data={"register": kept.form, "entry": kept.id, "what": what},
        )
        append(self._store, self._connection, [fact], self._now)


def _kept(row: Any) -> Kept:
    place = Place(Subject(row.subject_type, row.subject_id), row.project_id, row.city)
    return Kept(row.id, row.form, place, row.answers, removed=row.removed_at is not None)


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise InputError("registers.reason_missing")


def _given_wrongly(form: Form, mistake: Mistake) -> InputError:
    return InputError(
        "registers.wrong", register=form.name, field=mistake.field, shown=mistake.shown, reason=mistake.reason
    )
