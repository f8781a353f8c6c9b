"""The whole journey: promises per project, per company and per year, what editions pin, registers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "core_0003"
down_revision = "core_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _plans()
    _tasks()
    _records()
    _registers()
    _installation()


def _plans() -> None:
    op.drop_index("ix_plans_due", "plans")
    op.add_column("plans", sa.Column("run_at", sa.BigInteger(), nullable=True))
    op.add_column("plans", sa.Column("recurs", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.execute("UPDATE plans SET run_at = due_at")
    with op.batch_alter_table("plans") as plans:
        plans.alter_column("run_at", existing_type=sa.BigInteger(), nullable=False)
    planned, recurs = sa.text("status = 'planned'"), sa.text("recurs")
    op.create_index("ix_plans_run", "plans", ["run_at"], sqlite_where=planned, postgresql_where=planned)
    op.create_index(
        "ix_plans_recurs",
        "plans",
        ["city", "subject_type", "subject_id"],
        sqlite_where=recurs,
        postgresql_where=recurs,
    )


def _tasks() -> None:
    op.add_column("tasks", sa.Column("latest_at", sa.BigInteger(), nullable=True))
    op.add_column("tasks", sa.Column("followed", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.execute("UPDATE tasks SET followed = true WHERE status = 'done'")  # nothing followed on tasks until now
    waiting = sa.text("status = 'done' and not followed")
    op.create_index("ix_tasks_follow", "tasks", ["id"], sqlite_where=waiting, postgresql_where=waiting)


def _records() -> None:
    op.add_column("projects", sa.Column("planned_handover_on", sa.Date(), nullable=True))
    op.add_column("projects", sa.Column("handed_over_on", sa.Date(), nullable=True))
    op.add_column("projects", sa.Column("fitting", sa.Text(), nullable=True))
    op.add_column("projects", sa.Column("stated", sa.Text(), nullable=False, server_default=""))
    _derive_project_facts()
    op.add_column("people", sa.Column("lunar", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.create_table(
        "branches",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_branches")),
        sa.UniqueConstraint("city", name=op.f("uq_branches_city")),
    )


def _derive_project_facts() -> None:
    """Fill in what follows from contracts and homes; intake keeps it up from here on, by what changes."""
    op.execute(
        "UPDATE projects SET planned_handover_on = (SELECT min(c.planned_handover_on) FROM contracts c"
        " WHERE c.project_id = projects.id AND c.status IN ('reserved', 'signed'))"
    )
    for fact, best in (("handed_over_on", "min"), ("fitting", "max")):  # `fitted` comes after `bare`
        op.execute(
            f"UPDATE projects SET {fact} ="  # noqa: S608 - names of our own schema
            f" (SELECT {best}(h.{fact}) FROM homes h WHERE h.project_id = projects.id)"
        )


def _registers() -> None:
    op.add_column("form_entries", sa.Column("removed_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "entry_log",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("entry_id", BIG_KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.CheckConstraint("what in ('added', 'changed', 'removed', 'restored')", name=op.f("ck_entry_log_what")),
        sa.ForeignKeyConstraint(["entry_id"], ["form_entries.id"], name=op.f("fk_entry_log_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry_log")),
    )
    op.create_index("ix_entry_log_entry_id", "entry_log", ["entry_id"])


def _installation() -> None:
    op.create_table(
        "turns",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("city", name=op.f("pk_turns")),
    )
    op.create_table(
        "pins",
        sa.Column("id", BIG_KEY, nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("moved", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pins")),
    )
    op.create_index("ix_pins_plugin", "pins", ["plugin"])
