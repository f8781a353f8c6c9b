"""Lives through a journey of `journeys.md` in a sample city, and says where it went another way than the table."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from tests.journeys.reading import Journey, Promise, Scope

import keguan_sixplustwo
from keguan.model import Promised, Subject
from keguan.plans.moving import move_over, projects_to_move
from keguan.plans.pinning import note_configured
from keguan.store.schema import tasks
from keguan.tasks.desk import postpone
from keguan.testing import PROJECT, PersonFacts, Sale, SampleCity

__all__ = ["Life"]

_ZONE = ZoneInfo("Asia/Shanghai")
_EXAMPLES = Path(__file__).parents[2] / "examples"
_FACTS = {
    "signed": "on",
    "deposit": "deposit_on",
    "planned handover": "planned_handover_on",
    "handed over": "handed_over_on",
    "first show": "first_show_on",
    "launch": "launch_on",
    "fitting": "fitting",
    "status": "status",
    "project": "project",
    "buyers": "people",
}
_OF_EVENTS = {"sunshine_update_on_change", "site_opening_cancel_filing", "design_change_notice", "audit_rectification"}
_NAMES = {"wuhan": "武汉", "xiamen": "厦门"}
_CONFIG = {"wuhan": "", "xiamen": '[plugins.xiamen]\nenabled = true\nhotline = "0592-000-0000"\n'}


class Life:
    """One journey, lived: what happens is told as files tell it, and time passes by the city's clocks.

    Args:
        journey: what is to happen.
        cast: the people by name, as the file has them.
        build: builds the city, see ``keguan.testing``.
    """

    def __init__(
        self, journey: Journey, cast: Mapping[str, Mapping[str, str]], build: Callable[..., SampleCity]
    ) -> None:
        self._journey = journey
        self._cast = cast
        self._sales: dict[str, Sale] = {}
        plugins: dict[str, ModuleType] = {"sixplustwo": keguan_sixplustwo}
        place: dict[str, Any] = {"config": self._config(journey.settings)}
        if journey.variant is not None:
            plugins[journey.variant] = _example(journey.variant)
            place = {
                "config": place["config"] + _CONFIG[journey.variant],
                "city": journey.variant,
                "name": _NAMES[journey.variant],
            }
        self.city = build(plugins, start=_instant(journey.happenings[0].when), **place)

    def live(self) -> None:
        """Let everything happen and live on until the journey is looked at."""
        for when, together in groupby(self._journey.happenings, key=itemgetter(0)):
            self.city.run_until(_instant(when))
            for _, what in together:
                self._happen(what)
            self.city.settle()
        seen = self._journey.seen
        self.city.run_until(_instant(seen) if ":" in seen else date.fromisoformat(seen))

    def differences(self) -> Iterator[str]:
        """Yield a line for each promise that is not as the table has it, or that the table does not know."""
        named = set()
        for promise in self._journey.promises:
            named.add((promise.whose, promise.action, promise.occurrence))
            found = self._promised(promise.whose).get((promise.action, promise.occurrence))
            yield from _compared(promise, found)
        for scope in self._journey.scopes:
            for (action, occurrence), found in self._promised(scope.whose).items():
                if (scope.whose, action, occurrence) not in named and _within(scope, found):
                    number = "" if occurrence == 1 else f" {occurrence}"
                    yield f"{action}{number} for {scope.whose}: not in the table; it is {_told(found)}"
        sent = len(self.city.sent)
        if self._journey.sent not in (None, sent):
            listed = "; ".join(each.text for each in self.city.sent)
            yield f"{self._journey.sent} messages should have left, {sent} did: {listed}"

    # --- What happens ------------------------------------------------------------------------------------------

    def _happen(self, what: str) -> None:
        for pattern, do in (
            (r"contract (\w+): (.+)", self._contract),
            (r"contract (\w+) cancelled", lambda room: self.city.cancel(self._sales[room])),
            (r"home (\w+) handed over (\S+)", lambda room, day: self.city.hand_over(self._sales[room], _day(day))),
            (r"home (\w+) moved into (\S+)", lambda room, day: self.city.move_in(self._sales[room], _day(day))),
            (r"home (\w+) sold on to (\S+) (\S+)", self._resell),
            (r"project( \S+)?: (.+)", self._project),
            (r"event (\w+)", lambda kind: self.city.tell(kind, self._subject("project"))),
            (r"done (\w+)(?: (\d+))? for ([^:]+)(?:: (.+))?", self._done),
            (r"waived (\w+)(?: (\d+))? for ([^:]+): (.+)", self._waived),
            (r"postponed (\w+) for (.+) to (\S+): (.+)", self._postponed),
            (r"edition (\w+) configured", self._configure),
            (r"moved over to (\w+)", self._move_over),
        ):
            if found := re.fullmatch(pattern, what):
                do(*found.groups())
                return
        raise AssertionError(f"what happens here: {what!r}?")

    def _contract(self, room: str, told: str) -> None:
        facts = self._facts(told)
        if room in self._sales:
            self.city.change(self._sales[room], **facts)
            return
        facts.setdefault("people", (self._person("王小明"),))
        facts.setdefault("status", "signed" if "on" in facts else "reserved")
        sale = Sale(f"HT-{room}", Subject("contract", 0), Subject("home", 0), facts.pop("project", PROJECT))
        self._sales[room] = self.city.change(sale, on=facts.pop("on", None), room=room, **facts)

    def _project(self, name: str | None, told: str) -> None:
        self.city.project((name or PROJECT).strip(), **self._facts(told))

    def _resell(self, room: str, name: str, day: str) -> None:
        self.city.resell(self._sales[room], self._person(name), _day(day))

    def _done(self, action: str, number: str | None, whose: str, told: str | None) -> None:
        answers: dict[str, Any] = dict(part.split(" = ", 1) for part in told.split("; ")) if told else {}
        self.city.finish(action, self._subject(whose), occurrence=_number(number), **answers)

    def _waived(self, action: str, number: str | None, whose: str, reason: str) -> None:
        self.city.leave(action, self._subject(whose), reason, occurrence=_number(number))

    def _postponed(self, action: str, whose: str, day: str, reason: str) -> None:
        postpone(
            self.city.store,
            [self._open_task(action, self._subject(whose))],
            to=_day(day),
            reason=reason,
            now=self.city.clock.now(),
            by="author",
            zone=lambda _: _ZONE,
        )

    def _configure(self, edition: str) -> None:
        self.city.restart(config=self._config(f'edition = "{edition}"\n'))
        note_configured(self.city.installation)

    def _move_over(self, edition: str) -> None:
        days = projects_to_move(self.city.installation, "sixplustwo")
        planned = move_over(self.city.installation, "sixplustwo", edition, days, "author")
        assert not planned.failures, planned.failures

    # --- In the words of the file -------------------------------------------------------------------------------

    def _config(self, settings: str) -> str:
        return f"[plugins.sixplustwo]\nenabled = true\n{settings}"

    def _facts(self, told: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for part in told.split("; "):
            name = next((name for name in sorted(_FACTS, key=len, reverse=True) if part.startswith(f"{name} ")), None)
            assert name, f"what is {part!r}? known are: {', '.join(_FACTS)}"
            value = part.removeprefix(f"{name} ")
            found[_FACTS[name]] = self._value(name, value)
        return found

    def _value(self, name: str, value: str) -> object:
        if name == "buyers":
            return tuple(self._person(each) for each in value.split(", "))
        return _day(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else value

    def _person(self, name: str) -> PersonFacts:
        known = self._cast[name]
        day, _, calendar = known["born"].partition(" ")
        return PersonFacts(name, known["phone"], birthday=_day(day), lunar=calendar == "lunar")

    def _subject(self, whose: str) -> Subject:
        kind, _, which = whose.partition(" ")
        if kind == "contract":
            return self._sales[which].contract
        if kind == "home":
            return self._sales[which].home
        if kind == "project":
            return self.city.project(which or PROJECT)
        if kind == "company":
            return self.city.branch
        return self.city.customer(self._person(whose))

    def _open_task(self, action: str, subject: Subject) -> int:
        mine = (tasks.c.action == action, tasks.c.subject_type == subject.type, tasks.c.subject_id == subject.id)
        with self.city.store.read() as connection:
            return int(connection.execute(select(tasks.c.id).where(tasks.c.status == "open", *mine)).scalar_one())

    def _promised(self, whose: str) -> dict[tuple[str, int], Promised]:
        """Return the newest promise of each kind and number."""
        found: dict[tuple[str, int], tuple[int, Promised]] = {}
        for promised in self.city.promises(self._subject(whose)):
            occurrence, _, again = promised.key.rpartition("/")[2].partition(".")
            key, place = (promised.action, int(occurrence)), int(again or 0)
            if key not in found or found[key][0] <= place:
                found[key] = (place, promised)
        known = {key: promised for key, (_, promised) in found.items()}
        return {(action, _place(action, number, known)): promised for (action, number), promised in known.items()}


def _place(action: str, number: int, known: Collection[tuple[str, int]]) -> int:
    """Return which of its kind a promise is that a single event brought about: those carry the event's number."""
    if action not in _OF_EVENTS:
        return number
    return sorted(other for name, other in known if name == action).index(number) + 1


