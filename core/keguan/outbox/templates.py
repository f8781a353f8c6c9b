"""Message templates: found, checked, and rendered into text messages and e-mails.

A plugin package holds ``templates/zh/`` and ``templates/en/``; a company may replace single files in a folder of
its own (``config/templates/PLUGIN/zh/…``). ``NAME.sms.j2`` is a text message without signature;
``NAME.email.j2`` begins with ``Subject: …`` and a blank line, then comes the text; ``NAME.email.html.j2`` is the
same for readers of HTML. Messages go out in the one language of the installation, and a template that lacks it
is an error when templates are checked at start: nobody gets a message in a language by accident.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from types import TracebackType
from typing import Literal

from jinja2 import Template, TemplateSyntaxError, UndefinedError, meta

from keguan.errors import TemplateError
from keguan.model import Company
from keguan.outbox.plain import one_line, plain
from keguan.outbox.sandbox import FILTERS, Forbidden, Sandbox, ValueRefused
from keguan.outbox.sms import segments
from keguan.texts import LANGUAGES, Language

__all__ = ["RenderedEmail", "RenderedSms", "TemplateChannel", "TemplateSource", "Templates"]

TemplateChannel = Literal["sms", "email"]
Folder = Traversable | Path

LARGEST_SOURCE = 20_000
"""The most characters a template file may have."""
LONGEST = {"sms": 500, "subject": 200, "email": 100_000, "html": 200_000}
"""The most characters that may come out; text messages: what operators accept, signature included."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SUFFIXES = {"sms": ".sms.j2", "email": ".email.j2", "html": ".email.html.j2"}
_SUBJECT = re.compile(r"Subject:[ \t]*(?P<subject>.*(?:\n[ \t]+\S.*)*)\n[ \t]*\n", re.IGNORECASE)
_BRACKETS = str.maketrans("【】", "[]")


@dataclass(frozen=True, slots=True)
class RenderedSms:
    """A text message as it leaves: ``text`` with the signature 【…】 in front, and how many are billed."""

    text: str = field(repr=False)
    segments: int


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """An e-mail as it leaves: a subject of one line, the text, and the HTML if the template has one."""

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class TemplateSource:
    """One template file: where it stands, whether the company replaced it, and its text."""

    file: str
    overridden: bool
    text: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """A compiled part of a template (text message, subject, text, HTML) and where it stands."""

    template: Template
    variables: frozenset[str]
    file: str
    first_line: int
    limit: int


