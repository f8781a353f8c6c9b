"""The current state: projects, homes, people, contracts, owners, staff. Personal values stand in ``people`` only."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Float, ForeignKey, Integer, Table, Text, UniqueConstraint

from keguan.store.schema.base import metadata, one_of
from keguan.store.types import BigKey, Instant

__all__ = ["contracts", "departments", "homes", "owners", "people", "permissions", "projects", "staff"]

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
    one_of("status", "reserved", "signed", "cancelled", "transferred"),
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
