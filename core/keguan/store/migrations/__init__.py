"""Alembic migrations of the core's tables."""
