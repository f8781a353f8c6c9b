"""The records of a small company, put straight into the tables: what lists and journeys are asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Table, insert, select

from keguan.queries.reader import Reader
from keguan.settings import parse_settings
from keguan.store.engine import Store
from keguan.store.schema import (
    branches,
    contracts,
    deliveries,
    departments,
    events,
    evidence,
    form_entries,
    homes,
    messages,
    owners,
    people,
    plans,
    projects,
    staff,
    tasks,
)
from keguan.texts import Language

__all__ = ["CONFIG", "SHANGHAI", "Estate", "at"]

SHANGHAI = ZoneInfo("Asia/Shanghai")
CONFIG = """
language = "en"
[company]
name = "云璟地产"
[cities.shenzhen]
name = "深圳"
[cities.urumqi]
name = "乌鲁木齐"
time_zone = "Asia/Urumqi"
"""


def at(text: str) -> datetime:
    """Return the instant at which clocks in Shanghai show ``text``."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


class Estate:
    """Writes records and what the flow made of them; every method returns the number of the new row."""

    def __init__(self, store: Store, now: datetime) -> None:
        self.store = store
        self.now = now
        self._count = 0

    def reader(self, *, now: datetime | None = None, language: Language = "en") -> Reader:
        """Return what lists read with, at ``now``."""
        return Reader(
            self.store, parse_settings(CONFIG, Path("/nowhere/config/keguan.toml"), {}), now or self.now, language
        )

    def rows(self, table: Table, **where: object) -> list[Any]:
        """Return the stored rows that have these values."""
        with self.store.read() as connection:
            found = select(table).where(*(table.c[name] == value for name, value in where.items()))
            return list(connection.execute(found))

    def one(self, table: Table, number: int) -> Any:
        """Return one stored row."""
        return self.rows(table, id=number)[0]

    # --- Records -----------------------------------------------------------------------------------------------

    def project(self, name: str = "云璟一期", city: str = "shenzhen") -> int:
        """A project."""
        return self._add(projects, name=name, city=city)

    def branch(self, city: str = "shenzhen") -> int:
        """The company in a city."""
        return self._add(branches, city=city)

    def home(self, project: int, building: str = "3", unit: str = "1", room: str = "1201") -> int:
        """A home."""
        return self._add(homes, project_id=project, building=building, unit=unit, room=room)

    def person(self, name: str = "张小满", phone: str | None = "+8613800138000", **values: object) -> int:
        """A person."""
        return self._add(people, name=name, phone=phone, **values)

    def contract(
        self,
        number: str,
        project: int,
        home: int | None = None,
        buyers: Sequence[int] = (),
        *,
        status: str = "signed",
        owned_until: date | None = None,
    ) -> int:
        """A contract and its buyers, who own the home, until ``owned_until``."""
        key = self._add(contracts, contract_no=number, project_id=project, home_id=home, status=status)
        for position, person in enumerate(buyers):
            self._add(owners, person_id=person, home_id=home, contract_id=key, position=position, until=owned_until)
        return key

    def employee(
        self, name: str, department: str = "客关", *, left_on: date | None = None, email: str | None = None
    ) -> int:
        """A member of staff."""
        known = self.rows(departments, name=department)
        place = known[0].id if known else self._add(departments, name=department)
        return self._add(staff, person_id=self.person(name, None, email=email), department_id=place, left_on=left_on)

    # --- The flow ------------------------------------------------------------------------------------------------

    def event(
        self,
        wire_id: str,
        kind: str = "contract_signed",
        subject: tuple[str, int] = ("contract", 1),
        *,
        time: datetime | None = None,
        taken: Mapping[str, str] | None = None,
        error: str | None = None,
        **values: object,
    ) -> int:
        """An event; ``taken`` says how each plugin took it."""
        row = {
            "source": "import",
            "city": "shenzhen",
            "data": {},
            "received_at": self.now,
            "state": "delivered",
        } | values
        with self.store.write() as connection:
            seq = connection.execute(
                insert(events)
                .values(
                    id=wire_id, type=kind, time=time or self.now, subject_type=subject[0], subject_id=subject[1], **row
                )
                .returning(events.c.seq)
            ).scalar_one()
            for plugin, status in (taken or {}).items():
                failed = {"error": error, "detail": f"Traceback\n{error}"} if status == "failed" else {}
                connection.execute(
                    insert(deliveries).values(event_seq=seq, plugin=plugin, status=status, at=self.now, **failed)
                )
        return int(seq)

    def plan(
        self,
        action: str = "sms_congratulation",
        subject: tuple[str, int] = ("contract", 1),
        *,
        due: datetime | None = None,
        until: datetime | None = None,
        opens: datetime | None = None,
        status: str = "planned",
        **values: object,
    ) -> int:
        """A plan of ``sixplustwo``, due now; its action runs then, or when it ``opens``."""
        self._count += 1
        row = {
            "plugin": "sixplustwo",
            "occurrence": self._count,
            "round": 0,
            "kind": "contract_signed",
            "event_seq": 0,
            "clause": "6+2指引 5.2.1",
            "city": "shenzhen",
            "by_calendar": False,
            "provisional": False,
            "late_at_creation": False,
            "stale": False,
            "created_at": self.now,
            "changed_at": self.now,
        } | values
        return self._add(
            plans,
            action=action,
            subject_type=subject[0],
            subject_id=subject[1],
            due_at=due or self.now,
            until_at=until,
            run_at=opens or due or self.now,
            status=status,
            **row,
        )

    def message(
        self,
        person: int | None,
        status: str = "queued",
        *,
        plan: int | None = None,
        channel: str = "sms",
        body: str = "您好",
        due: datetime | None = None,
        **values: object,
    ) -> int:
        """A message of a plan to a person (or, with ``department``, to that), due now."""
        self._count += 1
        row = {
            "plugin": "sixplustwo",
            "action": "sms_congratulation",
            "clause": "6+2指引 5.2.1",
            "city": "shenzhen",
            "message_class": "service",
            "urgent": False,
            "late": False,
            "created_at": self.now,
        } | values
        return self._add(
            messages,
            key=f"message-{self._count}",
            plan_id=plan,
            person_id=person,
            channel=channel,
            body=body,
            status=status,
            due_at=due or self.now,
            next_at=due or self.now,
            **row,
        )

    def task(
        self,
        title: str = "回访",
        subject: tuple[str, int] = ("contract", 1),
        *,
        due: datetime | None = None,
        status: str = "open",
        plan: int | None = None,
        required: Sequence[str] = (),
        **values: object,
    ) -> int:
        """A task of the department 客关, due now."""
        self._count += 1
        row = {
            "plugin": "sixplustwo",
            "action": "signing_callback",
            "clause": "6+2指引 5.2.1",
            "city": "shenzhen",
            "department": "客关",
            "created_at": self.now,
        } | values
        return self._add(
            tasks,
            key=f"task-{self._count}",
            plan_id=plan,
            title=title,
            subject_type=subject[0],
            subject_id=subject[1],
            due_at=due or self.now,
            status=status,
            evidence_required=list(required),
            **row,
        )

    def proof(self, task: int, filename: str = "签到表.pdf", sha256: str = "ab" * 32) -> int:
        """A file that was attached to a task."""
        return self._add(
            evidence, task_id=task, filename=filename, sha256=sha256, size=12, added_at=self.now, added_by="李"
        )

    def entry(self, task: int, form: str, **values: object) -> int:
        """A form as it was filled in for a task, now and in full."""
        row = {"answers": {}, "lines": [], "complete": True, "filled_at": self.now, "filled_by": "李"} | values
        about = {"subject_type": "project", "subject_id": 1, "city": "shenzhen"}
        return self._add(form_entries, form=form, task_id=task, **about, **row)

    def _add(self, table: Table, **values: object) -> int:
        with self.store.write() as connection:
            return int(connection.execute(insert(table).values(**values).returning(table.c.id)).scalar_one())
