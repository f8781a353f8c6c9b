"""The arrows of the flow: events, their delivery to plugins, plans."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from keguan.store.schema.base import metadata, one_of
from keguan.store.types import BigKey, Instant, Json

__all__ = ["PLAN_STATUSES", "deliveries", "events", "plans"]

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
    one_of("state", "new", "delivered"),
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
    one_of("status", "done", "failed", "skipped"),
    sqlite_with_rowid=False,
)

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
    Column("run_at", Instant, nullable=False),  # when its action runs: at its due time, or earlier to prepare
    Column("recurs", Boolean, nullable=False, server_default=text("false")),  # asked about again every new year
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
        "ix_plans_run",
        "run_at",
        sqlite_where=text("status = 'planned'"),
        postgresql_where=text("status = 'planned'"),
    ),
    Index(  # whom every new year asks about again
        "ix_plans_recurs",
        "city",
        "subject_type",
        "subject_id",
        sqlite_where=text("recurs"),
        postgresql_where=text("recurs"),
    ),
    Index(  # claimed ones, and those that rest after a failure
        "ix_plans_lease",
        "lease_until",
        sqlite_where=text("lease_until is not null"),
        postgresql_where=text("lease_until is not null"),
    ),
    one_of("status", *PLAN_STATUSES),
)
