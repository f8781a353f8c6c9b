"""The parts of a template (text message, subject, text, HTML, chat), compiled once and rendered often."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType

from jinja2 import Template, TemplateSyntaxError, UndefinedError, meta, nodes

from keguan.errors import TemplateError
from keguan.model import Company
from keguan.outbox.plain import one_line, plain
from keguan.outbox.provider_form import NotPlain, ProviderForm, derive_form, plain_tree
from keguan.outbox.sandbox import FILTERS, Forbidden, Sandbox, ValueRefused
from keguan.outbox.template_files import Part, TemplateSource
from keguan.texts import Language

__all__ = ["LONGEST", "Piece", "PieceMaker"]

LONGEST: dict[Part, int] = {"sms": 500, "chat": 20_000, "subject": 200, "email": 100_000, "html": 200_000}
"""The most characters that may come out; text messages: what operators accept, signature included."""

_SUBJECT = re.compile(r"Subject:[ \t]*(?P<subject>.*(?:\n[ \t]+\S.*)*)\n[ \t]*\n", re.IGNORECASE)
_BRACKETS = str.maketrans("【】", "[]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A compiled part of a template and where it stands."""

    template: Template
    variables: frozenset[str]
    file: str
    first_line: int
    limit: int
    form: ProviderForm | None = None
    """What a gateway can approve; then ``template`` yields exactly its parts. Text messages only."""
    not_plain: NotPlain | None = None
    """Why a text message has no such form."""

    def render(self, values: Mapping[str, object], company: Company) -> list[str]:
        """Return what the piece prints, bit by bit; raises ``TemplateError`` with no value in it."""
        context = self.template.new_context({**values, "company": company})
        size, parts = 0, []
        try:
            for part in self.template.root_render_func(context):
                parts.append(part)
                size += len(part)
                if size > self.limit:
                    raise TemplateError("template.too_long", file=self.file, limit=self.limit)
        except TemplateError:
            raise
        except ValueRefused as error:
            raise TemplateError(error.args[0], file=self.file, line=_line(self, error.__traceback__)) from None
        except Exception as error:  # noqa: BLE001 - whatever a value does, it is this template that failed
            raise _explained(self, values, error) from None
        return parts


class PieceMaker:
    """Compiles the parts of templates, each kind in a sandbox of its own."""

    def __init__(self, language: Language, company: Company) -> None:
        self._company = company
        self._sandboxes: dict[Part, Sandbox] = {
            "sms": Sandbox(language, _without_brackets),
            "chat": Sandbox(language, one_line),
            "subject": Sandbox(language, one_line),
            "email": Sandbox(language, plain),
            "html": Sandbox(language, plain, html=True),
        }

    def make(self, source: TemplateSource, part: Part) -> Piece:
        """Return ``part`` of the file ``source``; raises ``TemplateError`` naming the line."""
        if part == "sms" and _BRACKETS.keys() & map(ord, source.text):
            raise TemplateError("template.brackets", file=source.file)
        if part not in {"subject", "email"}:
            return self._compile(source.text, part, source.file, 1)
        head = _SUBJECT.match(source.text + "\n\n")
        if head is None:
            raise TemplateError("template.subject_missing", file=source.file)
        if part == "subject":
            subject = " ".join(line.strip() for line in head["subject"].splitlines())
            return self._compile(subject, part, source.file, 1)
        return self._compile(source.text[head.end() :], part, source.file, 1 + head[0].count("\n"))

    def _compile(self, text: str, part: Part, file: str, first_line: int) -> Piece:
        sandbox = self._sandboxes[part]
        try:
            tree = sandbox.parse_checked(text)
            variables = frozenset(meta.find_undeclared_variables(tree) - {"company"})
            form, not_plain = None, None
            if part == "sms":
                try:
                    form, expressions = derive_form(tree, self._constant)
                    tree = plain_tree(form, expressions)
                    tree.set_environment(sandbox)
                except NotPlain as why:
                    not_plain = why
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
        return Piece(template, variables, file, first_line, LONGEST[part], form, not_plain)

    def _constant(self, node: nodes.Expr) -> str | None:
        """Return what an output says in every message, because it names nothing but the company."""
        names = {node.name} if isinstance(node, nodes.Name) else {each.name for each in node.find_all(nodes.Name)}
        if names != {"company"}:
            return None
        sandbox = self._sandboxes["sms"]
        tree = nodes.Template([nodes.Output([node], lineno=node.lineno)], lineno=1)
        tree.set_environment(sandbox)
        template = Template.from_code(sandbox, sandbox.compile(tree, "company", "company"), {})
        try:
            return "".join(template.root_render_func(template.new_context({"company": self._company})))
        except Exception:  # noqa: BLE001 - rendering will say so, with the line
            return None


def _without_brackets(value: str) -> str:
    return one_line(value).translate(_BRACKETS).strip()


def _explained(piece: Piece, values: Mapping[str, object], error: Exception) -> TemplateError:
    """Say what a template lacks, or that it failed; never with a value in the sentence."""
    lacking = sorted(piece.variables - values.keys())
    if isinstance(error, UndefinedError) and lacking:
        return TemplateError("template.value_missing", names=", ".join(lacking), file=piece.file)
    line = _line(piece, error.__traceback__)
    return TemplateError("template.failed", problem=type(error).__name__, file=piece.file, line=line)


def _line(piece: Piece, traceback: TracebackType | None) -> int:
    """Return the line of the template's file in which an exception came up."""
    line = 1
    while traceback is not None:
        if traceback.tb_frame.f_globals.get("__jinja_template__") is piece.template:
            line = piece.template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return line + piece.first_line - 1
