"""Forms as data: what people are asked, what a line of a table holds, which files must prove it.

A form says nothing of tasks: an entry hangs on a subject, and on a task where there is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr, model_validator

if TYPE_CHECKING:
    from keguan.texts import Language

__all__ = [
    "FILE_TYPES",
    "FieldType",
    "Form",
    "FormChoice",
    "FormField",
    "FormLines",
    "FormRegister",
    "FormWhen",
    "Words",
]

FieldType = Literal[
    "text",
    "long_text",
    "number",
    "money",
    "date",
    "time",
    "choice",
    "choices",
    "yes_no",
    "phone",
    "email",
    "person",
    "rating",
    "photo",
    "document",
    "video",
    "audio",
    "file",
]
FILE_TYPES: frozenset[str] = frozenset({"photo", "document", "video", "audio", "file"})
"""Fields that are answered with files: required evidence. ``file`` takes any kind that is allowed."""

_PERSONAL = frozenset({"phone", "email", "person"})
_NAME = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
_Name = Annotated[StrictStr, Field(pattern=_NAME, max_length=40)]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Data):
    """What people read, in both languages."""

    zh: Annotated[StrictStr, Field(min_length=1)]
    en: Annotated[StrictStr, Field(min_length=1)]

    def in_(self, language: Language) -> str:
        """Return the words in ``language``."""
        return self.zh if language == "zh" else self.en


class FormChoice(_Data):
    """One of the answers that can be chosen: its name is stored, its label is read."""

    name: _Name
    label: Words


class FormWhen(_Data):
    """Required when another field of the same table has this answer (of several choices: among them)."""

    field: _Name
    equals: StrictBool | StrictInt | StrictStr


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class FormField(_Data):
    """One question: its type decides what can be answered, and how it is shown, masked and checked."""

    name: _Name
    type: FieldType
    label: Words
    help: Words | None = None
    required: StrictBool = False
    required_when: FormWhen | None = None
    personal: StrictBool | None = None
    """Masked wherever it is shown; phone, e-mail and person are unless it says ``False``."""
    choices: tuple[FormChoice, ...] = ()
    unit: Words | None = None
    least: Decimal | None = None
    """The smallest number or sum of money."""
    most: Decimal | None = None
    """The largest; of a rating, its best mark (5 unless given)."""
    decimals: Annotated[StrictInt, Field(ge=0, le=6)] = 0
    """How many digits a number may have behind the point."""
    count: Annotated[StrictInt, Field(ge=1, le=20)] = 1
    """How many files at least, of a field that is answered with files."""

    @property
    def is_file(self) -> bool:
        """Whether it is answered with files."""
        return self.type in FILE_TYPES

    @property
    def is_personal(self) -> bool:
        """Whether its answer says something about a person."""
        return self.type in _PERSONAL if self.personal is None else self.personal

    @property
    def best(self) -> int:
        """The best mark of a rating; 1 is the worst."""
        return 5 if self.most is None else int(self.most)

    @model_validator(mode="after")
    def _fits(self) -> FormField:
        if (self.type in ("choice", "choices")) != bool(self.choices):
            raise ValueError("choices belong to the types choice and choices, and to no other")
        if len({each.name for each in self.choices}) < len(self.choices):
            raise ValueError("two choices have one name")
        for language in ("zh", "en"):
            if len({getattr(each.label, language).casefold() for each in self.choices}) < len(self.choices):
                raise ValueError("two choices have one label")
        if self.type not in ("number", "money") and (self.unit or self.least is not None or self.decimals):
            raise ValueError("unit, least and decimals belong to number and money")
        if self.type not in ("number", "money", "rating") and self.most is not None:
            raise ValueError("most belongs to number, money and rating")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError("least is more than most")
        if self.type == "rating" and not 2 <= self.best <= 10:
            raise ValueError("the best mark of a rating is 2 to 10")
        if self.count != 1 and not self.is_file:
            raise ValueError("count belongs to fields that are answered with files")
        return self


_Fields = Annotated[tuple[FormField, ...], Field(min_length=1, max_length=60)]


class FormLines(_Data):
    """A table: the same fields again and again, such as one line for each home."""

    label: Words
    fields: _Fields
    least: Annotated[StrictInt, Field(ge=0)] = 0
    most: Annotated[StrictInt, Field(ge=1, le=2000)] = 200
    key: _Name | None = None
    """The field that tells lines apart, if there is one: no two lines may have the same."""
    prefill: Literal["homes"] | None = None
    """``homes``: a line for each home of the subject's project stands there from the start, named in ``key``."""

    @model_validator(mode="after")
    def _fits(self) -> FormLines:
        _check_fields(self.fields)
        if any(field.is_file for field in self.fields):
            raise ValueError("lines hold no files: declare them beside the lines")
        if self.least > self.most:
            raise ValueError("least is more than most")
        keys = {field.name: field for field in self.fields}
        if self.key is not None and (self.key not in keys or keys[self.key].type != "text"):
            raise ValueError("key names a text field of the lines")
        if self.prefill and self.key is None:
            raise ValueError("prefill needs a key")
        return self


