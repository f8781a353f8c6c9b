"""The placeholders of a gateway's description: ``{phone:national}``, ``{account.user}``, ``{timestamp:ms}``.

A placeholder names a value and perhaps a form of it, and nothing else: no expressions, no calls, so there is
nothing to break out of. Whoever puts a value into a body, an address or a header escapes it for that place.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from keguan.settings.values import mistake

if TYPE_CHECKING:
    from keguan.adapters.base import OutgoingMessage

__all__ = ["GENERAL", "INQUIRY", "MESSAGE", "SIGNING", "Absent", "Template", "Values", "as_text"]

GENERAL: Final = frozenset({"timestamp", "nonce", "sign"})
"""What every request may name, beside ``account.…`` and ``secret.…``."""
MESSAGE: Final = GENERAL | {"phone", "text", "signature", "key", "template_id", "variables", "class"}
INQUIRY: Final = MESSAGE | {"provider_id", "started_at"}
SIGNING: Final = frozenset({"sorted", "body"})
"""What only the text that is signed may name."""

_PLACE = re.compile(r"\{\{|\}\}|\{([a-z_]+(?:\.[A-Za-z0-9_-]+)?)(?::([^{}]+))?\}|[{}]")
_SIGNATURE = re.compile(r"【([^】]*)】")
_FORMS: Mapping[str, frozenset[str]] = {
    "phone": frozenset({"e164", "national", "plain"}),
    "text": frozenset({"unsigned"}),
    "key": frozenset({"md5"}),
    "variables": frozenset({"object", "list", "json", "json_list", "joined"}),
}
_TIMES: Final = frozenset({"timestamp", "started_at"})
_TIME_FORMS: Final = frozenset({"seconds", "ms", "number", "ms_number"})


class Absent(LookupError):
    """A value that the description names is not there; ``args[0]`` is the placeholder's name, never a value."""


class Values:
    """The values of one request; each is the same wherever the request names it.

    Args:
        now: aware; what ``{timestamp}`` says.
        zone: in which zone written-out times stand.
        fixed: ``account.…`` and ``secret.…`` by their full name.
        message: what is sent or asked about.
        separator: what stands between joined variables.
        more: further values of this kind of request, such as ``cursor``.
    """

    __slots__ = ("_fixed", "_message", "_more", "_now", "_separator", "_zone")

    def __init__(
        self,
        now: datetime,
        zone: ZoneInfo,
        fixed: Mapping[str, str],
        *,
        message: OutgoingMessage | None = None,
        separator: str = ",",
        more: Mapping[str, object] | None = None,
    ) -> None:
        self._now, self._zone, self._fixed = now, zone, fixed
        self._message, self._separator = message, separator
        self._more: dict[str, object] = dict(more or {})

    def put(self, name: str, value: object) -> None:
        """Make ``value`` known as ``name`` to the placeholders that are filled from now on."""
        self._more[name] = value

    def get(self, name: str, form: str) -> object:
        """Return the value of ``{name:form}``; raises ``Absent`` when this request has none."""
        if name in self._more:
            return self._more[name]
        if "." in name:
            return self._fixed[name]
        if name == "timestamp":
            return _time(self._now, form, self._zone)
        if name == "nonce":
            self._more["nonce"] = nonce = secrets.token_hex(16)
            return nonce
        message = self._message
        if message is None:
            raise Absent(name)
        value = _OF_MESSAGE[name](message, form, self)
        if value is None:
            raise Absent(name)
        return value

    def variables(self, message: OutgoingMessage, form: str) -> object:
        """Return the variables of the gateway's template as object, list, JSON text or joined text."""
        pairs = message.variables
        if form == "list":
            return [value for _, value in pairs]
        if form == "json_list":
            return json.dumps([value for _, value in pairs], ensure_ascii=False)
        if form == "joined":
            # A separator inside a value would shift every later one.
            return self._separator.join(value.replace(self._separator, " ") for _, value in pairs)
        if form == "json":
            return json.dumps(dict(pairs), ensure_ascii=False)
        return dict(pairs)

    def started(self, message: OutgoingMessage, form: str) -> object:
        """Return when the message that is asked about was handed over."""
        return None if message.started_at is None else _time(message.started_at, form, self._zone)

    def __repr__(self) -> str:
        """Say nothing: among the values are people and secrets."""
        return "<values>"


