"""What became of it: assertions that read like the standard, and the snapshot of a whole journey."""

from __future__ import annotations

import os
from datetime import datetime
from difflib import unified_diff
from pathlib import Path
from textwrap import dedent

from keguan.model import Promised, Subject
from keguan.queries.promises import read_promises
from keguan.queries.reader import Reader
from keguan.store.schema import plans
from keguan.testing.desk import Desk
from keguan.testing.happenings import Sale

__all__ = ["UPDATE", "Expectations"]

UPDATE = "KEGUAN_UPDATE"
"""The environment variable that lets snapshots be written instead of compared: ``KEGUAN_UPDATE=1 pytest``."""


class Expectations(Desk):
    """Reads the promises and compares."""

    def promises(self, about: Sale | Subject | None = None) -> list[Promised]:
        """Return the promises to a sale (contract, home, buyers), to one subject, or all, in the order of time."""
        subjects = [] if about is None else self.subjects(about)
        reader = Reader(self.store, self.installation.settings, self.clock.now(), self.installation.language)
        with self.store.read() as connection:
            every = list(read_promises(reader, connection, plans.c.id > 0))
        return [one for one in every if about is None or one.subject in subjects]

    def expect(
        self,
        action: str,
        about: Sale | Subject,
        status: str | None = None,
        *,
        due: str | None = None,
        done: str | None = None,
        occurrence: int = 1,
        why: str | None = None,
    ) -> Promised:
        """Return the newest promise of ``action`` to ``about`` and fail unless it stands as described.

        ``due`` and ``done`` are times as the city's clocks show them, ``2026-03-03 09:30``, or days alone; ``why`` is
        a part of the reason.
        """
        every = self.promises(about)
        mine = [one for one in every if one.action == action and _occurrence(one) == occurrence]
        journey = "".join(f"\n  {_line(one)}" for one in every) or "\n  nothing"
        number = "" if occurrence == 1 else f" {occurrence}"
        assert mine, f"{action}{number} is not promised; what is:{journey}"
        promised = mine[-1]
        stands = {"status": promised.status, "due": _minute(promised.due_at), "done": _minute(promised.done_at)}
        wanted = {"status": status, "due": due, "done": done}
        wrong = {name: stands[name] for name, value in wanted.items() if not _agrees(stands[name], value)}
        assert not wrong, f"{action}{number} stands otherwise: {wrong}; all promises:{journey}"
        assert why is None or why in (promised.why or ""), f"{action}{number} gives another reason: {promised.why}"
        return promised

    def expect_nothing(self, action: str, about: Sale | Subject) -> None:
        """Fail when ``action`` was ever promised to ``about``."""
        found = [_line(one) for one in self.promises(about) if one.action == action]
        assert not found, f"{action} is promised: {found}"

    def journey(self, about: Sale | Subject) -> str:
        """Return all promises to ``about``, a line for each: when due, how it stands, what, and why.

        The same history gives the same text: nothing in it hangs on numbers of records.
        """
        return "".join(f"{_line(one)}\n" for one in sorted(self.promises(about), key=_place))

    def expect_journey(self, about: Sale | Subject, wanted: Path | str) -> None:
        """Fail, showing the difference, unless the journey reads as ``wanted``: a file beside the test, or the text.

        With ``KEGUAN_UPDATE=1`` in the environment the file is written anew.
        """
        found = self.journey(about)
        if isinstance(wanted, Path):
            if os.environ.get(UPDATE):
                wanted.write_text(found, encoding="utf-8")
            assert wanted.is_file(), f"there is no {wanted.name} yet: write it with {UPDATE}=1 pytest, and read it"
            text = wanted.read_text(encoding="utf-8")
        else:
            text = dedent(wanted).strip("\n") + "\n"
        difference = "\n".join(unified_diff(text.splitlines(), found.splitlines(), "wanted", "found", lineterm="", n=1))
        assert not difference, f"the journey reads otherwise:\n{difference}"


def _agrees(found: str | None, wanted: str | None) -> bool:
    return wanted is None or found == wanted or (found is not None and len(wanted) == 10 and found[:10] == wanted)


def _occurrence(promised: Promised) -> int:
    return int(promised.key.rpartition("/")[2].partition(".")[0])


def _minute(instant: datetime | None) -> str | None:
    return None if instant is None else f"{instant:%Y-%m-%d %H:%M}"


def _place(promised: Promised) -> tuple[datetime, str, int]:
    return (promised.due_at, promised.action, _occurrence(promised))


def _line(promised: Promised) -> str:
    number = _occurrence(promised)
    name = promised.action if number == 1 else f"{promised.action} {number}"
    due, done = _minute(promised.due_at), _minute(promised.done_at)
    parts = [f"{due}  {promised.status:<10}{name}"]
    if done not in (None, due):
        parts.append(f"done {done}")
    if promised.why:
        parts.append(promised.why)
    return "  ".join(parts)
