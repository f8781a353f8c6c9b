"""Any number of row numbers as one parameter, in statements that are built once."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, ColumnElement, Dialect, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

__all__ = ["among", "listed"]


class _Numbers(TypeDecorator[Collection[int]]):
    """Numbers as one value: JSON on SQLite, an array on PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(ARRAY(BigInteger()))

    def process_bind_param(self, value: Collection[int] | None, dialect: Dialect) -> Any:
        numbers = list(value or ())
        return json.dumps(numbers) if dialect.name == "sqlite" else numbers


class _Listed(FunctionElement[bool]):
    """The condition itself: a column and the parameter."""

    type = Boolean()
    name = "listed"
    inherit_cache = True


@compiles(_Listed)
def _as_json(element: _Listed, compiler: SQLCompiler, **options: Any) -> str:
    column, numbers = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({numbers}))"  # noqa: S608 - both are made by the compiler


@compiles(_Listed, "postgresql")
def _as_array(element: _Listed, compiler: SQLCompiler, **options: Any) -> str:
    column, numbers = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY ({numbers})"


def listed(column: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that ``column`` holds one of the numbers given as ``numbers`` when it is executed.

    They go as one parameter, any number of them: preparing an ``IN (…)`` with one for each takes longer than the
    query itself. The statement can be built once and serves both databases; putting one together takes longer still.
    """
    return _Listed(column, bindparam("numbers", type_=_Numbers()))


def among(column: ColumnElement[int], numbers: Collection[int]) -> ColumnElement[bool]:
    """Return the same condition with its ``numbers``, for statements that are put together where they are executed."""
    return _Listed(column, bindparam("numbers", numbers, type_=_Numbers(), unique=True))
