"""What the gate and the adapters need to know of the people that a batch of messages is for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection

from keguan.model import City
from keguan.outbox.approvals import Approvals
from keguan.outbox.facts import (
    STAFF,
    Reach,
    load_bounced,
    load_people,
    load_permissions,
    load_reach,
    load_sharing,
    recently_left,
)
from keguan.outbox.gate import NO_LIMITS, WEEK, Candidate, Left, Limits, Pass, Permissions, Verdict, judge
from keguan.outbox.hours import Hours, hours_of
from keguan.outbox.provider_rules import lint_values
from keguan.people.suppressions import REFUSED

__all__ = ["Knowledge", "Recipient", "Rules"]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a message is for. The values stay out of ``repr`` so that no log shows them."""

    name: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    others: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Addresses on further channels, such as the robot of a department's chat."""

    def address(self, channel: str) -> str | None:
        """Return where ``channel`` reaches this person or department."""
        return self.others.get(channel) or (self.email if channel == "email" else self.phone)


_NOBODY = Recipient()
_WRONG_VALUES = {"value_length": "gate.value_length", "link_in_variable": "gate.value_link"}
_NONE: dict[int, str | None] = {}
_NO_ANSWER: Permissions = {}


@dataclass(slots=True)
class _Case:
    """What judging a message takes, and for how long it is known to pass."""

    candidate: Candidate
    person: int | None
    place: str
    passed: tuple[Pass, datetime, datetime] | None = None
    """The verdict, and from when to before when it stands as long as nothing else leaves to the same person."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says about messages that leave."""

    city: Callable[[str], City]
    limits: Limits = NO_LIMITS
    active: Callable[[str, str], bool] = lambda _plugin, _city: True
    """Whether a plugin is on in a city; the core's own messages (plugin ``keguan``) are never asked about."""
    approvals: Approvals = field(default_factory=Approvals)
    approving: frozenset[str] = frozenset()
    """The adapters that send approved templates only."""
    providers: Mapping[str, str] = field(default_factory=dict)
    """Whose rules hold for the values of messages at such an adapter; ``general`` unless it stands here."""
    department: Callable[[str], Recipient | None] = lambda _name: None
    """Where a department is reached; ``None``: nobody knows it."""
    admits: Callable[[str], bool] | None = None
    """The allow list of a test installation: whether it has an address; ``None``: there is no such list."""
    can_unsubscribe: bool = False
    """Whether e-mail carries a way out of it, without which no promotion leaves by e-mail."""


