"""What would go out on one day, worked out by the same code as on the day itself. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from heapq import merge
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from keguan.building import build_rules
from keguan.errors import PluginError, TemplateError
from keguan.masking import mask_name, mask_text
from keguan.model import Subject
from keguan.outbox import queue
from keguan.outbox.gate import HandOn, Hold, Refuse
from keguan.outbox.knowledge import Knowledge
from keguan.plans.bringing import NOTHING, Brought, bring_along
from keguan.plans.due import work_out
from keguan.plans.effects import MESSAGE_COLUMNS, TASK_COLUMNS, render_effects, sample_code
from keguan.queries.messages import masked_address
from keguan.queries.reader import Filters, Reader, pages, plain_why
from keguan.queries.subjects import natural_ids
from keguan.store.records import load_records
from keguan.store.schema import messages, plans

if TYPE_CHECKING:
    from keguan.installation import Installation

__all__ = ["preview_day"]


def preview_day(installation: Installation, reader: Reader, day: date | None = None) -> Iterator[dict[str, Any]]:
    """Yield what would leave, and which tasks would open, on ``day`` (default: today, what is overdue included).

    Keys: ``time channel plugin action clause subject to text status why``, in the order of time (an instant with
    the offset of the city). ``channel`` is ``task`` for tasks; ``text`` is the message or the task's title,
    ``to`` is masked. ``status`` is ``queued`` for what would leave, ``open`` for a task, else what the gate or
    the plan would come to (``held suppressed dead expired missed cancelled failed``), with ``why``. Records,
    plans and messages are taken as they are now: what comes in until then may change it.
    """
    today = reader.now.astimezone(reader.zone(None)).date()
    day = day or today
    filters = Filters(since=None if day == today else day, until=day)
    preview = _Preview(installation, reader)
    yield from merge(preview.plans(filters), preview.messages(filters), key=lambda row: row["time"])


class _Preview:
    """Works out one day for one installation, page by page."""

    def __init__(self, installation: Installation, reader: Reader) -> None:
        self._installation, self._reader = installation, reader
        self._known = Knowledge(build_rules(installation))
        """Grows page by page; holds what left to each person lately, and what would have left by then."""

    def plans(self, filters: Filters) -> Iterator[dict[str, Any]]:
        """Yield what the plans would turn into whose actions run that day."""
        statement = select(plans).where(plans.c.status == "planned").order_by(plans.c.run_at, plans.c.id)
        with self._reader.store.read() as connection:
            statement = self._reader.narrow(connection, statement, plans, "run_at", filters)
            for page in pages(connection, statement):
                yield from self._page_of_plans(connection, page)

    def messages(self, filters: Filters) -> Iterator[dict[str, Any]]:
        """Yield what waits in the outbox for that day already."""
        statement = (
            select(messages, plans.c.subject_type, plans.c.subject_id)
            .outerjoin(plans, plans.c.id == messages.c.plan_id)
            .where(queue.WAITING)
            .order_by(messages.c.next_at, messages.c.id)
        )
        with self._reader.store.read() as connection:
            statement = self._reader.narrow(connection, statement, messages, "next_at", filters)
            for page in pages(connection, statement):
                self._learn(connection, page)
                about = {Subject(row.subject_type, row.subject_id) for row in page if row.subject_type}
                names = natural_ids(connection, about, self._reader.settings)
                for row in page:
                    subject = names.get(Subject(row.subject_type, row.subject_id))
                    when = max(row.next_at, self._reader.now)
                    yield self._message(row, subject, when)

    def _page_of_plans(self, connection: Connection, page: Sequence[Any]) -> Iterator[dict[str, Any]]:
        subjects = {Subject(row.subject_type, row.subject_id) for row in page}
        records = load_records(connection, subjects)
        names = natural_ids(connection, subjects, self._reader.settings)
        brought = bring_along(connection, self._installation, page, records)
        worked: list[tuple[Any, datetime, Any, list[Any], list[dict[str, Any]]]] = []
        for row in page:
            when = max(row.run_at, self._reader.now)
            record = records.get(Subject(row.subject_type, row.subject_id))
            outcome, texts, tasks = self._work_out(row, record, when, brought.get(row.id, NOTHING))
            worked.append((row, when, outcome, texts, tasks))
        self._learn(connection, [each for _row, _when, _outcome, texts, _tasks in worked for each in texts])
        for row, when, outcome, texts, tasks in worked:
            subject = names[Subject(row.subject_type, row.subject_id)]
            if outcome is not None:
                yield self._row(row._asdict(), subject, when, channel=None, status=outcome[0], why=outcome[1])
            for each in texts:
                yield self._message(each, subject, when)
            for each in tasks:
                yield self._row(each, subject, when, channel="task", text=mask_text(each["title"]), status="open")

    def _work_out(
        self, row: Any, record: Any, when: datetime, brought: Brought
    ) -> tuple[tuple[str, str | None] | None, list[Any], list[dict[str, Any]]]:
        """Return how the plan would end without effects, or ``None`` and its messages and tasks."""
        if row.until_at is not None and row.until_at <= when and not row.stale:
            return ("missed", "plan.window_passed"), [], []
        worked = work_out(self._installation, row, record, when, brought)
        if worked.status != "done":
            return (worked.status, worked.why), [], []
        try:
            texts, tasks, _ = render_effects(self._installation, row, worked.effects, when, sample_code)
        except (PluginError, TemplateError) as error:
            return ("failed", str(error)), [], []
        return (
            None,
            [_as_row(dict(zip(MESSAGE_COLUMNS, each, strict=True)), row.until_at) for each in texts],
            [dict(zip(TASK_COLUMNS, each, strict=True)) for each in tasks],
        )

    def _learn(self, connection: Connection, batch: Sequence[Any]) -> None:
        self._known.learn(connection, batch, self._reader.now)
        self._known.meet(connection, {row.person_id for row in batch})

    def _message(self, row: Any, subject: dict[str, str] | None, when: datetime) -> dict[str, Any]:
        adapter = next(iter(self._installation.settings.adapters_of(row.channel)), None)
        verdict = self._known.judge(row, when, adapter=adapter)
        status, why = "queued", None
        if isinstance(verdict, Hold | HandOn):
            status, why = "held", verdict.why
        elif isinstance(verdict, Refuse):
            status, why = verdict.status, verdict.why
        else:
            self._known.leaves(row, when)
        recipient = self._known.recipient(row)
        name = recipient.name
        shown = mask_text(row.body.replace(name, mask_name(name)) if name else row.body)
        to = masked_address(row.channel, recipient.address(row.channel))
        source = {key: getattr(row, key) for key in ("city", "plugin", "action", "clause")}
        return self._row(source, subject, when, channel=row.channel, to=to, text=shown, status=status, why=why)

    def _row(
        self,
        source: dict[str, Any],
        subject: dict[str, str] | None,
        when: datetime,
        *,
        channel: str | None,
        status: str,
        to: str | None = None,
        text: str | None = None,
        why: str | None = None,
    ) -> dict[str, Any]:
        return {
            "time": self._reader.local(when, source["city"]),
            "channel": channel,
            "plugin": source["plugin"],
            "action": source["action"],
            "clause": source["clause"] or None,
            "subject": subject,
            "to": to,
            "text": text,
            "status": status,
            "why": plain_why(self._reader.language, why),
        }


def _as_row(message: dict[str, Any], until: datetime | None) -> SimpleNamespace:
    """Return a message that is not written yet as the gate knows those that are."""
    return SimpleNamespace(**{"id": None, "template": None, "department": None, **message, "expires_at": until})