def _time(at: datetime, form: str, zone: ZoneInfo) -> object:
    if form in ("", "seconds"):
        return str(int(at.timestamp()))
    if form == "ms":
        return str(int(at.timestamp() * 1000))
    if form == "number":
        return int(at.timestamp())
    if form == "ms_number":
        return int(at.timestamp() * 1000)
    return at.astimezone(zone).strftime(form)


def _phone(message: OutgoingMessage, form: str, _values: Values) -> str:
    number = message.to_address
    if form == "national":
        # Mainland gateways take eleven digits, and foreign numbers the way they are dialled from there.
        return number[3:] if number.startswith("+86") else number.replace("+", "00", 1)
    return number.removeprefix("+") if form == "plain" else number


def _text(message: OutgoingMessage, form: str, _values: Values) -> str:
    found = _SIGNATURE.match(message.text) if form == "unsigned" else None
    return message.text[found.end() :] if found else message.text


def _signature(message: OutgoingMessage, _form: str, _values: Values) -> str | None:
    found = _SIGNATURE.match(message.text)
    return found[1] if found else None


def _key(message: OutgoingMessage, form: str, _values: Values) -> str:
    return hashlib.md5(message.key.encode(), usedforsecurity=False).hexdigest() if form == "md5" else message.key


_OF_MESSAGE: Mapping[str, Callable[[OutgoingMessage, str, Values], object]] = {
    "phone": _phone,
    "text": _text,
    "signature": _signature,
    "key": _key,
    "class": lambda message, _form, _values: message.message_class,
    "template_id": lambda message, _form, _values: message.template_id,
    "provider_id": lambda message, _form, _values: message.provider_id,
    "variables": lambda message, form, values: values.variables(message, form),
    "started_at": lambda message, form, values: values.started(message, form),
}


class Template:
    """A text with placeholders. ``{{`` and ``}}`` stand for the braces themselves.

    Raises pydantic's custom error for a brace or a form that means nothing.
    """

    __slots__ = ("_parts", "names")

    def __init__(self, source: str) -> None:
        self._parts: list[str | tuple[str, str]] = []
        end = 0
        for found in _PLACE.finditer(source):
            self._parts.append(source[end : found.start()])
            end = found.end()
            if found[1]:
                self._parts.append((found[1], _checked_form(found[1], found[2] or "")))
            elif found[0] in ("{{", "}}"):
                self._parts.append(found[0][0])
            else:
                raise mistake("config.http_brace", column=found.start() + 1)
        self._parts.append(source[end:])
        self._parts = [part for part in self._parts if part]
        self.names = frozenset(part[0] for part in self._parts if isinstance(part, tuple))
        """The names of the values it needs."""

    def value(self, values: Values) -> object:
        """Return what stands here: the value itself, whatever its type, when there is but one placeholder."""
        if len(self._parts) == 1 and isinstance(self._parts[0], tuple):
            return values.get(*self._parts[0])
        return self.text(values)

    def text(self, values: Values, escape: Callable[[str], str] = str) -> str:
        """Return the text with every placeholder filled, each value (and no other part) through ``escape``."""
        return "".join(part if isinstance(part, str) else escape(as_text(values.get(*part))) for part in self._parts)


def as_text(value: object) -> str:
    """Return ``value`` as it is written where only text can stand; structures become compact JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _checked_form(name: str, form: str) -> str:
    if name in _TIMES:
        if form and form not in _TIME_FORMS and "%" not in form:
            raise mistake("config.http_form", name=name, form=form, forms=", ".join(sorted(_TIME_FORMS)) + ", %Y…")
    elif form and form not in _FORMS.get(name, frozenset()):
        raise mistake("config.http_form", name=name, form=form, forms=", ".join(sorted(_FORMS.get(name, ()))) or "–")
    return form
