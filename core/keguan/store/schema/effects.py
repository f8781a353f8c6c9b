"""What leaves: messages to customers, tasks for staff with their evidence."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from keguan.store.schema.base import metadata, one_of
from keguan.store.types import BigKey, Instant, Json

__all__ = ["MESSAGE_STATUSES", "TASK_STATUSES", "evidence", "messages", "tasks"]

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
    one_of("status", *MESSAGE_STATUSES),
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
    one_of("status", *TASK_STATUSES),
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
