"""One pass after the other: what the daemon's threads, `dispatch`, rehearsals and the demo all run."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import NamedTuple

import structlog

from keguan.adapters.base import Outcome, Report
from keguan.clock import VirtualClock
from keguan.installation import Installation
from keguan.outbox import queue, recovery
from keguan.outbox.delivery import Delivery
from keguan.outbox.retry import RetryPolicy, Way, after_attempt
from keguan.outbox.routes import Routes
from keguan.plans.due import RunTally, recover_plans, run_due, take_back_plans
from keguan.plans.following import plan_followups
from keguan.plans.planner import Planned, deliver_events, replan, replay_ticks, retry_deliveries
from keguan.plans.recall import note_calendar_followed, subjects_by_calendar
from keguan.runner.horizon import Horizon, look_ahead
from keguan.runner.ticks import cities_in_use, next_tick, record_ticks
from keguan.runner.turns import YearTurn
from keguan.staff.day import look_after_staff, next_look
from keguan.texts import text

__all__ = ["Engine", "Settled", "Visit"]


class Visit(NamedTuple):
    """What comes from outside while time passes on a virtual clock."""

    at: datetime
    call: Callable[[], None]


@dataclass(slots=True)
class Settled:
    """What happened until nothing was left to do."""

    ticks: int = 0
    events: int = 0
    planned: int = 0
    moved: int = 0
    cancelled: int = 0
    ran: int = 0
    missed: int = 0
    failed: int = 0
    tasks: int = 0
    sent: int = 0
    held: int = 0
    refused: int = 0
    undelivered: int = 0
    failures: list[str] = field(default_factory=list)

    def merge(self, other: Settled) -> None:
        """Add what happened at another time."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