class Knowledge:
    """Loaded once for a batch, set by set; kept up while its messages leave."""

    def __init__(self, rules: Rules, adapter: str | None = None) -> None:
        self._rules = rules
        self._adapter = adapter
        self._reach: dict[int, Reach] = {}
        self._permissions: dict[int, Permissions] = {}
        self._bounced: dict[str, dict[int, str | None]] = {}
        self._recent: dict[int, Sequence[Left]] = {}
        self._sharing: dict[int, list[tuple[int, bool]]] = {}
        self._recipients: dict[int, Recipient] = {}
        self._city = cache(rules.city)
        self._active = cache(rules.active)  # a batch is judged by one state of the configuration
        self._cases: dict[tuple[int, str | None], _Case] = {}
        self._hours: dict[str, Hours] = {}
        self._alone: Set[int] = frozenset()
        """Those who get one message of this batch only: nobody asks again how many they got."""
        self._early: dict[int, Verdict] = {}
        """What was judged of messages whose recipients were not loaded, by number of the message."""

    @classmethod
    def load(
        cls, connection: Connection, rules: Rules, batch: Sequence[Any], now: datetime, *, adapter: str | None = None
    ) -> Knowledge:
        """Return what is known at ``now`` of the recipients of ``batch``, rows of messages.

        ``adapter`` is the one that asks, by its name in the configuration; it decides which templates may leave.
        Name and address are loaded for the messages that may leave at ``now``, in one statement.
        """
        known = cls(rules, adapter)
        known.learn(connection, batch, now)
        times = Counter(row.person_id for row in batch)
        known._alone = {person for person, count in times.items() if count == 1}
        if rules.admits is None:
            verdicts = {row.id: known.judge(row, now) for row in batch}
            known._early = {key: verdict for key, verdict in verdicts.items() if not isinstance(verdict, Pass)}
            known.meet(connection, {row.person_id for row in batch if row.id not in known._early})
        return known

    def learn(self, connection: Connection, batch: Sequence[Any], now: datetime) -> None:
        """Load what judging the messages of ``batch`` takes and is not known yet."""
        rules = self._rules
        self._alone = frozenset()
        wanted: dict[str, set[int]] = {}
        for row in batch:
            person = row.person_id
            if person is not None:
                wanted.setdefault(row.channel, set()).add(person)
        ids = set().union(*wanted.values())
        fresh = ids - self._reach.keys()
        if fresh:
            self._reach |= load_reach(connection, fresh)
            self._permissions |= load_permissions(connection, fresh)
        for channel, persons in wanted.items():
            bounced = self._bounced.setdefault(channel, {})
            unasked = persons - bounced.keys()
            if unasked:
                found = load_bounced(connection, unasked, channel, now)
                bounced.update((person, found.get(person)) for person in unasked)
        counted = set(ids) if any(rules.limits) else {row.person_id for row in batch if row.late} & ids
        counted -= self._recent.keys()
        if counted:
            self._count(connection, counted, now)
        if rules.admits is not None:  # only the address itself can be on a list
            self.meet(connection, ids)

    def _count(self, connection: Connection, ids: Collection[int], now: datetime) -> None:
        """Load what left to people lately, what left to others at the same address included."""
        sharing = load_sharing(connection, ids)
        self._sharing |= sharing
        others = {other for found in sharing.values() for other, _ in found}
        left = recently_left(connection, others.union(ids), now - WEEK)
        for person in ids:
            self._recent[person] = left.get(person, ())
        for person, others_here in sharing.items():
            for other, by_mail in others_here:
                theirs = [one for one in left.get(other, ()) if (one.channel == "email") == by_mail]
                self._recent[person] = [*self._recent[person], *theirs]

    def meet(self, connection: Connection, ids: Collection[int | None]) -> None:
        """Load name and addresses of people, by number, in one statement; those known already are left out."""
        wanted = [each for each in ids if each is not None and each not in self._recipients]
        if wanted:
            found = load_people(connection, wanted)
            self._recipients.update((row[0], Recipient(*row[1:])) for row in found)

    def copy(self) -> Knowledge:
        """Return the same knowledge, to be carried on by itself."""
        other = Knowledge(self._rules, self._adapter)
        other._reach, other._permissions, other._bounced = self._reach, self._permissions, self._bounced
        other._recipients, other._early, other._cases = self._recipients, self._early, self._cases
        other._recent, other._sharing = dict(self._recent), self._sharing
        other._hours, other._alone = self._hours, self._alone
        return other

    def recipient(self, row: Any) -> Recipient:
        """Return whom a message is for: a person, or a department; nobody when neither is known."""
        if row.person_id is None:
            return self._rules.department(row.department) or _NOBODY
        return self._recipients.get(row.person_id, _NOBODY)

    def judge(self, row: Any, now: datetime, *, adapter: str | None = None) -> Verdict:
        """Return whether a message may leave now, through ``adapter`` where it is not the one that loaded this."""
        key = row.id
        early = self._early.get(key)
        if early is not None:
            return early
        case = self._cases.get((key, adapter))
        if case is None:
            case = self._case(row, adapter or self._adapter, now)
            if key is not None:
                self._cases[key, adapter] = case
        candidate, place = case.candidate, case.place
        recent = () if case.person is None else self._recent.get(case.person, ())
        if case.passed is not None and recent is candidate.recent:
            passed, since, until = case.passed
            if since <= now < until:
                return passed
        case.passed, candidate.recent = None, recent
        city = self._city(place)
        hours = self._hours.get(place)
        if hours is None or not hours.since <= now < hours.until:
            hours = self._hours[place] = hours_of(city, now)
        verdict = judge(candidate, city, now, hours)
        if isinstance(verdict, Pass):  # time alone only makes room, until the clock of the city says something else
            ends = candidate.expires_at
            case.passed = verdict, now, hours.until if ends is None else min(ends, hours.until)
        return verdict

    def _case(self, row: Any, adapter: str | None, now: datetime) -> _Case:
        """Return what judging needs of a message; the same each time it is judged, but for what left meanwhile."""
        rules = self._rules
        person, channel, plugin, message_class = row.person_id, row.channel, row.plugin, row.message_class
        place = row.city
        if person is None or rules.admits is not None:
            address = self.recipient(row).address(channel)
        else:  # whether there is one is all that has to be known
            reach = self._reach.get(person)
            address = None if reach is None else "?" if (reach.email if channel == "email" else reach.phone) else None
        kept_from = None if person is None else self._bounced.get(channel, _NONE).get(person)
        candidate = Candidate(
            channel=channel,
            message_class=message_class,
            urgent=row.urgent,
            late=row.late,
            has_address=bool(address),
            expires_at=row.expires_at,
            permissions=_NO_ANSWER if person is None else self._permissions.get(person, _NO_ANSWER),
            limits=rules.limits,
            plugin_on=plugin == STAFF or self._active(plugin, place),
            staff=person is None or plugin == STAFF,
            admitted=rules.admits is None or rules.admits(address or ""),
            bounced=kept_from is not None and kept_from != REFUSED,
            refused=kept_from == REFUSED,
            can_unsubscribe=rules.can_unsubscribe,
        )
        if adapter is not None and adapter in rules.approving:
            approval = rules.approvals.find(adapter, plugin, row.template)
            today = self._city(place).today(now)
            candidate.approved = (
                approval is not None
                and approval.message_class == message_class
                and approval.in_force(today)
                and approval.fits(row.variables)
            )
            refusals = lint_values(row.variables or (), rules.providers.get(adapter, "general"))
            if refusals:
                candidate.refused_value = _WRONG_VALUES[refusals[0].rule]
        return _Case(candidate, person, place)

    def leaves(self, row: Any, at: datetime) -> None:
        """Note that a message leaves, for the further messages to the same person or address."""
        person = row.person_id
        sharing = self._sharing.get(person, ())
        if person is None or (person in self._alone and not sharing):
            return
        if row.plugin == STAFF or (row.urgent and row.message_class == "service"):
            return
        left = Left(at, row.channel, row.late, row.message_class)
        self._recent[person] = [*self._recent.get(person, ()), left]
        for other, by_mail in sharing:
            if other in self._recent and (row.channel == "email") == by_mail:
                self._recent[other] = [*self._recent[other], left]