def _example(city: str) -> ModuleType:
    """Return the module of the example plugin of ``city``, which need not be installed."""
    name = f"keguan_{city}"
    file = _EXAMPLES / f"keguan-{city}" / name / "__init__.py"
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=[str(file.parent)])
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _within(scope: Scope, promised: Promised) -> bool:
    if scope.actions and promised.action not in scope.actions:
        return False
    if scope.until is not None and f"{promised.due_at:%Y-%m-%d}" > scope.until:
        return False
    return promised.status != "cancelled"


def _compared(wanted: Promise, found: Promised | None) -> Iterator[str]:
    if found is None:
        yield f"{wanted.name}: not promised; due {wanted.due} by hand ({wanted.reason})"
        return
    stands = {
        "due": (wanted.due, f"{found.due_at:%Y-%m-%d %H:%M}"),
        "window": (wanted.window, _window(found)),
        "stands": (wanted.status, found.status),
        "done": (wanted.done or "", "" if found.done_at is None else f"{found.done_at:%Y-%m-%d %H:%M}"),
    }
    wrong = [f"{name} {mine} by hand, {its}" for name, (mine, its) in stands.items() if not its.startswith(mine)]
    if wanted.why is not None and wanted.why not in (found.why or ""):
        wrong.append(f"why {wanted.why!r} by hand, {found.why!r}")
    if wrong:
        yield f"{wanted.name}: {'; '.join(wrong)} ({wanted.reason}); it is {_told(found)}"


def _told(promised: Promised) -> str:
    done = "" if promised.done_at is None else f", done {promised.done_at:%Y-%m-%d %H:%M}"
    why = "" if promised.why is None else f" ({promised.why})"
    return f"due {promised.due_at:%a %Y-%m-%d %H:%M}, window {_window(promised)}, {promised.status}{done}{why}"


def _window(promised: Promised) -> str:
    if promised.until is None:
        return "–"
    return f"{promised.until - timedelta(seconds=1):%Y-%m-%d}"


def _instant(told: str) -> datetime:
    return datetime.fromisoformat(told).replace(tzinfo=_ZONE)


def _day(told: str) -> date:
    return date.fromisoformat(told)


def _number(told: str | None) -> int | None:
    return None if told is None else int(told)