class FormRegister(_Data):
    """What makes a form a register: each entry is a line of its own, kept about a subject and not for a task."""

    about: Literal["project", "home", "customer", "branch"]
    """What a line is about; a branch is the company in one city."""
    key: _Name | None = None
    """The field that tells lines apart, if there is one: no two lines about one subject may have the same."""
    counts: _Name | None = None
    """The yes_no field that must be true for a line to count, such as ``approved``; absent: every line counts."""
    expires: _Name | None = None
    """The date field after which a line has expired."""
    tells: _Name | None = None
    """The type of the event that is told of the subject when a line that counts, or did, is added, changed or taken
    out; one of those the plugin registers."""


class Form(_Data):
    """What one kind of paper asks. Its full name is ``PLUGIN.NAME``."""

    name: _Name
    title: Words
    version: Annotated[StrictInt, Field(ge=1)] = 1
    """Count it up whenever fields change: sheets of an older version are refused."""
    clause: StrictStr = ""
    help: Words | None = None
    departments: Annotated[tuple[StrictStr, ...], BeforeValidator(_one_or_more)] = ()
    """Who may fill it in; empty: everybody."""
    customers: StrictBool = False
    """Customers fill it in themselves, at the company's address, with a code that they were sent."""
    fields: _Fields
    lines: FormLines | None = None
    summary: Annotated[tuple[_Name, ...], BeforeValidator(_one_or_more)] = ()
    """The fields whose answers say in short what came of it, as the journey shows; none of them personal."""

    register_of: Annotated[FormRegister | None, Field(alias="register")] = None
    """Set for registers."""
    proves: tuple[Words, ...] = ()
    """Pieces of evidence that the filled-in form itself is: a task that requires them needs no file for them."""

    @property
    def questions(self) -> tuple[FormField, ...]:
        """The fields that are answered with values."""
        return tuple(field for field in self.fields if not field.is_file)

    @property
    def files(self) -> tuple[FormField, ...]:
        """The fields that are answered with files: the evidence it asks for."""
        return tuple(field for field in self.fields if field.is_file)

    def every_field(self) -> Iterator[FormField]:
        """Yield the fields, then those of a line."""
        yield from self.fields
        yield from self.lines.fields if self.lines else ()

    @model_validator(mode="after")
    def _fits(self) -> Form:
        _check_fields(self.fields)
        known = {field.name: field for field in self.fields}
        for name in self.summary:
            if name not in known or known[name].is_file or known[name].is_personal:
                raise ValueError(f"summary names {name}, which is no field, personal, or a file")
        if self.register_of is not None:
            _check_register(self, self.register_of)
        if self.customers and (self.lines is not None or self.files):
            raise ValueError("what customers fill in holds no lines and no files")
        return self


def _check_fields(fields: tuple[FormField, ...]) -> None:
    known: dict[str, FormField] = {}
    for field in fields:
        if field.name in known:
            raise ValueError(f"two fields are called {field.name}")
        known[field.name] = field
    for field in fields:
        for language in ("zh", "en"):
            same = [each.name for each in fields if getattr(each.label, language) == getattr(field.label, language)]
            if len(same) > 1:
                raise ValueError(f"fields have one label: {', '.join(same)}")
        if field.required_when is not None:
            _check_when(field, field.required_when, known)


def _check_register(form: Form, register: FormRegister) -> None:
    if form.lines is not None or form.files or form.customers:
        raise ValueError("a register's lines are its entries: it holds no lines, no files, and nothing of customers")
    known = {field.name: field.type for field in form.fields}
    for name, wanted in ((register.key, "text"), (register.counts, "yes_no"), (register.expires, "date")):
        if name is not None and known.get(name) != wanted:
            raise ValueError(f"register names {name}, which is no {wanted} field")


def _check_when(field: FormField, when: FormWhen, known: dict[str, FormField]) -> None:
    other = known.get(when.field)
    if other is None or other is field:
        raise ValueError(f"{field.name} is required when {when.field} …, which is no other field")
    wanted: dict[str, tuple[type, ...]] = {"yes_no": (bool,), "rating": (int,), "choice": (str,), "choices": (str,)}
    if other.type not in wanted or type(when.equals) not in wanted[other.type]:
        raise ValueError(f"{field.name}: required_when compares a choice's name, a yes_no or a rating")
    if other.choices and when.equals not in {each.name for each in other.choices}:
        raise ValueError(f"{field.name} is required when {other.name} is {when.equals}, which is no choice of it")
