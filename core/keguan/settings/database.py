"""``[database]``: where promises are kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, SecretStr

from keguan.settings.section import Section
from keguan.settings.values import mistake

__all__ = ["DatabaseSettings"]


def _database_url(value: SecretStr) -> SecretStr:
    # Only the scheme is shown: the rest may hold a password.
    url = value.get_secret_value()
    scheme, mark, rest = url.partition("://")
    if not mark or scheme.partition("+")[0] not in ("sqlite", "postgresql"):
        raise mistake("config.database_url", value=scheme if mark else "…")
    if scheme.startswith("sqlite") and (not rest.startswith("/") or rest in ("/", "/:memory:")):
        raise mistake("config.database_file", value=scheme)
    return value


DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]


class DatabaseSettings(Section):
    """``[database]``: where promises are kept. The URL may hold a password, so it is a secret."""

    url: DatabaseUrl = SecretStr("sqlite:///var/keguan.db")
    rehearsal_url: DatabaseUrl | None = None
    """Where ``--at`` works; needed with PostgreSQL only."""
