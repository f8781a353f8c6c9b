"""The current state: projects, homes, people, contracts, owners, staff. Personal values stand in ``people`` only."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from keguan.store.schema.base import metadata, one_of
from keguan.store.types import BigKey, Instant, Sealed, SealedDate, blind_index

__all__ = [
    "absences",
    "branches",
    "contracts",
    "departments",
    "homes",
    "owners",
    "people",
    "permission_log",
    "permissions",
    "projects",
    "staff",
    "suppressions",
]

projects = Table(
    "projects",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("city", Text, nullable=False),
    Column("first_show_on", Date),
    Column("launch_on", Date),
    Column("area", Float),
    Column("planned_handover_on", Date),
    Column("handed_over_on", Date),
    Column("fitting", Text),
    Column("stated", Text, nullable=False, server_default=""),  # which of these three a person stated, comma-separated
    Column("version", Integer, nullable=False, server_default="1"),
)

branches = Table(  # the company in each city, so that promises can be about it
    "branches",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("city", Text, nullable=False, unique=True),
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
    Column("name", Sealed),
    Column("phone", Sealed),  # E.164
    Column("email", Sealed),
    Column("id_no", Sealed),
    Column("birthday", SealedDate),
    Column("lunar", Boolean, nullable=False, server_default=text("false")),  # celebrated by the lunar calendar
    # Blind indexes: a keyed digest of the value, by which it is found again without being readable.
    Column("name_index", Text, index=True, default=blind_index("name")),
    Column("phone_index", Text, index=True, default=blind_index("phone")),
    Column("email_index", Text, index=True, default=blind_index("email")),
    Column("id_no_index", Text, index=True, default=blind_index("id_no")),
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

permission_log = Table(  # every answer there was: proof of consent outlives the answer that replaced it
    "permission_log",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("person_id", BigKey, ForeignKey("people.id"), nullable=False, index=True),
    Column("channel", Text, nullable=False),
    Column("message_class", Text, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
    Column("source", Text, nullable=False),  # how we know
    Column("who", Text),  # who entered it; empty: the customer's own reply or click
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
    Index(  # who may own nothing any more
        "ix_owners_until",
        "until",
        sqlite_where=text("until is not null"),
        postgresql_where=text("until is not null"),
    ),
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

absences = Table(  # who is away, and who stands in from the first to the last day
    "absences",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("staff_id", BigKey, ForeignKey("staff.id"), nullable=False, index=True),
    Column("deputy_id", BigKey, ForeignKey("staff.id"), nullable=False),
    Column("from_on", Date, nullable=False),
    Column("until_on", Date, nullable=False),  # the last day, included
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
)

suppressions = Table(  # addresses that nothing is sent to any more: they bounced, or do not exist
    "suppressions",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("address_index", Text, nullable=False),  # as in people: the blind index of the address
    Column("why", Text, nullable=False),  # a catalogue key
    Column("detail", Text),
    Column("at", Instant, nullable=False),
    Column("until_at", Instant),  # empty: until a person lifts it
    Column("lifted_at", Instant),
    Column("lifted_by", Text),
    Column("lifted_why", Text),
    UniqueConstraint("channel", "address_index"),
)
