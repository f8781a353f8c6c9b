"""Message templates: found, checked, and rendered into text messages, e-mails and notes to chat robots.

A plugin package holds ``templates/zh/`` and ``templates/en/``, keguan itself does so for what it writes to staff;
a company may replace single files in a folder of its own (``config/templates/PLUGIN/zh/…``). ``NAME.sms.j2`` is a
text message without signature; ``NAME.email.j2`` begins with ``Subject: …`` and a blank line, then comes the text;
``NAME.email.html.j2`` is the same for readers of HTML; ``NAME.chat.j2`` is a short text without markup for the
robots of staff. Messages go out in the one language of the installation, and a template that lacks it is an error
when templates are checked at start: nobody gets a message in a language by accident.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from keguan.errors import TemplateError
from keguan.model import Company
from keguan.outbox.plain import one_line
from keguan.outbox.provider_form import NotPlain, ProviderForm, Slot
from keguan.outbox.sms import segments
from keguan.outbox.template_files import Folder, Part, TemplateChannel, TemplateFiles, TemplateSource, owner_of
from keguan.outbox.template_pieces import LONGEST, Piece, PieceMaker
from keguan.texts import Language

__all__ = [
    "CORE",
    "RenderedChat",
    "RenderedEmail",
    "RenderedSms",
    "TemplateChannel",
    "TemplateSource",
    "Templates",
]

CORE = "keguan"
"""The name under which keguan's own templates stand among those of plugins."""


@dataclass(frozen=True, slots=True)
class RenderedSms:
    """A text message as it leaves: ``text`` with the signature 【…】 in front, and how many are billed."""

    text: str = field(repr=False)
    segments: int
    variables: tuple[tuple[str, str], ...] | None = field(default=None, repr=False)
    """What a gateway fills into the provider form, name and text in its order; ``None``: there is no such form."""


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """An e-mail as it leaves: a subject of one line, the text, and the HTML if the template has one."""

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RenderedChat:
    """A note to a chat robot: plain text of some lines."""

    text: str = field(repr=False)


