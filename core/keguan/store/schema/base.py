"""What all tables share: one metadata, names for constraints, words for states."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, MetaData

__all__ = ["metadata", "one_of"]

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


def one_of(column: str, *values: str) -> CheckConstraint:
    """Limit a status column to its words."""
    return CheckConstraint(f"{column} in ({', '.join(repr(v) for v in values)})", name=column)
