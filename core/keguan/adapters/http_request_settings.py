"""One request to a gateway as an administrator describes it: address, headers, body, signature."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from keguan.adapters.http_template import GENERAL, SIGNING, Template
from keguan.settings.values import mistake

__all__ = ["RequestSettings", "SignSettings", "Table", "Url", "Where", "Words", "check_pattern", "templates_in"]

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = frozenset({"connection", "content-length", "expect", "host", "transfer-encoding", "accept-encoding"})


class Table(BaseModel):
    """A part of the description; unknown keys are mistakes, and no mistake shows a value."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _encoding(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise mistake("config.http_encoding", value=name) from None


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in ("http", "https")
            and parts.hostname
            and parts.port != 0
            and url.isascii()
            and url.isprintable()
        )
    except ValueError:
        usable = None
    if not usable or "{" in parts.netloc or "@" in parts.netloc or parts.fragment or " " in url:
        raise mistake("config.http_url")
    return url


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _HEADER.fullmatch(name) or name.lower() in _OURS or not value.isprintable():
            raise mistake("config.http_header", name=name)
    return headers


def _texts(value: object) -> object:
    """Take ``0``, ``"0"`` and lists of both where words of the gateway stand."""
    listed = value if isinstance(value, list | tuple) else [value]
    return tuple(_word(item) for item in listed)


def _word(item: object) -> object:
    return str(item).lower() if isinstance(item, bool) else str(item) if isinstance(item, int) else item


def check_pattern(source: str) -> None:
    """Raise pydantic's custom error unless ``source`` is a regular expression."""
    try:
        re.compile(source)
    except re.error:
        raise mistake("config.http_pattern") from None


Encoding = Annotated[str, AfterValidator(_encoding)]
Url = Annotated[str, AfterValidator(_address)]
Headers = Annotated[dict[str, str], AfterValidator(_headers)]
Words = Annotated[tuple[str, ...], BeforeValidator(_texts)]
Where = str
"""A place in an answer: names and numbers joined by dots (``data.0.id``), or a regular expression in plain text."""


class SignSettings(Table):
    """``sign``: how the gateway knows that a request is ours. The result is the value ``{sign}``."""

    scheme: Literal["basic", "bearer", "md5", "sha1", "sha256", "hmac-sha1", "hmac-sha256"]
    """``basic`` and ``bearer`` set the header Authorization by themselves."""
    user: str = "{account.user}"
    """For ``basic``."""
    key: str = "{secret.key}"
    """For ``basic`` the password, for ``bearer`` the token, for HMAC the key."""
    over: str = ""
    """What is signed; may name ``{sorted}`` and ``{body}``."""
    output: Literal["hex", "HEX", "base64"] = "hex"
    pair: str = "="
    """In ``{sorted}``: what stands between name and value."""
    join: str = "&"
    """In ``{sorted}``: what stands between the pairs."""
    skip_empty: bool = True
    leave_out: tuple[str, ...] = ()
    """Parameters that ``{sorted}`` leaves out, beside those that hold the signature."""
    percent: bool = False
    """In ``{sorted}``: names and values percent-encoded (RFC 3986)."""

    @model_validator(mode="after")
    def _has_something_to_sign(self) -> SignSettings:
        if self.scheme not in ("basic", "bearer") and not self.over:
            raise mistake("config.http_nothing_signed")
        return self


class RequestSettings(Table):
    """One kind of request, whole; its texts may hold placeholders."""

    names: ClassVar[frozenset[str]] = GENERAL

    url: Url
    method: Literal["GET", "POST", "PUT"] = "POST"
    headers: Headers = Field(default_factory=dict)
    query: dict[str, str] = Field(default_factory=dict)
    format: Literal["json", "form", "xml", "text"] = "json"
    body: Any = None
    """A table for ``json`` and ``form``, a text for ``xml`` and ``text``; absent: none."""
    encoding: Encoding = "utf-8"
    sign: SignSettings | None = None

    @model_validator(mode="after")
    def _means_something(self) -> RequestSettings:
        _check_body(self.format, self.body)
        for place, source in self._sources():
            known = self.names | SIGNING if place == "over" else self.names
            if place in ("over", "key", "user"):
                known -= {"sign"}
            unknown = {name for name in Template(source).names - known if not name.startswith(("account.", "secret."))}
            if unknown:
                raise mistake("config.http_name", name=min(unknown), names=", ".join(sorted(known)))
        uses_body = self.sign is not None and "body" in Template(self.sign.over).names
        if uses_body and any("sign" in Template(source).names for source in templates_in(self.body)):
            raise mistake("config.http_signs_itself")
        if self.sign is None and any("sign" in Template(source).names for _, source in self._sources()):
            raise mistake("config.http_no_sign")
        return self

    def _sources(self) -> Iterator[tuple[str, str]]:
        yield "url", self.url
        for table in (self.headers, self.query):
            yield from (("value", source) for source in table.values())
        yield from (("body", source) for source in templates_in(self.body))
        if self.sign is not None:
            yield from (("over", self.sign.over), ("key", self._key()), ("user", self._user()))

    def _key(self) -> str:
        signed = self.sign
        return signed.key if signed and (signed.scheme in ("basic", "bearer") or "hmac" in signed.scheme) else ""

    def _user(self) -> str:
        return self.sign.user if self.sign and self.sign.scheme == "basic" else ""

    def named(self) -> frozenset[str]:
        """Return every value that this request needs."""
        return frozenset().union(*(Template(source).names for _, source in self._sources()))


def templates_in(body: object) -> Iterator[str]:
    """Return every text of a body, however deep."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, Mapping):
        for value in body.values():
            yield from templates_in(value)
    elif isinstance(body, list | tuple):
        for value in body:
            yield from templates_in(value)


def _check_body(form: str, body: object) -> None:
    if body is None:
        return
    if form in ("xml", "text"):
        if not isinstance(body, str):
            raise mistake("config.http_body_text", form=form)
    elif (
        not isinstance(body, Mapping)
        or not _is_json(body)
        or (form == "form" and not all(isinstance(part, str) for part in body.values()))
    ):
        raise mistake("config.http_body_table", form=form)


def _is_json(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(_is_json(part) for part in value.values())
    if isinstance(value, list | tuple):
        return all(_is_json(part) for part in value)
    return value is None or isinstance(value, str | int | float | bool)
