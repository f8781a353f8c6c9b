"""Delivery and daily operation: sealed values with blind indexes, gateways, receipts, staff's day, forms.

Values that stood in clear text stay readable and are sealed by ``keguan privacy rotate``, in batches: one
transaction over millions of people would stop everything else.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "core_0002"
down_revision = "core_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _people()
    _messages()
    _tasks()
    _installation()


def _index(table: str, name: str, *columns: str, where: str | None = None) -> None:
    condition = sa.text(where) if where else None
    op.create_index(name, table, [*columns], unique=False, sqlite_where=condition, postgresql_where=condition)


def _people() -> None:
    op.drop_index("ix_people_phone", "people")
    op.drop_index("ix_people_id_no", "people")
    with op.batch_alter_table("people") as people:
        for name in ("name_index", "phone_index", "email_index", "id_no_index"):
            people.add_column(sa.Column(name, sa.Text(), nullable=True))
        people.alter_column(
            "birthday",
            existing_type=sa.Date(),
            type_=sa.Text(),
            existing_nullable=True,
            postgresql_using="to_char(birthday, 'YYYY-MM-DD')",
        )
    # In clear, as the values are until they are sealed, so that everybody is found meanwhile.
    op.execute("UPDATE people SET name_index = name, phone_index = phone, email_index = email, id_no_index = id_no")
    for name in ("name_index", "phone_index", "email_index", "id_no_index"):
        _index("people", f"ix_people_{name}", name)
    _index("owners", "ix_owners_until", "until", where="until is not null")
    op.create_table(
        "absences",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("staff_id", BIG_KEY, nullable=False),
        sa.Column("deputy_id", BIG_KEY, nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_absences_staff_id")),
        sa.ForeignKeyConstraint(["deputy_id"], ["staff.id"], name=op.f("fk_absences_deputy_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    _index("absences", "ix_absences_staff_id", "staff_id")
    op.create_table(
        "suppressions",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address_index", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=True),
        sa.Column("lifted_at", sa.BigInteger(), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppressions")),
        sa.UniqueConstraint("channel", "address_index", name=op.f("uq_suppressions_channel_address_index")),
    )
    op.create_table(
        "permission_log",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("person_id", BIG_KEY, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("message_class", sa.Text(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_permission_log_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permission_log")),
    )
    _index("permission_log", "ix_permission_log_person_id", "person_id")
    op.execute(  # what people allow already is proof as well
        "INSERT INTO permission_log (person_id, channel, message_class, granted, at, source) "
        "SELECT person_id, channel, message_class, granted, at, source FROM permissions ORDER BY id"
    )


def _messages() -> None:
    with op.batch_alter_table("messages") as messages:
        messages.alter_column("person_id", existing_type=BIG_KEY, nullable=True)
        messages.add_column(sa.Column("department", sa.Text(), nullable=True))
        messages.add_column(sa.Column("template", sa.Text(), nullable=True))
        messages.add_column(sa.Column("variables", sa.Text(), nullable=True))
        messages.add_column(sa.Column("via", sa.Text(), nullable=True))
        messages.add_column(sa.Column("note", sa.Text(), nullable=True))
        messages.add_column(sa.Column("delivered_at", sa.BigInteger(), nullable=True))
    op.drop_index("ix_messages_next", "messages")
    _index("messages", "ix_messages_next", "channel", "via", "next_at", where="status in ('queued', 'held')")
    _index("messages", "ix_messages_provider", "provider_id", where="provider_id is not null")
    _index("messages", "ix_messages_in_doubt", "next_at", where="status = 'in_doubt'")
    op.create_table(
        "receipts",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("adapter", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("bounces", sa.Boolean(), nullable=False),
        sa.Column("message_id", BIG_KEY, nullable=True),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.CheckConstraint("status in ('delivered', 'undelivered')", name=op.f("ck_receipts_status")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_receipts_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("adapter", "provider_id", "status", name="uq_receipts_once"),
    )
    _index("receipts", "ix_receipts_message_id", "message_id")
    _index("receipts", "ix_receipts_waiting", "received_at", where="not applied")
    op.create_table(
        "replies",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("adapter", sa.Text(), nullable=False),
        sa.Column("reply_id", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("person_id", BIG_KEY, nullable=True),
        sa.Column("meaning", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("read_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_replies_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replies")),
        sa.UniqueConstraint("adapter", "reply_id", name="uq_replies_once"),
    )
    _index("replies", "ix_replies_person_id", "person_id")
    op.create_table(
        "codes",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("person_id", BIG_KEY, nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_codes_person_id")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_codes")),
        sa.UniqueConstraint("key", name=op.f("uq_codes_key")),
    )
    _index("codes", "ix_codes_person_id", "person_id")


def _tasks() -> None:
    op.add_column("tasks", sa.Column("form", sa.Text(), nullable=True))
    op.add_column("tasks", sa.Column("escalated", sa.Integer(), server_default="0", nullable=False))
    _index("tasks", "ix_tasks_ladder", "city", "escalated", "due_at", where="status = 'open'")
    _index("tasks", "ix_tasks_assignee", "assignee_id", where="status = 'open' and assignee_id is not null")
    op.add_column("evidence", sa.Column("media_type", sa.Text(), nullable=True))
    op.add_column("evidence", sa.Column("original_sha256", sa.Text(), nullable=True))
    op.create_table(
        "task_log",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("task_id", BIG_KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "what in ('assigned', 'postponed', 'skipped', 'done', 'escalated', 'handed_over', 'form')",
            name=op.f("ck_task_log_what"),
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_log_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_log")),
    )
    _index("task_log", "ix_task_log_task_id", "task_id")
    op.create_table(
        "form_entries",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("task_id", BIG_KEY, nullable=True),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=True),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("filled_at", sa.BigInteger(), nullable=False),
        sa.Column("filled_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_form_entries_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_entries")),
        sa.UniqueConstraint("form", "task_id", name="uq_form_entries_task"),
    )
    _index("form_entries", "ix_form_entries_task_id", "task_id")
    _index("form_entries", "ix_form_entries_subject", "subject_type", "subject_id")
    _index("form_entries", "ix_form_entries_filled", "filled_at")
    _index("tasks", "ix_tasks_closed", "closed_at", where="closed_at is not null")


def _installation() -> None:
    op.add_column("imports", sa.Column("source", sa.Text(), server_default="command", nullable=False))
    op.add_column("imports", sa.Column("sha256", sa.Text(), nullable=True))
    op.create_table(
        "mails",
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("mailbox", "uid_validity", "uid", name=op.f("pk_mails")),
    )
    op.create_table(
        "mornings",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("city", "day", name=op.f("pk_mornings")),
    )
    op.create_table(
        "gateways",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("paused_until", sa.BigInteger(), nullable=True),
        sa.Column("paused_by", sa.Text(), nullable=True),
        sa.Column("last_sent_at", sa.BigInteger(), nullable=True),
        sa.Column("last_error_at", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("polled_at", sa.BigInteger(), nullable=True),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_gateways")),
    )
    op.create_table(
        "keys",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("first_used_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_keys")),
    )
    op.create_table(
        "privacy_log",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_log")),
    )


def downgrade() -> None:
    raise RuntimeError("values may be sealed by now: restore a backup instead")