class Templates:
    """All message templates of an installation, compiled when first used and kept.

    Args:
        sources: for each plugin the folder that holds ``zh/`` and ``en/``.
        overrides: the company's own folder (``config/templates``), or ``None``.
        language: the one in which messages go out.
        company: what templates may name as ``company.name``, ``company.hotline``, ``company.signature``.
    """

    def __init__(
        self,
        sources: Mapping[str, Folder],
        overrides: Path | None,
        language: Language,
        company: Company,
    ) -> None:
        self._sources = dict(sources)
        self._overrides = overrides
        self._language: Language = language
        self._company = company
        self._signature = f"【{company.signature.strip('【】 ')}】"
        self._pieces: dict[tuple[str, str, str], _Piece | None] = {}
        self._sandboxes = {
            "sms": Sandbox(language, _without_brackets),
            "subject": Sandbox(language, one_line),
            "email": Sandbox(language, plain),
            "html": Sandbox(language, plain, html=True),
        }

    def render_sms(self, plugin: str, name: str, values: Mapping[str, object]) -> RenderedSms:
        """Return the text message ``name`` of ``plugin``, filled with ``values`` and signed.

        Line breaks and 【】 inside values are replaced, so that no customer's name can forge a line or a
        signature. Raises ``TemplateError`` when the template is missing, wrong, lacks a value, or grows too long.
        """
        piece = self._piece(plugin, name, "sms")
        body = self._signature + self._render(piece, values).strip()
        if len(body) > LONGEST["sms"]:
            raise TemplateError("template.too_long", file=piece.file, limit=LONGEST["sms"])
        return RenderedSms(body, segments(body))

    def render_email(self, plugin: str, name: str, values: Mapping[str, object]) -> RenderedEmail:
        """Return the e-mail ``name`` of ``plugin``, filled with ``values``; raises as ``render_sms``."""
        piece = self._piece(plugin, name, "subject")
        subject = one_line(self._render(piece, values)).strip()
        if not subject:
            raise TemplateError("template.subject_empty", file=piece.file)
        body = self._render(self._piece(plugin, name, "email"), values).strip() + "\n"
        html = self._find(plugin, name, "html")
        return RenderedEmail(subject, body, self._render(html, values).strip() + "\n" if html else None)

    def names(self, plugin: str) -> tuple[str, ...]:
        """Return the names of all templates of ``plugin``, in any channel and language, sorted."""
        found: set[str] = set()
        for language in LANGUAGES:
            folder = self._sources[plugin] / language
            if folder.is_dir():
                found.update(_name_of(file.name) for file in folder.iterdir() if file.name.endswith(".j2"))
        return tuple(sorted(found))

    def channels(self, plugin: str, name: str) -> tuple[TemplateChannel, ...]:
        """Return the channels for which ``plugin`` has a template ``name``, in any language."""
        every: tuple[TemplateChannel, ...] = ("sms", "email")
        return tuple(
            channel
            for channel in every
            if any((self._sources[plugin] / lang / (name + _SUFFIXES[channel])).is_file() for lang in LANGUAGES)
        )

    def variables(self, plugin: str, name: str, channel: TemplateChannel) -> frozenset[str]:
        """Return the names of the values that the template asks for; ``company`` is always there."""
        parts = ("sms",) if channel == "sms" else ("subject", "email", "html")
        pieces = [self._find(plugin, name, part) for part in parts]
        if pieces[0] is None:
            raise self._missing(plugin, name, channel)
        return frozenset().union(*(piece.variables for piece in pieces if piece))

    def source(self, plugin: str, name: str, channel: TemplateChannel, *, html: bool = False) -> TemplateSource:
        """Return the file that is in force for ``name``; raises ``TemplateError`` when there is none."""
        found = self._read(plugin, name, "html" if html else channel)
        if found is None:
            raise self._missing(plugin, name, "html" if html else channel)
        return found

    def check(self, plugin: str, name: str) -> None:
        """Compile every part of the template ``name`` and raise ``TemplateError`` for the first that is wrong."""
        channels = self.channels(plugin, name)
        if not channels:
            raise self._missing(plugin, name, "sms")
        for channel in channels:
            self.variables(plugin, name, channel)

    def check_all(self) -> list[TemplateError]:
        """Check every template and every file of the company; return all that is wrong, in order of name."""
        wrong = []
        for plugin in sorted(self._sources):
            for name in self.names(plugin):
                try:
                    self.check(plugin, name)
                except TemplateError as error:
                    wrong.append(error)
        return wrong + self._idle_overrides()

    def _idle_overrides(self) -> list[TemplateError]:
        """Return an error for each file of the company that replaces nothing: a misspelling, most likely."""
        if self._overrides is None:
            return []
        files = sorted(self._overrides.glob("*/*/*.j2"))
        return [
            TemplateError("template.replaces_nothing", file=str(file))
            for file in files
            if (plugin := file.parent.parent.name) in self._sources  # others may be switched off
            and not (self._sources[plugin] / file.parent.name / file.name).is_file()
        ]

    def _render(self, piece: _Piece, values: Mapping[str, object]) -> str:
        template, size, parts = piece.template, 0, []
        context = template.new_context({**values, "company": self._company})
        try:
            for part in template.root_render_func(context):
                parts.append(part)
                size += len(part)
                if size > piece.limit:
                    raise TemplateError("template.too_long", file=piece.file, limit=piece.limit)
        except TemplateError:
            raise
        except ValueRefused as error:
            raise TemplateError(error.args[0], file=piece.file, line=_line(piece, error.__traceback__)) from None
        except Exception as error:  # noqa: BLE001 - whatever a value does, it is this template that failed
            raise _explained(piece, values, error) from None
        return "".join(parts)

    def _piece(self, plugin: str, name: str, part: str) -> _Piece:
        piece = self._find(plugin, name, part)
        if piece is None:
            raise self._missing(plugin, name, part)
        return piece

    def _find(self, plugin: str, name: str, part: str) -> _Piece | None:
        key = (plugin, name, part)
        if key not in self._pieces:
            self._pieces[key] = self._load(plugin, name, part)
        return self._pieces[key]

    def _load(self, plugin: str, name: str, part: str) -> _Piece | None:
        source = self._read(plugin, name, "email" if part == "subject" else part)
        if source is None:
            return None
        if part == "sms" and _BRACKETS.keys() & map(ord, source.text):
            raise TemplateError("template.brackets", file=source.file)
        if part in {"subject", "email"}:
            head = _SUBJECT.match(source.text + "\n\n")
            if head is None:
                raise TemplateError("template.subject_missing", file=source.file)
            if part == "subject":
                subject = " ".join(line.strip() for line in head["subject"].splitlines())
                return self._compile(subject, part, source.file, 1)
            return self._compile(source.text[head.end() :], part, source.file, 1 + head[0].count("\n"))
        return self._compile(source.text, part, source.file, 1)

    def _compile(self, text: str, part: str, file: str, first_line: int) -> _Piece:
        sandbox = self._sandboxes[part]
        try:
            tree = sandbox.parse_checked(text)
            variables = frozenset(meta.find_undeclared_variables(tree) - {"company"})
            template = Template.from_code(sandbox, sandbox.compile(tree, part, file), {})
        except Forbidden as error:
            at = error.line + first_line - 1
            known = ", ".join(sorted(FILTERS))
            raise TemplateError("template.forbidden", what=error.what, file=file, line=at, filters=known) from None
        except TemplateSyntaxError as error:
            at = error.lineno + first_line - 1
            raise TemplateError("template.syntax", problem=error.message, file=file, line=at) from None
        except (ValueError, RecursionError, SyntaxError, MemoryError) as error:
            problem = type(error).__name__
            raise TemplateError("template.syntax", problem=problem, file=file, line=first_line) from None
        return _Piece(template, variables, file, first_line, LONGEST[part])

    def _read(self, plugin: str, name: str, part: str) -> TemplateSource | None:
        """Return the file in force: the company's, else the plugin's; ``None`` when there is neither."""
        if plugin not in self._sources or not _NAME.fullmatch(name):
            return None
        own = self._sources[plugin] / self._language / (name + _SUFFIXES[part])
        if not own.is_file():
            return None
        file = f"{plugin}/{self._language}/{name}{_SUFFIXES[part]}"
        replaced = self._overrides / file if self._overrides else None
        if replaced is not None and replaced.is_file():
            return TemplateSource(str(replaced), True, _read_text(replaced, str(replaced)))
        return TemplateSource(file, False, _read_text(own, file))

    def _missing(self, plugin: str, name: str, part: str) -> TemplateError:
        suffix = _SUFFIXES["email" if part == "subject" else part]
        file = f"templates/{self._language}/{name}{suffix}"
        return TemplateError("template.missing", plugin=plugin, name=name, language=self._language, file=file)


