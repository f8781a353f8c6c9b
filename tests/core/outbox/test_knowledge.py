"""What is known of recipients decides which of their messages leave: read from the tables, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update
from tests.support.estate import Estate, at

from keguan.adapters.base import AdapterType
from keguan.outbox.approvals import Approval, Approvals
from keguan.outbox.gate import HandOn, Hold, Limits, Pass, Refuse, Verdict
from keguan.outbox.knowledge import Knowledge, Recipient, Rules
from keguan.people.consent import opt_in, opt_out
from keguan.people.suppressions import lift, suppress
from keguan.settings import Settings
from keguan.settings.sending import AllowListSettings
from keguan.settings.tables import ConfiguredAdapter
from keguan.store.engine import Store
from keguan.store.schema import messages, people, suppressions

NOON = at("2026-03-02T12:00")
NIGHT = at("2026-03-02T23:00")
RULES = Rules(Settings().city)
LIMITED = replace(
    RULES,
    limits=Limits(
        per_day=3, per_week=10, promotion_per_day=1, promotion_per_week=2, code_per_minute=1, code_per_hour=5
    ),
)


@pytest.fixture
def estate(store: Store) -> Estate:
    """A company in Shenzhen at noon."""
    return Estate(store, NOON)


def rows(estate: Estate, numbers: Sequence[int]) -> list[Any]:
    with estate.store.read() as connection:
        found = connection.execute(select(messages).where(messages.c.id.in_(numbers)).order_by(messages.c.id))
        return list(found)


def judged(
    estate: Estate, *numbers: int, rules: Rules = RULES, now: datetime = NOON, adapter: str = "out"
) -> list[Verdict]:
    """Return what the gate says of messages that leave one after the other, as far as it lets them."""
    batch = rows(estate, numbers)
    with estate.store.read() as connection:
        known = Knowledge.load(connection, rules, batch, now, adapter=adapter)
    verdicts = []
    for row in batch:
        verdict = known.judge(row, now)
        if isinstance(verdict, Pass):
            known.leaves(row, now)
        verdicts.append(verdict)
    return verdicts


# --- Limits ------------------------------------------------------------------------------------------------------


def test_limits_count_what_leaves_in_the_same_batch_and_what_left_before(estate: Estate) -> None:
    person = estate.person()
    estate.message(person, "sent", sent_at=NOON - timedelta(hours=1), plugin="complaints")
    verdicts = judged(estate, *(estate.message(person) for _ in range(3)), rules=LIMITED)
    assert verdicts == [Pass(), Pass(), Hold(at("2026-03-03T09:00"), "gate.per_day")]


def test_owners_of_one_home_have_limits_of_their_own(estate: Estate) -> None:
    one, other = estate.person("张小满"), estate.person("李晓燕", "+8613900139000")
    numbers = [estate.message(person) for person in (one, other) for _ in range(3)]
    assert judged(estate, *numbers, rules=LIMITED) == [Pass()] * 6


def test_owners_who_share_a_telephone_share_its_limits_but_not_those_of_their_mail(estate: Estate) -> None:
    one, other = indexed(estate, "phone-1", "mail-1"), indexed(estate, "phone-1", "mail-2")
    estate.message(other, "sent", sent_at=NOON - timedelta(hours=1))
    numbers = [estate.message(one), estate.message(other), estate.message(one), estate.message(one, channel="email")]
    assert judged(estate, *numbers, rules=LIMITED) == [
        Pass(),
        Pass(),
        Hold(at("2026-03-03T09:00"), "gate.per_day"),
        Pass(),
    ]


def test_people_without_any_address_share_nothing(estate: Estate) -> None:
    one, other = estate.person(phone=None), estate.person(phone=None, email="a@example.com")
    for _ in range(3):
        estate.message(other, "sent", channel="email", sent_at=NOON - timedelta(hours=1))
    assert judged(estate, estate.message(one), rules=LIMITED) == [Refuse("dead", "gate.no_address")]


def test_promotion_counts_in_the_common_limits_and_in_its_own(estate: Estate) -> None:
    person = estate.person()
    with estate.store.write() as connection:
        opt_in(connection, person, message_class="promotion", source="form", now=NOON)
    numbers = [estate.message(person, message_class="promotion") for _ in range(2)]
    numbers += [estate.message(person) for _ in range(3)]
    assert judged(estate, *numbers, rules=LIMITED) == [
        Pass(),
        Hold(at("2026-03-03T09:00"), "gate.promotion_per_day"),
        Pass(),
        Pass(),
        Hold(at("2026-03-03T09:00"), "gate.per_day"),
    ]


def test_codes_count_by_themselves_whatever_else_left(estate: Estate) -> None:
    person = estate.person()
    for _ in range(5):
        estate.message(person, "sent", sent_at=NOON - timedelta(minutes=5))
    codes = [estate.message(person, message_class="code", urgent=True) for _ in range(2)]
    assert judged(estate, *codes, rules=LIMITED) == [
        Pass(),
        Hold(NOON + timedelta(minutes=1), "gate.code_per_minute"),
    ]


def test_a_message_in_doubt_counts_for_it_may_have_arrived(estate: Estate) -> None:
    person = estate.person()
    for _ in range(3):
        estate.message(person, "in_doubt", started_at=NOON - timedelta(hours=1))
    assert judged(estate, estate.message(person), rules=LIMITED) == [Hold(at("2026-03-03T09:00"), "gate.per_day")]


def test_urgent_messages_are_not_counted(estate: Estate) -> None:
    person = estate.person()
    for _ in range(3):
        estate.message(person, "sent", urgent=True, sent_at=NOON - timedelta(hours=1))
    assert judged(estate, estate.message(person), rules=LIMITED) == [Pass()]


# --- Staff and departments -----------------------------------------------------------------------------------------


def test_work_for_staff_asks_for_no_consent_no_hours_and_no_limits(estate: Estate) -> None:
    person = estate.person()
    with estate.store.write() as connection:
        opt_out(connection, person, source="call", now=NOON)
    numbers = [estate.message(person, plugin="keguan") for _ in range(5)]
    off = replace(LIMITED, active=lambda _plugin, _city: False)
    assert judged(estate, *numbers, rules=off, now=NIGHT) == [Pass()] * 5


def test_a_digest_to_staff_counts_for_nobody_as_a_customer(estate: Estate) -> None:
    person = estate.person()
    for _ in range(3):
        estate.message(person, "sent", plugin="keguan", sent_at=NOON - timedelta(hours=1))
    assert judged(estate, estate.message(person), rules=LIMITED) == [Pass()]


def test_a_department_is_reached_where_the_configuration_says(estate: Estate) -> None:
    desk = Recipient(name="客关", email="desk@example.com", others={"chat": "desk_robot"})
    rules = replace(RULES, department={"客关": desk}.get)
    numbers = [
        estate.message(None, channel="chat", department="客关", plugin="keguan"),
        estate.message(None, channel="email", department="客关", plugin="keguan"),
        estate.message(None, channel="email", department="财务", plugin="keguan"),
        estate.message(None, channel="sms", department="客关", plugin="keguan"),
    ]
    dead = Refuse("dead", "gate.no_address")
    assert judged(estate, *numbers, rules=rules) == [Pass(), Pass(), dead, dead]
    with estate.store.read() as connection:
        batch = rows(estate, numbers)
        known = Knowledge.load(connection, rules, batch, NOON)
    assert known.recipient(batch[0]).address("chat") == "desk_robot"


# --- Approved templates ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("approval", "passes"),
    [
        (None, False),
        (Approval("aliyun", "sixplustwo", "congratulation", "SMS_1", approved_on=date(2026, 3, 2)), True),
        (Approval("aliyun", "sixplustwo", "congratulation", "SMS_1", approved_on=date(2026, 3, 3)), False),
        (Approval("aliyun", "sixplustwo", "congratulation", "SMS_1"), False),
        (Approval("tencent", "sixplustwo", "congratulation", "1", approved_on=date(2026, 1, 1)), False),
        (
            Approval(
                "aliyun",
                "sixplustwo",
                "congratulation",
                "SMS_1",
                message_class="promotion",
                approved_on=date(2026, 1, 1),
            ),
            False,
        ),
    ],
)
def test_only_what_the_gateway_approved_in_this_class_leaves_through_it(
    estate: Estate, approval: Approval | None, passes: bool
) -> None:
    rules = replace(
        RULES, approvals=Approvals([approval] if approval else []), approving=frozenset({"aliyun", "tencent"})
    )
    message = estate.message(estate.person(), template="congratulation")
    expected = Pass() if passes else HandOn("gate.template_not_approved")
    assert judged(estate, message, rules=rules, adapter="aliyun") == [expected]
    assert judged(estate, message, rules=rules, adapter="file") == [Pass()]


@pytest.mark.parametrize(("kind", "own", "needs"), [(True, None, True), (True, False, False), (False, True, True)])
def test_an_adapters_table_may_say_otherwise_than_its_kind(kind: bool, own: bool | None, needs: bool) -> None:
    class Table:
        approved_templates = own

    adapter = AdapterType("http", frozenset({"sms"}), Table, lambda *_: None, approved_templates=kind)  # type: ignore[arg-type]  # never built
    assert ConfiguredAdapter("gateway", adapter, Table(), "hold").approved_templates is needs


# --- Addresses that bounced --------------------------------------------------------------------------------------


def bounce(estate: Estate, channel: str, index: str, until: datetime | None = None) -> None:
    with estate.store.write() as connection:
        suppress(connection, channel, index, why="gate.bounced", detail="MK:0001", now=NOON, until=until)


def indexed(estate: Estate, phone: str, email: str) -> int:
    """A person whose addresses have these indexes, whatever seals them."""
    person = estate.person(email="xiaoman@example.com")
    with estate.store.write() as connection:
        connection.execute(update(people).where(people.c.id == person).values(phone_index=phone, email_index=email))
    return person


def test_nothing_is_sent_to_an_address_that_bounced_until_it_is_corrected(estate: Estate) -> None:
    person = indexed(estate, "phone-1", "mail-1")
    sms, mail = estate.message(person), estate.message(person, channel="email")
    bounce(estate, "sms", "phone-1")
    bounced = Refuse("suppressed", "gate.bounced")
    assert judged(estate, sms, mail) == [bounced, Pass()]
    with estate.store.write() as connection:
        connection.execute(update(people).where(people.c.id == person).values(phone_index="phone-2"))
    assert judged(estate, sms, mail) == [Pass(), Pass()]


def test_a_suppression_ends_by_itself_or_by_a_persons_word(estate: Estate) -> None:
    message = estate.message(indexed(estate, "phone-1", "mail-1"))
    bounce(estate, "sms", "phone-1", until=NOON + timedelta(hours=1))
    assert judged(estate, message) == [Refuse("suppressed", "gate.bounced")]
    assert judged(estate, message, now=NOON + timedelta(hours=1)) == [Pass()]
    bounce(estate, "sms", "phone-1")
    assert judged(estate, message) == [Refuse("suppressed", "gate.bounced")]
    [row] = estate.rows(suppressions, lifted_at=None)
    with estate.store.write() as connection:
        lift(connection, row.id, why="he called", who="李", now=NOON)
    assert judged(estate, message) == [Pass()]


# --- Test installations --------------------------------------------------------------------------------------------


def test_on_a_test_installation_nobody_but_those_listed_gets_anything(estate: Estate) -> None:
    listed = AllowListSettings.model_validate({"only_to": ["138 0013 8000", "@Example.com", "boss@keguan.test"]})
    rules = replace(RULES, admits=listed.admits, department=lambda _name: Recipient(email="desk@elsewhere.test"))
    here = estate.person(phone="+8613800138000", email="a@EXAMPLE.com")
    boss = estate.person(phone="+8613900139000", email="boss@keguan.test")
    other = estate.person(phone="+8613900139001", email="a@sub.example.com")
    numbers = [estate.message(who, channel=channel) for who in (here, boss, other) for channel in ("sms", "email")]
    numbers.append(estate.message(None, channel="email", department="客关", plugin="keguan"))
    no = Refuse("suppressed", "gate.allow_list")
    assert judged(estate, *numbers, rules=rules) == [Pass(), Pass(), no, Pass(), no, no, no]


# --- What it costs -----------------------------------------------------------------------------------------------


def test_judging_reads_no_name_and_no_address_of_what_does_not_leave(estate: Estate) -> None:
    refused, fine = estate.person(), estate.person()
    with estate.store.write() as connection:
        opt_out(connection, refused, source="call", now=NOON)
    batch = rows(estate, [estate.message(refused), estate.message(fine)])
    asked: list[str] = []
    event.listen(estate.store.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    with estate.store.read() as connection:
        known = Knowledge.load(connection, LIMITED, batch, NOON)
    values = [statement for statement in asked if "people.name" in statement]
    assert len(values) == 1
    assert known.recipient(batch[1]).phone == "+8613800138000"
    assert known.recipient(batch[0]).phone is None
    assert "13800138000" not in repr(known.recipient(batch[1]))


def test_what_was_held_as_its_batch_was_loaded_stays_held_with_its_batch(estate: Estate) -> None:
    batch = rows(estate, [estate.message(estate.person())])
    night, morning = at("2026-03-02T08:59"), at("2026-03-02T09:00")
    with estate.store.read() as connection:
        known = Knowledge.load(connection, RULES, batch, night)
    assert known.judge(batch[0], morning) == Hold(morning, "gate.quiet_hours")  # due at once, with the next batch


def test_what_may_leave_is_judged_anew_once_quiet_hours_begin(estate: Estate) -> None:
    batch = rows(estate, [estate.message(estate.person()), estate.message(estate.person(), expires_at=NIGHT)])
    evening, night = at("2026-03-02T19:59:59"), at("2026-03-02T20:00")
    with estate.store.read() as connection:
        known = Knowledge.load(connection, RULES, batch, evening)
    held = Hold(at("2026-03-03T09:00"), "gate.quiet_hours")
    assert [known.judge(batch[0], moment) for moment in (evening, night, night, evening)] == [
        Pass(),
        held,
        held,
        Pass(),
    ]
    assert known.judge(batch[1], NIGHT) == Refuse("expired", "gate.window_passed")


def test_what_may_leave_is_judged_anew_whenever_another_left_to_the_same_person(estate: Estate) -> None:
    person = estate.person()
    batch = rows(estate, [estate.message(person) for _ in range(4)])
    with estate.store.read() as connection:
        known = Knowledge.load(connection, LIMITED, batch, NOON)
    assert known.judge(batch[3], NOON) == Pass()
    ahead = known.copy()
    for row in batch[:3]:
        ahead.leaves(row, NOON)
    full = Hold(at("2026-03-03T09:00"), "gate.per_day")
    assert [ahead.judge(batch[3], NOON) for _ in range(2)] == [full, full]
    assert known.judge(batch[3], NOON) == Pass()  # in fact nothing left yet
