"""What leaves: messages to customers, tasks for staff with their evidence."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from keguan.store.schema.base import metadata, one_of
from keguan.store.types import BigKey, Instant, Json, Sealed, SealedJson

__all__ = [
    "MESSAGE_STATUSES",
    "TASK_STATUSES",
    "codes",
    "entry_log",
    "evidence",
    "form_entries",
    "messages",
    "receipts",
    "replies",
    "task_log",
    "tasks",
]

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
    Column("person_id", BigKey, ForeignKey("people.id"), index=True),  # empty: it goes to a department
    Column("department", Text),  # the department that a digest or a warning goes to
    Column("to_masked", Text),  # what it was sent to, as people may see it
    Column("template", Text),  # the plugin's template that it was rendered from
    Column("variables", SealedJson),  # [[name, text], …] in the template's order, for gateways that fill in themselves
    Column("title", Sealed, nullable=False, server_default=""),
    Column("body", Sealed, nullable=False),  # as rendered: what was promised is what leaves
    Column("html", Sealed),
    Column("attachments", SealedJson),
    Column("segments", Integer),
    Column("status", Text, nullable=False),
    Column("why", Text),  # the rule that holds or suppresses it
    Column("note", Text),  # the rule that was set aside when it left, such as quiet hours for what is urgent
    Column("due_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),  # when it is tried or judged next
    Column("expires_at", Instant),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("doubts", Integer, nullable=False, server_default="0"),  # how often nobody knew whether it had left
    Column("adapter", Text),  # the one that had it last
    Column("via", Text),  # the adapter it was handed on to; empty: the first of its channel
    Column("worker", Text),
    Column("lease_until", Instant),
    Column("started_at", Instant),  # handed to the adapter: from here on a crash means "in doubt"
    Column("sent_at", Instant),
    Column("delivered_at", Instant),  # by the receipt
    Column("provider_id", Text),  # the other side's own name for it
    Column("error", Text),
    Column("created_at", Instant, nullable=False),
    Index(  # what each adapter takes next
        "ix_messages_next",
        "channel",
        "via",
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
    Index(  # what receipts name
        "ix_messages_provider",
        "provider_id",
        sqlite_where=text("provider_id is not null"),
        postgresql_where=text("provider_id is not null"),
    ),
    Index(  # what the gateway can be asked about
        "ix_messages_in_doubt",
        "next_at",
        sqlite_where=text("status = 'in_doubt'"),
        postgresql_where=text("status = 'in_doubt'"),
    ),
    one_of("status", *MESSAGE_STATUSES),
)

receipts = Table(  # what gateways told of messages after they had left; those of unknown messages too
    "receipts",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("adapter", Text, nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("code", Text),  # the gateway's own word
    Column("at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("bounces", Boolean, nullable=False),  # the address does not exist
    Column("message_id", BigKey, ForeignKey("messages.id"), index=True),  # empty: nobody knows the message
    Column("applied", Boolean, nullable=False),  # not yet: the message is not known, or still being sent
    UniqueConstraint("adapter", "provider_id", "status", name="uq_receipts_once"),
    Index(
        "ix_receipts_waiting",
        "received_at",
        sqlite_where=text("not applied"),
        postgresql_where=text("not applied"),
    ),
    one_of("status", "delivered", "undelivered"),
)

replies = Table(  # what customers answered by SMS
    "replies",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("adapter", Text, nullable=False),
    Column("reply_id", Text, nullable=False),  # the gateway's number, else a digest of the reply
    Column("phone", Sealed, nullable=False),
    Column("text", Sealed, nullable=False),
    Column("person_id", BigKey, ForeignKey("people.id"), index=True),  # empty: nobody has that number
    Column("meaning", Text),  # opt_out, opt_in; empty: a person has to read it
    Column("at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("read_at", Instant),
    Column("read_by", Text),
    UniqueConstraint("adapter", "reply_id", name="uq_replies_once"),
)

codes = Table(  # short codes by which a customer opens a survey or a status page at a constant address
    "codes",
    metadata,
    Column("code", Text, primary_key=True),
    Column("purpose", Text, nullable=False),  # survey, status
    Column("key", Text, nullable=False, unique=True),  # one for each promise: asking again gives the same
    Column("person_id", BigKey, ForeignKey("people.id"), nullable=False, index=True),
    Column("subject_type", Text, nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
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
    Column("form", Text),  # PLUGIN.FORM that must be filled in before it can be done
    Column("latest_at", Instant),  # it cannot be postponed beyond
    Column("result", Text),
    Column("reason", Text),  # why it was skipped or postponed
    Column("postponed", Integer, nullable=False, server_default="0"),
    Column("escalated", Integer, nullable=False, server_default="0"),  # steps of the ladder climbed
    Column("created_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("closed_by", Text),
    Column("followed", Boolean, nullable=False, server_default=text("false")),  # what comes after it is planned
    Index("ix_tasks_open", "due_at", sqlite_where=text("status = 'open'"), postgresql_where=text("status = 'open'")),
    Index(  # what retention looks through
        "ix_tasks_closed",
        "closed_at",
        sqlite_where=text("closed_at is not null"),
        postgresql_where=text("closed_at is not null"),
    ),
    Index(  # the next that climbs each step of the ladder
        "ix_tasks_ladder",
        "city",
        "escalated",
        "due_at",
        sqlite_where=text("status = 'open'"),
        postgresql_where=text("status = 'open'"),
    ),
    Index(
        "ix_tasks_assignee",
        "assignee_id",
        sqlite_where=text("status = 'open' and assignee_id is not null"),
        postgresql_where=text("status = 'open' and assignee_id is not null"),
    ),
    Index(  # done, and what follows is not planned yet
        "ix_tasks_follow",
        "id",
        sqlite_where=text("status = 'done' and not followed"),
        postgresql_where=text("status = 'done' and not followed"),
    ),
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
    Column("media_type", Text),  # by content, not by name
    Column("original_sha256", Text),  # of the file as it came, when what is kept was made anew from it
    UniqueConstraint("task_id", "sha256"),
)

task_log = Table(  # what people did with a task beside closing it
    "task_log",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("task_id", BigKey, ForeignKey("tasks.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("reason", Text),
    Column("detail", Json),
    one_of("what", "assigned", "postponed", "skipped", "done", "escalated", "handed_over", "form"),
)

form_entries = Table(  # forms as people filled them in
    "form_entries",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("form", Text, nullable=False),  # PLUGIN.FORM
    Column("task_id", BigKey, ForeignKey("tasks.id"), index=True),
    Column("subject_type", Text, nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    Column("project_id", BigInteger),
    Column("city", Text, nullable=False),
    Column("answers", SealedJson, nullable=False),
    Column("lines", SealedJson, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("filled_at", Instant, nullable=False),
    Column("filled_by", Text, nullable=False),
    Column("removed_at", Instant),  # of a register's line that counts no longer
    Index("ix_form_entries_subject", "subject_type", "subject_id"),
    Index("ix_form_entries_filled", "filled_at"),
    UniqueConstraint("form", "task_id", name="uq_form_entries_task"),
)

entry_log = Table(  # what became of the lines of registers; nothing is ever changed or taken out here
    "entry_log",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("entry_id", BigKey, ForeignKey("form_entries.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("reason", Text),
    Column("answers", SealedJson, nullable=False),  # as they were from then on
    one_of("what", "added", "changed", "removed", "restored"),
)
