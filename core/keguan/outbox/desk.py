"""What both ways of delivering share: which messages to take, whether they may leave, what is written of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Connection, Row, select

from keguan.adapters.base import Outcome, Report
from keguan.clock import Clock
from keguan.outbox import gateways, queue
from keguan.outbox.gate import HandOn, Hold, Pass, Refuse
from keguan.outbox.handover import Handover
from keguan.outbox.knowledge import Knowledge, Rules
from keguan.outbox.pace import Pace
from keguan.outbox.retry import Next, RetryPolicy, Way, after_attempt, pause_after
from keguan.outbox.routes import Routes, Source
from keguan.people.suppressions import suppress
from keguan.store.engine import Store
from keguan.store.schema import people
from keguan.texts import Language, text

__all__ = ["Desk", "Ended", "Kept", "Passed", "Tally"]

_LOOK_AGAIN = timedelta(hours=1)
"""How often a message is judged again that no adapter of its channel may send."""
_NOTE_EVERY = timedelta(seconds=5)
"""How often it is written down at most how an adapter fares; a pause is, at once."""

Passed = tuple[Row[Any], str | None]
"""A message that may leave, and the rule that was set aside for it."""
Kept = tuple[Row[Any], Hold | Refuse | HandOn]
"""A message that the gate did not let pass, and why."""


@dataclass(slots=True)
class Tally:
    """What one pass did."""

    claimed: int = 0
    sent: int = 0
    held: int = 0
    refused: int = 0
    failed: int = 0
    asked: int = 0
    """Messages in doubt that the gateway was asked about."""


class Ended(NamedTuple):
    """A message that was handed over, and what is to be written about it."""

    row: Row[Any]
    report: Report
    outcome: Next
    masked: str | None
    note: str | None


class Desk:
    """One adapter's share of the outbox. Used by the thread of that adapter only."""

    def __init__(
        self,
        *,
        handover: Handover,
        routes: Routes,
        pace: Pace,
        clock: Clock,
        rules: Rules,
        policy: RetryPolicy,
        language: Language,
        batch: int,
        lease: timedelta,
    ) -> None:
        self.name = handover.name
        self.handover = handover
        self.pace = pace
        self.clock = clock
        self.policy = policy
        self.batch = batch
        self.lease = lease
        self.worker = f"{queue.worker_name()}/{self.name}"
        self.tally = Tally()
        self.doubtful = False
        """Whether messages came into doubt since somebody last looked."""
        self.handed_on = False
        """Whether messages were left to other adapters since somebody last looked."""
        self.log = structlog.get_logger("keguan.outbox").bind(adapter=self.name)
        self._routes = routes
        self._rules = rules
        self._language = language
        self._channels = [channel for channel, names in routes.by_channel.items() if self.name in names]
        self._turn = 0
        self._pauses: dict[str, datetime] = {}
        self._fares: dict[str, Any] = {}
        self._noted_at: datetime | None = None
        self._pause_is_new = False
        self._noting = False

    # --- Pauses --------------------------------------------------------------------------------------------------

    def resume(self, connection: Connection, now: datetime) -> None:
        """Take over what the process before knew of pauses."""
        gateways.forget_misconfigured(connection, self.name)
        self._pauses = gateways.pauses(connection, now)

    def paused_until(self, now: datetime) -> datetime | None:
        """Return until when nothing leaves through this adapter, ``None`` when it may."""
        until = self._pauses.get(self.name)
        return until if until is not None and until > now else None

    # --- Before a message leaves ---------------------------------------------------------------------------------

    def claim(self, connection: Connection, now: datetime, limit: int) -> Sequence[Row[Any]]:
        """Take up to ``limit`` messages that are due, in fair turns from all places where some may wait."""
        sources = self._sources(connection, now)
        batch = queue.claim(connection, sources, self.name, self.worker, now, limit, self.lease)
        self.tally.claimed += len(batch)
        return batch

    def look(self, connection: Connection, now: datetime, limit: int) -> Sequence[Row[Any]]:
        """Return what ``claim`` would take; ``take`` it in the same transaction."""
        batch = queue.look(connection, now, limit, self._sources(connection, now))
        self.tally.claimed += len(batch)
        return batch

    def take(self, connection: Connection, rows: Sequence[Passed], now: datetime, *, started: bool) -> None:
        """Claim messages that were looked at; those ``started`` leave once the transaction is committed."""
        for note in {note for _, note in rows}:
            ids = [row.id for row, each in rows if each == note]
            queue.take(connection, ids, self.name, self.worker, now, self.lease, started=started, note=note)

    def _sources(self, connection: Connection, now: datetime) -> list[Source]:
        """Return where messages may wait for this adapter, beginning with another place each time."""
        self._pauses = gateways.pauses(connection, now)
        if self.name in self._pauses:  # by another process
            return []
        sources = self._routes.sources(self.name, self._pauses)
        self._turn = (self._turn + 1) % (len(sources) or 1)
        return sources[self._turn :] + sources[: self._turn]

    def know(self, connection: Connection, batch: Sequence[Row[Any]], now: datetime) -> Knowledge:
        """Return what judging ``batch`` takes."""
        return Knowledge.load(connection, self._rules, batch, now, adapter=self.name)

    def sort_out(self, batch: Sequence[Row[Any]], known: Knowledge, now: datetime) -> tuple[list[Passed], list[Kept]]:
        """Return which messages may leave now, and which not and why, on the assumption that the others arrive."""
        passed: list[Passed] = []
        kept: list[Kept] = []
        for row in batch:
            verdict = known.judge(row, now)
            if isinstance(verdict, Pass):
                known.leaves(row, now)
                passed.append((row, verdict.note))
            else:
                kept.append((row, verdict))
        return passed, kept

    def keep_back(self, connection: Connection, kept: Sequence[Kept], now: datetime) -> list[queue.KeptBack]:
        """Write what the gate did not let pass; ``tell_kept`` tells of it once that is on disk."""
        unwanted = [row for row, verdict in kept if isinstance(verdict, HandOn) and self._after(row) is None]
        free_at = self._others_take(connection, unwanted, now) if unwanted else {}
        backs = [self._kept_back(row, verdict, free_at.get(row.id), now) for row, verdict in kept]
        queue.put_back(connection, self.worker, backs)
        return backs

    def tell_kept(self, kept: Sequence[Kept], backs: Sequence[queue.KeptBack]) -> None:
        """Count and log what was kept back."""
        for (row, verdict), back in zip(kept, backs, strict=True):
            self.tally.held += back.status == "held"
            self.tally.refused += back.status not in ("held", "queued")
            self.handed_on = self.handed_on or isinstance(verdict, HandOn)
            why = text(self._language, verdict.why)
            self.log.info(
                "message",
                status=back.status,
                plugin=row.plugin,
                action=row.action,
                clause=row.clause,
                key=row.key,
                why=why,
                via=back.via,
            )

    def _kept_back(
        self, row: Row[Any], verdict: Hold | Refuse | HandOn, free_at: datetime | None, now: datetime
    ) -> queue.KeptBack:
        if isinstance(verdict, Hold):
            return queue.KeptBack(row.id, "held", verdict.why, verdict.until, row.via)
        if isinstance(verdict, Refuse):
            return queue.KeptBack(row.id, verdict.status, verdict.why, row.next_at, row.via)
        after = self._after(row)
        if after is not None:
            return queue.KeptBack(row.id, "queued", None, row.next_at, after)
        stays = self.name if row.doubts else None
        if free_at is not None:
            return queue.KeptBack(row.id, "queued", None, free_at, stays)
        if verdict.otherwise == "dead":
            return queue.KeptBack(row.id, "dead", verdict.why, row.next_at, row.via)
        until = now + _LOOK_AGAIN
        return queue.KeptBack(row.id, "held", verdict.why, min(until, row.expires_at or until), stays)

    def _after(self, row: Row[Any]) -> str | None:
        """Return whom a message can be handed on to: nobody, once it may have left."""
        return None if row.doubts else self._routes.after(row.channel, self.name, self._pauses)

    def _others_take(self, connection: Connection, rows: Sequence[Row[Any]], now: datetime) -> dict[int, datetime]:
        """Return when to begin anew with messages that the last adapter may not send, but an earlier one may."""
        found: dict[int, datetime] = {}
        others = {name for row in rows for name in self._routes.of(row.channel)} - {self.name}
        for other in sorted(others):
            mine = [row for row in rows if not row.doubts and other in self._routes.of(row.channel)]
            known = Knowledge.load(connection, self._rules, mine, now, adapter=other)
            for row in mine:
                if isinstance(known.judge(row, now), HandOn):
                    continue
                at = self._pauses.get(other) or now + self.policy.delay(max(1, row.attempts))
                found[row.id] = min(at, found.get(row.id, at))
        return found

    # --- After a message left ------------------------------------------------------------------------------------

    def end(self, row: Row[Any], report: Report, masked: str | None, note: str | None) -> Ended:
        """Return what follows from ``report``; from now on a pause that it brings is in force."""
        now = self.clock.now()
        pause = pause_after(report, self.policy, now)
        if pause is not None:
            self._pauses[self.name] = max(pause, self._pauses.get(self.name, pause))
            self._fares |= {"paused_until": self._pauses[self.name], "paused_by": report.outcome.value}
            self._pause_is_new = True
        if report.outcome is Outcome.SENT:  # where it could have gone instead is nobody's concern
            way = Way(self.name, row.via)
            self._fares["last_sent_at"] = now
        else:
            names = self._routes.of(row.channel)
            way = Way(
                name=self.name,
                via=row.via,
                on=self._routes.after(row.channel, self.name, self._pauses),
                ways=len(names) or 1,
                free_at=min((self._pauses[each] for each in names if each in self._pauses), default=None),
            )
            error = " ".join(report.detail.split()) or report.outcome.value
            self._fares |= {"last_error_at": now, "last_error": error}
        outcome = after_attempt(report, row.attempts, row.doubts, self.policy, now, way)
        return Ended(row, report, outcome, masked, note)

    def write(self, connection: Connection, ended: Sequence[Ended]) -> None:
        """Write what became of messages, and what follows for others."""
        queue.mark_all(connection, self.worker, ((each.row.id, each.outcome, each.masked) for each in ended))
        for each in ended:
            report = each.report
            if report.outcome is Outcome.PERMANENT and report.bounces:
                self._suppress(connection, each)
            elif report.outcome is Outcome.LIMIT and not report.pauses and each.outcome.next_at is not None:
                queue.postpone(connection, each.row, self.name, each.outcome.next_at)
        now = self.clock.now()
        due = self._noted_at is None or not self._noted_at <= now < self._noted_at + _NOTE_EVERY
        if self._pause_is_new or (self._fares and due):
            gateways.note(connection, self.name, self._fares)
            self._noted_at, self._noting = now, True

    def written(self, ended: Sequence[Ended]) -> None:
        """Count and tell what ``write`` wrote, now that it is on disk."""
        if self._noting:
            self._fares, self._pause_is_new, self._noting = {}, False, False
        for each in ended:
            row, outcome = each.row, each.outcome
            self.tally.sent += outcome.status == "sent"
            self.tally.failed += outcome.status != "sent"
            self.doubtful = self.doubtful or outcome.status == "in_doubt"
            self.handed_on = self.handed_on or outcome.via not in (None, self.name)
            self.log.info(
                "message",
                status=outcome.status,
                plugin=row.plugin,
                action=row.action,
                clause=row.clause,
                key=row.key,
                to=each.masked,
                attempts=outcome.attempts,
                error=outcome.error,
                note=text(self._language, each.note) if each.note else None,
            )

    def finish(self, store: Store) -> None:
        """Write down at the end of a pass how the adapter fared in it."""
        if self._fares:
            with store.write() as connection:
                gateways.note(connection, self.name, self._fares)
            self._fares, self._pause_is_new, self._noted_at = {}, False, self.clock.now()

    def _suppress(self, connection: Connection, ended: Ended) -> None:
        row, c = ended.row, people.c
        index = c.email_index if row.channel == "email" else c.phone_index
        found = connection.execute(select(index).where(c.id == row.person_id)).scalar()
        if found is not None:
            detail = ended.report.detail or None
            suppress(connection, row.channel, found, why="gate.bounced", now=self.clock.now(), detail=detail)
