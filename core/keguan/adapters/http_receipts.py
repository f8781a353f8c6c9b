"""Reads receipts and replies as they are described, from answers to our requests and from calls of the gateway."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from keguan.adapters.base import Receipt, Reply
from keguan.adapters.http_judging import find, read_answer, word
from keguan.adapters.http_signing import digest
from keguan.adapters.http_template import Template, Values

if TYPE_CHECKING:
    from keguan.adapters.http_settings import CallbackSettings, ReceiptSettings, ReplySettings, ReturnSettings

__all__ = ["check_call", "fields_of_call", "read_items", "read_receipts", "read_replies"]

_MOBILE = re.compile(r"1[3-9]\d{9}")
_LOCAL = re.compile(r"(?:\+|00)?86(1[3-9]\d{9})")


def read_items(settings: ReturnSettings, content: Any) -> list[Mapping[str, Any]]:
    """Return the list that ``content`` holds; raises ``ValueError`` when there is neither list nor object."""
    found = find(content, settings.items)
    if found is None and isinstance(content, Mapping) and settings.items:
        return []  # gateways leave the list out when nothing has come
    listed = found if isinstance(found, list) else [found]
    if not all(isinstance(item, Mapping) for item in listed):
        raise ValueError("no list of objects")
    return listed


def read_receipts(settings: ReceiptSettings, items: list[Mapping[str, Any]], now: datetime) -> tuple[Receipt, ...]:
    """Return what ``items`` say about messages; one that names none, or says nothing final, is left out."""
    found = []
    for item in items:
        provider_id, status = word(find(item, settings.id)), word(find(item, settings.status))
        if not provider_id or status is None or status in settings.waiting:
            continue
        code = word(find(item, settings.code))
        delivered = status in settings.delivered
        found.append(
            Receipt(
                provider_id,
                "delivered" if delivered else "undelivered",
                _instant(settings, find(item, settings.at), now),
                code=(code or status)[:100],
                bounces=not delivered and (code in settings.bounces or status in settings.bounces),
                key=word(find(item, settings.key)),
            )
        )
    return tuple(found)


def read_replies(settings: ReplySettings, items: list[Mapping[str, Any]], now: datetime) -> tuple[Reply, ...]:
    """Return what people wrote; mainland numbers become E.164."""
    found = []
    for item in items:
        address, said = word(find(item, settings.address)), word(find(item, settings.text))
        if not address or said is None:
            continue
        at = _instant(settings, find(item, settings.at), now)
        found.append(Reply(_e164(address), said, at, word(find(item, settings.id))))
    return tuple(found)


def fields_of_call(settings: ReturnSettings, query: Mapping[str, str], body: bytes, encoding: str) -> Any:
    """Return what a call says; raises ``ValueError`` for nonsense."""
    if settings.format == "json":
        content = read_answer("json", body, encoding)
        if content is None:
            raise ValueError("no JSON")
        return content
    return dict(query) | _form(body, encoding)


def check_call(
    settings: CallbackSettings,
    fixed: Mapping[str, str],
    headers: Mapping[str, str],
    query: Mapping[str, str],
    body: bytes,
    encoding: str,
    now: datetime,
) -> None:
    """Raise ``PermissionError`` unless the call proves itself as described."""
    inside = _inside(query, body, encoding)
    proof: object = {"header": headers.get(settings.name.lower()), "query": query.get(settings.name)}.get(
        settings.where, inside.get(settings.name)
    )
    values = Values(now, ZoneInfo("UTC"), {**fixed, **{f"field.{name}": value for name, value in inside.items()}})
    values.put("body", body.decode(encoding, "surrogateescape"))
    try:
        key = Template(settings.key).text(values)
        wanted = key
        if settings.scheme != "token":
            signed = Template(settings.over).text(values).encode(encoding, "surrogateescape")
            wanted = digest(settings, key.encode(), signed)
    except (LookupError, UnicodeError):
        raise PermissionError("a field that the signature covers is missing") from None
    given = proof if isinstance(proof, str) else ""
    if settings.scheme != "token" and settings.output != "base64":
        given, wanted = given.lower(), wanted.lower()
    if not hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode()):
        raise PermissionError("the call does not prove where it comes from")


def _inside(query: Mapping[str, str], body: bytes, encoding: str) -> dict[str, str]:
    """Return the single values of a call, whatever its format, for the signature."""
    content = read_answer("json", body, encoding)
    if isinstance(content, Mapping):
        named = {str(name): word(value) for name, value in content.items()}
        return dict(query) | {name: value for name, value in named.items() if value is not None}
    return dict(query) | _form(body, encoding)


def _form(body: bytes, encoding: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, encoding=encoding, max_num_fields=1000)
    except ValueError:
        return {}
    return dict(pairs)


def _instant(settings: ReturnSettings, value: Any, now: datetime) -> datetime:
    """Return when something happened; ``now`` where the gateway does not say, or not in the described way."""
    said = word(value)
    if not said:
        return now
    try:
        if settings.time in ("seconds", "ms"):
            return datetime.fromtimestamp(float(said) / (1000 if settings.time == "ms" else 1), UTC)
        at = datetime.fromisoformat(said) if settings.time == "iso" else datetime.strptime(said, settings.time)  # noqa: DTZ007 - the zone comes below
        return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(settings.zone))).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return now


def _e164(address: str) -> str:
    if _MOBILE.fullmatch(address):
        return f"+86{address}"
    found = _LOCAL.fullmatch(address)
    return f"+86{found[1]}" if found else address
