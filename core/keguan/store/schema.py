"""The tables of the flow, in its order: records, events, deliveries, plans, messages and tasks.

Every arrow of the flow is one of these tables, so that a crash anywhere loses nothing and repeats nothing.
Personal values stand in ``people`` only; everything else refers to it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from keguan.store.types import BigKey, Instant, Json

__all__ = [
    "accesses",
    "calendar_days",
    "calendar_years",
    "contracts",
    "daemons",
    "deliveries",
    "departments",
    "events",
    "evidence",
    "homes",
    "imports",
    "messages",
    "metadata",
    "owners",
    "people",
    "permissions",
    "plans",
    "plugins",
    "projects",
    "scopes",
    "staff",
    "tasks",
]

# Named constraints from the first day: SQLite can only change what has a name.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _one_of(column: str, *values: str) -> CheckConstraint:
    """Limit a status column to its words."""
    return CheckConstraint(f"{column} in ({', '.join(repr(v) for v in values)})", name=column)


# --- Records: the current state -----------------------------------------------------------------------------

projects = Table(
    "projects",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("city", Text, nullable=False),
    Column("first_show_on", Date),
    Column("launch_on", Date),
    Column("area", Float),
    Column("version", Integer, nullable=False, server_default="1"),
)

homes = Table(
    "homes",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("project_id", BigKey, ForeignKey("projects.id"), nullable=False),
    Column("building", Text, nullable=False, server_default=""),
    Column("unit", Text, nullable=False, server_default=""),
    Column("room", Text, nullable=False, server_default=""),
    Column("fitting", Text),
    Column("handed_over_on", Date),
    Column("move_in_on", Date),
    Column("version", Integer, nullable=False, server_default="1"),
    UniqueConstraint("project_id", "building", "unit", "room"),
)

people = Table(  # the one place of personal values
    "people",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("name", Text),
    Column("phone", Text, index=True),  # E.164
    Column("email", Text),
    Column("id_no", Text, index=True),
    Column("birthday", Date),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("erased_at", Instant),
)

permissions = Table(  # consent given or withdrawn; no row: what the message class allows by itself
    "permissions",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("person_id", BigKey, ForeignKey("people.id"), nullable=False),
    Column("channel", Text, nullable=False),  # email, sms …, or * for all
    Column("message_class", Text, nullable=False),  # service, promotion, or * for all
    Column("granted", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
    Column("source", Text, nullable=False),
    UniqueConstraint("person_id", "channel", "message_class"),
)

contracts = Table(
    "contracts",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("project_id", BigKey, ForeignKey("projects.id"), nullable=False),
    Column("contract_no", Text, nullable=False, index=True),
    Column("home_id", BigKey, ForeignKey("homes.id"), index=True),
    Column("status", Text, nullable=False),
    Column("deposit_on", Date),
    Column("signed_on", Date),
    Column("planned_handover_on", Date),
    Column("price_fen", BigInteger),  # hundredths of a yuan: SQLite has no exact decimals
    Column("version", Integer, nullable=False, server_default="1"),
    UniqueConstraint("project_id", "contract_no"),
    _one_of("status", "reserved", "signed", "cancelled", "transferred"),
)

owners = Table(  # who bought by which contract, and who owns which home until when
    "owners",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("person_id", BigKey, ForeignKey("people.id"), nullable=False, index=True),
    Column("home_id", BigKey, ForeignKey("homes.id"), index=True),
    Column("contract_id", BigKey, ForeignKey("contracts.id"), index=True),
    Column("position", Integer, nullable=False, server_default="0"),  # 0: the main contact
    Column("since", Date),
    Column("until", Date),  # empty: still
)

departments = Table(
    "departments",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)

staff = Table(
    "staff",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("person_id", BigKey, ForeignKey("people.id"), nullable=False, unique=True),
    Column("department_id", BigKey, ForeignKey("departments.id"), nullable=False),
    Column("left_on", Date),
    Column("version", Integer, nullable=False, server_default="1"),
)

# --- Events and their delivery to plugins --------------------------------------------------------------------

events = Table(
    "events",
    metadata,
    Column("seq", BigKey, primary_key=True),
    Column("source", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("time", Instant, nullable=False),
    Column("subject_type", Text, nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    Column("city", Text, nullable=False),
    Column("data", Json, nullable=False),  # free of personal values
    Column("received_at", Instant, nullable=False),
    Column("state", Text, nullable=False, server_default="new"),
    UniqueConstraint("source", "id"),
    Index("ix_events_subject", "subject_type", "subject_id"),
    Index("ix_events_new", "seq", sqlite_where=text("state = 'new'"), postgresql_where=text("state = 'new'")),
    _one_of("state", "new", "delivered"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("event_seq", BigKey, ForeignKey("events.seq"), primary_key=True),
    Column("plugin", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="1"),
    Column("retry_at", Instant),
    Column("error", Text),  # one line
    Column("detail", Text),  # the traceback, for `events show -v`
    Column("at", Instant, nullable=False),
    Index(
        "ix_deliveries_retry",
        "retry_at",
        sqlite_where=text("status = 'failed'"),
        postgresql_where=text("status = 'failed'"),
    ),
    _one_of("status", "done", "failed", "skipped"),
    sqlite_with_rowid=False,
)

# --- Plans ---------------------------------------------------------------------------------------------------

PLAN_STATUSES = ("planned", "running", "done", "missed", "held", "cancelled", "failed")

plans = Table(
    "plans",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("plugin", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject_type", Text, nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("round", Integer, nullable=False),  # 0; each "do it again after a moved date" adds one
    Column("kind", Text, nullable=False),  # the event type that wanted it
    Column("event_seq", BigInteger, nullable=False),
    Column("clause", Text, nullable=False),
    Column("project_id", BigInteger),
    Column("city", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("until_at", Instant),
    Column("status", Text, nullable=False),
    Column("by_calendar", Boolean, nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("late_at_creation", Boolean, nullable=False),
    Column("stale", Boolean, nullable=False),  # its window had passed already when it was entered or moved
    Column("note", Text),
    Column("why", Text),  # a catalogue key, or the reason an action gave
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("worker", Text),
    Column("lease_until", Instant),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    # Its prefix finds all plans of one subject, which is how plans are compared with what hooks want.
    UniqueConstraint("subject_type", "subject_id", "plugin", "action", "occurrence", "round", name="uq_plans_key"),
    Index(
        "ix_plans_due",
        "due_at",
        sqlite_where=text("status = 'planned'"),
        postgresql_where=text("status = 'planned'"),
    ),
    Index(  # claimed ones, and those that rest after a failure
        "ix_plans_lease",
        "lease_until",
        sqlite_where=text("lease_until is not null"),
        postgresql_where=text("lease_until is not null"),
    ),
    _one_of("status", *PLAN_STATUSES),
)

# --- Effects: messages and tasks -----------------------------------------------------------------------------

MESSAGE_STATUSES = (
    "queued",
    "sending",
    "sent",
    "delivered",
    "undelivered",
    "held",
    "suppressed",
    "in_doubt",
    "dead",
    "dropped",
    "expired",
)

messages = Table(
    "messages",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("plan_id", BigKey, ForeignKey("plans.id"), index=True),
    Column("plugin", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("clause", Text, nullable=False),
    Column("project_id", BigInteger),
    Column("city", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("message_class", Text, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("person_id", BigKey, ForeignKey("people.id"), nullable=False, index=True),
    Column("to_masked", Text),  # what it was sent to, as people may see it
    Column("title", Text, nullable=False, server_default=""),
    Column("body", Text, nullable=False),  # as rendered: what was promised is what leaves
    Column("html", Text),
    Column("attachments", Json),
    Column("segments", Integer),
    Column("status", Text, nullable=False),
    Column("why", Text),  # the rule that holds or suppresses it
    Column("due_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),  # when it is tried or judged next
    Column("expires_at", Instant),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("doubts", Integer, nullable=False, server_default="0"),  # how often nobody knew whether it had left
    Column("adapter", Text),
    Column("worker", Text),
    Column("lease_until", Instant),
    Column("started_at", Instant),  # handed to the adapter: from here on a crash means "in doubt"
    Column("sent_at", Instant),
    Column("provider_id", Text),
    Column("error", Text),
    Column("created_at", Instant, nullable=False),
    Index(
        "ix_messages_next",
        "channel",
        "next_at",
        sqlite_where=text("status in ('queued', 'held')"),
        postgresql_where=text("status in ('queued', 'held')"),
    ),
    Index(
        "ix_messages_sending",
        "lease_until",
        sqlite_where=text("status = 'sending'"),
        postgresql_where=text("status = 'sending'"),
    ),
    _one_of("status", *MESSAGE_STATUSES),
)

TASK_STATUSES = ("open", "done", "skipped", "cancelled")

tasks = Table(
    "tasks",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("plan_id", BigKey, ForeignKey("plans.id"), index=True),
    Column("plugin", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("clause", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("project_id", BigInteger),
    Column("city", Text, nullable=False),
    Column("subject_type", Text, nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    Column("department", Text, nullable=False),
    Column("assignee_id", BigKey, ForeignKey("staff.id")),
    Column("due_at", Instant, nullable=False),
    Column("status", Text, nullable=False),
    Column("evidence_required", Json, nullable=False),
    Column("result", Text),
    Column("reason", Text),  # why it was skipped or postponed
    Column("postponed", Integer, nullable=False, server_default="0"),
    Column("created_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("closed_by", Text),
    Index("ix_tasks_open", "due_at", sqlite_where=text("status = 'open'"), postgresql_where=text("status = 'open'")),
    _one_of("status", *TASK_STATUSES),
)

evidence = Table(  # what proves that a task was done; the files lie under var/evidence by their SHA-256
    "evidence",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("task_id", BigKey, ForeignKey("tasks.id"), nullable=False, index=True),
    Column("filename", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("added_by", Text),
    UniqueConstraint("task_id", "sha256"),
)

# --- The installation ----------------------------------------------------------------------------------------

plugins = Table(  # what the last load recorded, so that nothing need be imported to tell
    "plugins",
    metadata,
    Column("name", Text, primary_key=True),
    Column("distribution", Text),
    Column("version", Text),
    Column("hooks", Json, nullable=False),
    Column("requires", Json, nullable=False),
    Column("loaded_at", Instant),
    Column("error", Text),
    Column("hangs", Integer, nullable=False, server_default="0"),
    Column("suspended_at", Instant),
    Column("suspended_why", Text),
)

scopes = Table(  # where each plugin was on at the last start or reload
    "scopes",
    metadata,
    Column("plugin", Text, primary_key=True),
    Column("city", Text, primary_key=True),
    Column("active", Boolean, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

daemons = Table(  # the one daemon of this database, or the last one there was
    "daemons",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("heartbeat_at", Instant, nullable=False),
    Column("stopped_at", Instant),
    Column("reload_error", Text),
)

calendar_days = Table(
    "calendar_days",
    metadata,
    Column("scope", Text, primary_key=True),  # national, or the key of a city
    Column("day", Date, primary_key=True),
    Column("working", Boolean, nullable=False),
    Column("name", Text),
    Column("loaded_at", Instant, nullable=False),
)

calendar_years = Table(  # years whose notice was loaded: no longer provisional
    "calendar_years",
    metadata,
    Column("year", Integer, primary_key=True),
    Column("loaded_at", Instant, nullable=False),
)

imports = Table(
    "imports",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("accepted", Integer, nullable=False, server_default="0"),
    Column("unchanged", Integer, nullable=False, server_default="0"),
    Column("rejected", Integer, nullable=False, server_default="0"),
)

accesses = Table(  # who saw personal values unmasked, and which command showed them
    "accesses",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("rows", Integer, nullable=False),
)
