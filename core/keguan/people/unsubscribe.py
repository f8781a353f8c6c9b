"""Links by which a customer ends a kind of message with one click, without logging in (RFC 2369, RFC 8058)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from keguan.secret_files import make_secret, replace_secret

if TYPE_CHECKING:
    from itsdangerous import URLSafeSerializer

    from keguan.settings import Settings

__all__ = ["MAIL_SUBJECT", "Unsubscribe", "Wish", "unsubscribe_of"]

_SECRET = "secrets/KEGUAN_WEB__SECRET"  # noqa: S105 - the name of a file

MAIL_SUBJECT = "unsubscribe"
"""What the subject of a mail begins with that asks for the same; the token follows."""


class Wish(NamedTuple):
    """Who wants no more of what. Numbers, no names: a token can be read by whoever has it."""

    person: int
    channel: str
    message_class: str


@dataclass(frozen=True)
class Unsubscribe:
    """Makes and reads the links of one installation."""

    secret: str
    public_url: str | None = None
    """The installation's ``https://`` address, without a slash at its end."""
    mail: str | None = None

    def links(self, wish: Wish) -> tuple[str, ...]:
        """Return the addresses for ``List-Unsubscribe``: the one-click one first; none where there is no way back."""
        token = self.token(wish)
        found = []
        if self.public_url:
            found.append(f"{self.public_url}/u/{token}")
        if self.mail:
            found.append(f"mailto:{self.mail}?subject={quote(f'{MAIL_SUBJECT} {token}')}")
        return tuple(found)

    def token(self, wish: Wish) -> str:
        """Return the same token for the same wish, always: an old mail's link must go on working."""
        dumped = _serializer(self.secret).dumps([wish.person, wish.channel, wish.message_class])
        return dumped if isinstance(dumped, str) else dumped.decode("ascii")

    def read(self, token: str) -> Wish | None:
        """Return what a token asks for, ``None`` when it is not one of ours."""
        from itsdangerous import BadData  # noqa: PLC0415 - only the web needs it

        try:
            match _serializer(self.secret).loads(token):
                case [int(person), str(channel), str(message_class)]:
                    return Wish(person, channel, message_class)
        except BadData:
            pass
        return None


@lru_cache(maxsize=8)
def _serializer(secret: str) -> URLSafeSerializer:
    import hashlib  # noqa: PLC0415

    from itsdangerous import URLSafeSerializer  # noqa: PLC0415 - only mails with links need it

    return URLSafeSerializer(secret, salt="keguan.unsubscribe", signer_kwargs={"digest_method": hashlib.sha256})


def unsubscribe_of(settings: Settings) -> Unsubscribe | None:
    """Return what makes and reads links for opting out; ``None`` where the configuration offers no such way.

    Without a secret one is made and kept in ``secrets/``: links in old mails must go on working.
    """
    web = settings.web
    if web.public_url is None and web.unsubscribe_mail is None:
        return None
    secret = web.secret.get_secret_value() if web.secret else _kept_secret(settings)
    return Unsubscribe(secret, web.public_url, web.unsubscribe_mail)


def _kept_secret(settings: Settings) -> str:
    file = settings.path(_SECRET)
    kept = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
    if kept:
        return kept
    fresh = secrets.token_urlsafe(32) + "\n"
    if file.is_file():  # empty: whoever signs with nothing signs for everybody
        replace_secret(file, fresh)
    else:
        make_secret(file, fresh)
    return file.read_text(encoding="utf-8").strip()