class Templates:
    """All message templates of an installation, compiled when first used and kept.

    Args:
        sources: for each plugin the folder that holds ``zh/`` and ``en/``; ``keguan`` for the core's own.
        overrides: the company's own folder (``config/templates``), or ``None``.
        language: the one in which messages go out.
        company: what templates may name as ``company.name``, ``.hotline``, ``.signature``, ``.web``.
    """

    def __init__(
        self,
        sources: Mapping[str, Folder],
        overrides: Path | None,
        language: Language,
        company: Company,
    ) -> None:
        self._files = TemplateFiles(sources, overrides, language)
        self._maker = PieceMaker(language, company)
        self._company = company
        self.signature = company.signature.strip("【】 ")
        """What stands in the 【…】 of every text message."""
        self._pieces: dict[tuple[str, str, Part], Piece | None] = {}

    def render_sms(self, plugin: str, name: str, values: Mapping[str, object]) -> RenderedSms:
        """Return the text message ``name`` of ``plugin``, filled with ``values`` and signed.

        Line breaks and 【】 inside values are replaced, so that no customer's name can forge a line or a
        signature. Raises ``TemplateError`` when the template is missing, wrong, lacks a value, or grows too long.
        """
        piece = self._piece(plugin, name, "sms")
        parts = piece.render(values, self._company)
        if piece.form is None:
            text, variables = "".join(parts).strip(), None
        else:
            pairs = zip(piece.form.parts, parts, strict=True)
            text, variables = "".join(parts), tuple((slot.name, part) for slot, part in pairs if isinstance(slot, Slot))
        body = f"【{self.signature}】{text}"
        if len(body) > LONGEST["sms"]:
            raise TemplateError("template.too_long", file=piece.file, limit=LONGEST["sms"])
        return RenderedSms(body, segments(body), variables)

    def render_email(self, plugin: str, name: str, values: Mapping[str, object]) -> RenderedEmail:
        """Return the e-mail ``name`` of ``plugin``, filled with ``values``; raises as ``render_sms``."""
        piece = self._piece(plugin, name, "subject")
        subject = one_line("".join(piece.render(values, self._company))).strip()
        if not subject:
            raise TemplateError("template.subject_empty", file=piece.file)
        html = self._find(plugin, name, "html")
        return RenderedEmail(
            subject,
            self._text(self._piece(plugin, name, "email"), values) + "\n",
            self._text(html, values) + "\n" if html else None,
        )

    def render_chat(self, plugin: str, name: str, values: Mapping[str, object]) -> RenderedChat:
        """Return the note ``name`` of ``plugin`` to a chat robot; raises as ``render_sms``.

        Line breaks inside values become spaces.
        """
        return RenderedChat(self._text(self._piece(plugin, name, "chat"), values))

    def provider_form(self, plugin: str, name: str) -> ProviderForm | NotPlain:
        """Return what a gateway can approve of the text message ``name``, or why there is no such form.

        Raises ``TemplateError`` when the template is missing or wrong.
        """
        piece = self._piece(plugin, name, "sms")
        if piece.form is not None:
            return piece.form
        assert piece.not_plain is not None
        return piece.not_plain

    @property
    def plugins(self) -> tuple[str, ...]:
        """The names of all plugins that have templates, ``keguan`` for the core's own among them; sorted."""
        return self._files.plugins

    def names(self, plugin: str) -> tuple[str, ...]:
        """Return the names of all templates of ``plugin``, in any channel and language, sorted."""
        return self._files.names(plugin)

    def channels(self, plugin: str, name: str) -> tuple[TemplateChannel, ...]:
        """Return the channels for which ``plugin`` has a template ``name``, in any language."""
        return self._files.channels(plugin, name)

    def variables(self, plugin: str, name: str, channel: TemplateChannel) -> frozenset[str]:
        """Return the names of the values that the template asks for; ``company`` is always there."""
        parts: tuple[Part, ...] = ("subject", "email", "html") if channel == "email" else (channel,)
        pieces = [self._find(plugin, name, part) for part in parts]
        if pieces[0] is None:
            raise self._files.missing(plugin, name, channel)
        return frozenset().union(*(piece.variables for piece in pieces if piece))

    def source(self, plugin: str, name: str, channel: TemplateChannel, *, html: bool = False) -> TemplateSource:
        """Return the file that is in force for ``name``; raises ``TemplateError`` when there is none."""
        part: Part = "html" if html else channel
        found = self._files.read(plugin, name, part)
        if found is None:
            raise self._files.missing(plugin, name, part)
        return found

    def check(self, plugin: str, name: str) -> None:
        """Compile every part of the template ``name`` and raise ``TemplateError`` for the first that is wrong."""
        channels = self.channels(plugin, name)
        if not channels:
            raise self._files.missing(plugin, name, "sms")
        for channel in channels:
            self.variables(plugin, name, channel)

    def check_all(self) -> list[TemplateError]:
        """Check every template and every file of the company; return all that is wrong, in order of name."""
        wrong = []
        for plugin in self.plugins:
            for name in self.names(plugin):
                try:
                    self.check(plugin, name)
                except TemplateError as error:
                    wrong.append(error)
        return wrong + self._files.idle_overrides()

    def _text(self, piece: Piece, values: Mapping[str, object]) -> str:
        return "".join(piece.render(values, self._company)).strip()

    def _piece(self, plugin: str, name: str, part: Part) -> Piece:
        piece = self._find(plugin, name, part)
        if piece is None:
            raise self._files.missing(*owner_of(plugin, name), part)
        return piece

    def _find(self, plugin: str, name: str, part: Part) -> Piece | None:
        plugin, name = owner_of(plugin, name)
        key = (plugin, name, part)
        if key not in self._pieces:
            source = self._files.read(plugin, name, part)
            self._pieces[key] = None if source is None else self._maker.make(source, part)
        return self._pieces[key]
