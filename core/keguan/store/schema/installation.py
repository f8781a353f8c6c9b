"""What the installation knows of itself: plugins, scopes, daemons, calendar, imports, accesses."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, Table, Text

from keguan.store.schema.base import metadata
from keguan.store.types import BigKey, Instant, Json

__all__ = [
    "accesses",
    "calendar_days",
    "calendar_years",
    "daemons",
    "gateways",
    "imports",
    "keys",
    "mails",
    "mornings",
    "pins",
    "plugins",
    "privacy_log",
    "scopes",
    "turns",
]

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
    Column("source", Text, nullable=False, server_default="command"),  # command, folder, or mail
    Column("sha256", Text),  # of the file that was put into the drop folder or attached to a mail
)

mails = Table(  # mails of an import mailbox that were looked at, so that each is taken once
    "mails",
    metadata,
    Column("mailbox", Text, primary_key=True),
    Column("uid_validity", BigInteger, primary_key=True),
    Column("uid", BigInteger, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("outcome", Text, nullable=False),  # imported, heard, refused, empty
    Column("detail", Text),
)

mornings = Table(  # working days whose digests were written, empty ones that were not sent included
    "mornings",
    metadata,
    Column("city", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("at", Instant, nullable=False),
)

gateways = Table(  # how each adapter fares, for `status`, `doctor` and the next daemon
    "gateways",
    metadata,
    Column("name", Text, primary_key=True),
    Column("paused_until", Instant),
    Column("paused_by", Text),  # limit; or configuration, which the next process tries at once
    Column("last_sent_at", Instant),
    Column("last_error_at", Instant),
    Column("last_error", Text),
    Column("polled_at", Instant),
    Column("cursor", Json),  # where polling receipts and replies goes on
)

keys = Table(  # which keys this database was sealed with; the keys themselves never stand here
    "keys",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("first_used_at", Instant, nullable=False),
    Column("retired_at", Instant),  # nothing is sealed with it any more
)

privacy_log = Table(  # what was asked about people and what retention took away: counts, no values
    "privacy_log",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),  # export, erase, purge, rotate
    Column("person_id", BigInteger),
    Column("counts", Json, nullable=False),
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

turns = Table(  # the year that recurring promises of each city were last wanted from
    "turns",
    metadata,
    Column("city", Text, primary_key=True),
    Column("year", Integer, nullable=False),
    Column("at", Instant, nullable=False),
)

pins = Table(  # what stays as it was when something began: plugins' values, by project and day
    "pins",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("plugin", Text, nullable=False, index=True),
    Column("project", Text, nullable=False),  # empty: all that are not named
    Column("since", Date, nullable=False),
    Column("value", Text),  # empty: the project is not named any more
    Column("moved", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
)