class Engine:
    """The passes over one installation's tables. Knows no threads; the daemon gives each pass one of its own."""

    def __init__(
        self,
        installation: Installation,
        deliveries_by_adapter: Sequence[Delivery],
        stop: threading.Event | None = None,
    ) -> None:
        self.installation = installation
        self.deliveries = tuple(deliveries_by_adapter)
        self._stop = stop or threading.Event()
        self._rerouted = False
        self._turn = YearTurn(installation)
        self._log = structlog.get_logger("keguan.runner")

    # --- Passes ----------------------------------------------------------------------------------------------

    def plan(self) -> Planned:
        """Deliver a batch of new events, or retry failed deliveries; ``events`` is 0 when nothing was to do.

        At a new year recurring promises come first, and then count as something that was done.
        """
        self._follow_calendar()
        turned = self._turn.step()
        if turned is not None:
            turned.events = 1
            return turned
        planned = deliver_events(self.installation, self.installation.settings.runner.plan_batch)
        return planned if planned.events else retry_deliveries(self.installation)

    def plan_all(self) -> Planned:
        """Plan until no new event is left; return the sum."""
        total = Planned()
        while (planned := self.plan()).events:
            total.merge(planned)
        return total

    def run(self) -> RunTally:
        """Plan what follows on tasks that were done, then run a batch of due plans; ``claimed`` is 0 without any."""
        while plan_followups(self.installation):
            pass
        return run_due(self.installation, self.installation.settings.runner.dispatch_batch)

    def staff(self) -> int:
        """Do what staff's day asks for at this hour: hand-over, the ladder, digests; 0 when nothing is left."""
        return look_after_staff(self.installation)

    def recover(self) -> None:
        """Take up again what a dead process left claimed; what it had handed over goes by its adapter's policy."""
        now = self.installation.clock.now()
        policies = {delivery.name: delivery.policy for delivery in self.deliveries}
        died = text(self.installation.language, "runner.died_while_sending")
        with self.installation.store.write() as connection:
            subjects = recover_plans(connection, now)
            queued, doubtful = recovery.recover(connection, now)
            for row in doubtful:
                policy = policies.get(row.adapter, RetryPolicy(in_doubt="hold"))  # an adapter that is no longer used
                report, way = Report(Outcome.IN_DOUBT, died), Way(name=row.adapter, via=row.via)
                outcome = after_attempt(report, row.attempts, row.doubts, policy, now, way)
                queue.mark(connection, row.id, row.worker, outcome, row.to_masked)
            for name in {row.adapter for row in doubtful} & policies.keys():
                next(each for each in self.deliveries if each.name == name).look_again()
        self._reroute()
        if subjects or queued or doubtful:
            self._log.warning("recovered", plans=len(subjects), queued=queued, in_doubt=len(doubtful))
        replan(self.installation, subjects)

    def _reroute(self) -> None:
        """Let nothing wait for an adapter that is gone; once, for whoever changes adapters starts a process."""
        routes = Routes({ch: names for each in self.deliveries for ch, names in each.routes.by_channel.items()})
        while not self._rerouted:
            with self.installation.store.write() as connection:
                self._rerouted = recovery.reroute(connection, routes) == 0

    def take_back(self) -> None:
        """Plan again what this process had taken up in a pass that failed."""
        with self.installation.store.write() as connection:
            subjects = take_back_plans(connection, self.installation.clock.now())
        replan(self.installation, subjects)

    def _follow_calendar(self) -> None:
        """Compute again what hangs on the calendar when somebody loaded other days."""
        loaded = self.installation.refresh_calendars()
        if loaded is None:
            return
        with self.installation.store.read() as connection:
            subjects, ticks = subjects_by_calendar(connection, loaded)
        if subjects or ticks:
            moved = replan(self.installation, subjects)
            moved.merge(replay_ticks(self.installation, ticks))
            with self.installation.store.write() as connection:
                note_calendar_followed(connection, loaded, self.installation.clock.now())
            self._log.info("calendar changed", subjects=len(subjects), moved=moved.moved)

    # --- All of them -------------------------------------------------------------------------------------------

    def settle(self) -> Settled:
        """Plan, run and deliver until nothing is left to do at this instant; then say what happened.

        Time passes only where an adapter's rate makes messages wait that are due.
        """
        self.recover()
        self._follow_calendar()
        total = Settled()
        self._settle_and_wait(total)
        if self.staff():
            self._settle_and_wait(total)
        return total

    def _settle_and_wait(self, total: Settled) -> None:
        """Do all there is, and wait for what is due and only waits because of an adapter's rate."""
        clock = self.installation.clock
        while True:
            ahead, now = self._settle(total), clock.now()
            slots = [at for at in (delivery.slot_at(now) for delivery in self.deliveries) if at is not None]
            if not slots or not _due(ahead.message, now):
                return
            if clock.wait(self._stop, (min(slots) - now).total_seconds()):
                return

    def _settle(self, total: Settled) -> Horizon:
        """Do pass after pass, each only when there is something for it, until a round changes nothing.

        Returns what is left to do: nothing that is due, except what nobody can take.
        """
        while True:
            while (turned := self._turn.step()) is not None:
                _add(total, turned)
            now = self.installation.clock.now()
            with self.installation.store.read() as connection:
                ahead = look_ahead(connection)
            busy = False
            if ahead.events is not None:
                limit = self.installation.settings.runner.plan_batch
                busy = _add(total, deliver_events(self.installation, limit))
            elif _due(ahead.retry, now):
                busy = _add(total, retry_deliveries(self.installation))
            if not busy and (_due(ahead.plan, now) or ahead.done_task is not None):
                busy = self._settle_plans(total)
            errand = any(delivery.has_errand(now) for delivery in self.deliveries)
            if not busy and (errand or _due(ahead.message, now)):
                busy = self._settle_messages(total)
            if not busy:
                return ahead

    def _settle_plans(self, total: Settled) -> bool:
        tally = self.run()
        total.ran += tally.done
        total.missed += tally.missed
        total.failed += tally.failed
        total.tasks += tally.tasks
        return tally.claimed > 0

    def _settle_messages(self, total: Settled) -> bool:
        busy = False
        for delivery in self.deliveries:
            tally = delivery.run()
            total.sent += tally.sent
            total.held += tally.held
            total.refused += tally.refused
            total.undelivered += tally.failed
            busy = busy or tally.claimed + tally.asked > 0
        return busy

    def fast_forward(
        self,
        clock: VirtualClock,
        until: datetime,
        after_wake: Callable[[datetime], bool] | None = None,
        visits: Iterable[Visit] = (),
        ticks: Callable[[Installation, Sequence[str], datetime], datetime | None] = next_tick,
    ) -> Settled:
        """Live through the time to ``until`` on a virtual clock, waking only when something is due.

        ``after_wake`` is called with the present each time everything was settled: for who lives along, such as
        the staff of a demonstration. It returns whether it did anything that something may follow on. ``visits`` are
        what comes from outside meanwhile, in the order of their instants, none later than ``until``: each is called
        at its own, before anything that follows from it is done. ``ticks`` says when to wake next for the ticks of
        cities; those passed over are delivered together with the next.
        """
        total, coming = Settled(), deque(visits)
        self.recover()
        self._follow_calendar()
        tick: datetime | None = clock.now()
        look: datetime | None = clock.now()
        while True:
            while coming and coming[0].at <= clock.now():
                coming.popleft().call()
            ticked, tasks = _due(tick, clock.now()), total.tasks
            if ticked:
                total.ticks += len(record_ticks(self.installation))
                with self.installation.store.read() as connection:
                    cities = cities_in_use(connection, self.installation)
                tick = ticks(self.installation, cities, clock.now())
            ahead = self._settle(total)
            if ticked or _due(look, clock.now()) or total.tasks > tasks:
                while self.staff():
                    ahead = self._settle(total)
                look = next_look(self.installation)
            if after_wake is not None and after_wake(clock.now()):
                ahead = self._settle(total)  # what follows on the tasks they closed is due now
            if clock.now() >= until:
                return total
            if _due(ahead.next, clock.now()):
                with self.installation.store.read() as connection:
                    ahead = look_ahead(connection, after=clock.now())
            now = clock.now()
            wakes = [delivery.wakes_at(now) for delivery in self.deliveries]
            wakes += [visit.at for visit in itertools.islice(coming, 1)]
            clock.set(min(instant for instant in (ahead.next, tick, look, until, *wakes) if instant is not None))
            if _due(ahead.lease, clock.now()):
                self.recover()

    def close(self) -> None:
        """End the adapters' sessions."""
        for delivery in self.deliveries:
            delivery.close()


def _due(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now


def _add(total: Settled, planned: Planned) -> bool:
    """Count what was planned; return whether anything was to do."""
    total.events += planned.events
    total.planned += planned.inserted
    total.moved += planned.moved
    total.cancelled += planned.cancelled
    total.failures += [str(failure) for failure in planned.failures]
    return planned.events > 0
