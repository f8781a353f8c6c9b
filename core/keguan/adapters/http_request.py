"""Turns a described request and its values into the bytes that leave, each value escaped for where it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from xml.sax.saxutils import escape as escape_xml

from keguan.adapters.http_request_settings import RequestSettings, templates_in
from keguan.adapters.http_signing import Signer
from keguan.adapters.http_template import Template, Values

__all__ = ["Origin", "Request", "RequestPlan", "origin_of"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TYPES = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "xml": "text/xml",
    "text": "text/plain",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request goes."""

    tls: bool
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Request:
    """One request, ready to leave."""

    origin: Origin
    target: str = field(repr=False)
    head: bytes = field(repr=False)
    """Everything after the first line, up to the empty one."""
    body: bytes = field(repr=False)
    method: str = "POST"


def origin_of(url: str) -> Origin:
    """Return host and port of a checked ``url``."""
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    return Origin(tls, parts.hostname or "", parts.port or (443 if tls else 80))


class RequestPlan:
    """One described request, taken apart once and filled for each message."""

    def __init__(self, settings: RequestSettings) -> None:
        parts = urlsplit(settings.url)
        self.origin = origin_of(settings.url)
        self.needs = settings.named()
        self._method = settings.method
        self._encoding = settings.encoding
        self._format = settings.format
        self._path = Template(parts.path or "/")
        self._fixed_query = parts.query
        self._query = {name: _Part(source, text=True) for name, source in settings.query.items()}
        self._fields: dict[str, _Part] = {}
        self._whole: Template | None = None
        if isinstance(settings.body, Mapping):
            self._fields = {
                str(name): _Part(value, text=settings.format == "form") for name, value in settings.body.items()
            }
        elif isinstance(settings.body, str):
            self._whole = Template(settings.body)
        self._has_body = settings.body is not None
        self._signer = Signer(settings.sign, settings.encoding) if settings.sign else None
        headers = {"User-Agent": "keguan", "Accept": "*/*", "Accept-Encoding": "identity"}
        if self._has_body:
            headers["Content-Type"] = f"{_TYPES[settings.format]}; charset={settings.encoding}"
        ours = {name.lower(): name for name in headers}
        for name, value in settings.headers.items():
            headers.pop(ours.get(name.lower(), ""), None)
            headers[name] = value
        port = "" if self.origin.port == (443 if self.origin.tls else 80) else f":{self.origin.port}"
        host = f"[{self.origin.host}]" if ":" in self.origin.host else self.origin.host
        self._host = f"Host: {host}{port}\r\n"
        self._headers = [(name, Template(value)) for name, value in headers.items()]
        self._fixed_head = self._host + "".join(f"{n}: {v}\r\n" for n, v in headers.items()) if self._is_fixed() else ""

    def _is_fixed(self) -> bool:
        return not any(template.names for _, template in self._headers)

    def build(self, values: Values) -> Request:
        """Return the request for ``values``.

        Raises ``Absent`` for a value that is not there, ``UnicodeEncodeError`` for text that the gateway's
        encoding does not have.
        """
        filled: dict[str, Any] = {}
        asked: dict[str, str] = {}
        authorization = None
        if self._signer is not None:
            asked |= {name: part.fill(values) for name, part in self._query.items() if not part.signed}
            filled |= {name: part.fill(values) for name, part in self._fields.items() if not part.signed}
            authorization = self._signer.sign(values, asked | filled, lambda: self._body(values, filled))
        for name, part in self._query.items():
            if name not in asked:
                asked[name] = part.fill(values)
        body = self._body(values, filled)
        return Request(self.origin, self._target(values, asked), self._head(values, authorization), body, self._method)

    def _body(self, values: Values, filled: dict[str, Any]) -> bytes:
        if not self._has_body:
            return b""
        if self._whole is not None:
            escape: Callable[[str], str] = _for_xml if self._format == "xml" else _for_line
            return self._whole.text(values, escape).encode(self._encoding)
        content = {name: filled[name] if name in filled else part.fill(values) for name, part in self._fields.items()}
        if self._format == "form":
            return urlencode(content, encoding=self._encoding, errors="strict").encode("ascii")
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        data = text.encode()  # also refuses what is no Unicode, which the escapes below would let pass
        if self._encoding == "utf-8":
            return data
        try:
            return text.encode(self._encoding)
        except UnicodeEncodeError:  # JSON can write any character in ASCII
            return json.dumps(content, separators=(",", ":")).encode(self._encoding)

    def _target(self, values: Values, asked: Mapping[str, str]) -> str:
        path = self._path.text(values, lambda value: quote(value, safe="", encoding=self._encoding, errors="strict"))
        ordered = {name: asked[name] for name in self._query}
        query = urlencode(ordered, quote_via=quote, encoding=self._encoding, errors="strict")
        query = "&".join(part for part in (self._fixed_query, query) if part)
        return f"{path}?{query}" if query else path

    def _head(self, values: Values, authorization: str | None) -> bytes:
        head = self._fixed_head or self._host + "".join(
            f"{name}: {template.text(values, _for_line)}\r\n" for name, template in self._headers
        )
        if authorization is not None:
            head += f"Authorization: {_for_line(authorization)}\r\n"
        return head.encode()


class _Part:
    """One parameter or field: a text with placeholders, or a structure of such texts."""

    __slots__ = ("_content", "_text", "signed")

    def __init__(self, source: object, *, text: bool) -> None:
        self.signed = any("sign" in Template(part).names for part in templates_in(source))
        self._text = text
        self._content = _taken_apart(source)

    def fill(self, values: Values) -> Any:
        if self._text and isinstance(self._content, Template):
            return self._content.text(values)
        return _filled(self._content, values)


def _taken_apart(source: object) -> object:
    if isinstance(source, str):
        return Template(source)
    if isinstance(source, Mapping):
        return {str(name): _taken_apart(value) for name, value in source.items()}
    if isinstance(source, list | tuple):
        return [_taken_apart(value) for value in source]
    return source


def _filled(content: object, values: Values) -> object:
    if isinstance(content, Template):
        return content.value(values)
    if isinstance(content, dict):
        return {name: _filled(value, values) for name, value in content.items()}
    if isinstance(content, list):
        return [_filled(value, values) for value in content]
    return content


def _for_xml(value: str) -> str:
    return escape_xml(_NOT_XML.sub("", value), {'"': "&quot;", "'": "&apos;"})


def _for_line(value: str) -> str:
    """Keep a value on its line: nobody's name may begin a header of its own."""
    return _CONTROL.sub(" ", value)