def _without_brackets(value: str) -> str:
    return one_line(value).translate(_BRACKETS)


def _name_of(file: str) -> str:
    return file.partition(".")[0]


def _read_text(file: Folder, shown: str) -> str:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError) as error:
        raise TemplateError("template.unreadable", file=shown, problem=type(error).__name__) from None
    if len(text) > LARGEST_SOURCE:
        raise TemplateError("template.too_large", file=shown, size=len(text), limit=LARGEST_SOURCE)
    return text


def _explained(piece: _Piece, values: Mapping[str, object], error: Exception) -> TemplateError:
    """Say what a template lacks, or that it failed; never with a value in the sentence."""
    lacking = sorted(piece.variables - values.keys())
    if isinstance(error, UndefinedError) and lacking:
        return TemplateError("template.value_missing", names=", ".join(lacking), file=piece.file)
    line = _line(piece, error.__traceback__)
    return TemplateError("template.failed", problem=type(error).__name__, file=piece.file, line=line)


def _line(piece: _Piece, traceback: TracebackType | None) -> int:
    """Return the line of the template's file in which an exception came up."""
    line = 1
    while traceback is not None:
        if traceback.tb_frame.f_globals.get("__jinja_template__") is piece.template:
            line = piece.template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return line + piece.first_line - 1
