"""Opening a database with its keys: which ones there are, whether they fit, and the first one of a new database."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from keguan.errors import ConfigError, DatabaseError
from keguan.sealing.keyfile import KEYS_FILE, make_keys
from keguan.sealing.keys import Key, KeyMistake, parse_keys
from keguan.sealing.ring import KeyRing
from keguan.store.schema import keys

if TYPE_CHECKING:
    from keguan.settings import Settings
    from keguan.store.engine import Store

__all__ = ["check_keys", "fit_keys", "load_ring"]

_k = keys.c


def load_ring(settings: Settings) -> KeyRing:
    """Return the keys of the environment and of the file; touches no database and makes nothing.

    Raises ``ConfigError`` when the file holds something that is no key, ``DatabaseError`` when it cannot be read.
    """
    file = settings.path(str(KEYS_FILE))
    given = parse_keys(settings.privacy.keys.get_secret_value())
    listed: list[Key] = []
    try:
        listed = parse_keys(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise DatabaseError("privacy.keys_unreadable", file=file, problem=error.strerror or "?") from error
    except (UnicodeDecodeError, KeyMistake) as error:
        line = error.args[0] if isinstance(error, KeyMistake) else 1
        raise ConfigError("privacy.keys_mistake", file=file, line=line) from None
    return KeyRing((*given, *listed), encrypt=settings.privacy.encrypt, file=file, given=given)


def check_keys(store: Store) -> dict[str, datetime | None]:
    """Return the keys that ``store`` was ever sealed with, and since when nothing hangs on them any more.

    Raises ``DatabaseError`` when one is missing that values may be sealed with. Writes nothing.
    """
    ring = store.ring
    with store.read() as connection:
        known = {row.fingerprint: row.retired_at for row in connection.execute(select(keys))}
    needed = {fingerprint for fingerprint, retired_at in known.items() if retired_at is None}
    missing = sorted(needed - set(ring.fingerprints))
    if missing:
        key = "privacy.key_wrong" if ring.fingerprints else "privacy.key_missing"
        raise DatabaseError(key, keys=", ".join(missing), file=ring.file or "–")
    return known


def fit_keys(store: Store, now: datetime, today: date | None = None) -> None:
    """Make sure that the keys of ``store`` open what it holds; note the one that seals from now on.

    A database that was never sealed gets its first key, if there is none. Raises ``DatabaseError`` and writes
    nothing when a key is missing that values may be sealed with.
    """
    known = check_keys(store)
    ring = store.ring
    if not ring.encrypts:
        return
    if ring.newest is None:
        if ring.file is None:
            raise DatabaseError("privacy.no_key")
        make_keys(ring.file, today or now.date())
        ring.refresh()
    newest = ring.newest
    if newest is None:
        raise DatabaseError("privacy.no_key")
    if newest.fingerprint in known and known[newest.fingerprint] is None:
        return
    with store.write() as connection:
        if newest.fingerprint in known:  # somebody put it first again
            connection.execute(update(keys).where(_k.fingerprint == newest.fingerprint).values(retired_at=None))
            return
        seen = select(_k.fingerprint).where(_k.fingerprint == newest.fingerprint)
        if connection.execute(seen).first() is None:
            connection.execute(insert(keys).values(fingerprint=newest.fingerprint, first_used_at=now))
