"""Which column of a table is which field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keguan.errors import InputError
from keguan.intake.cells import Cell, cell_text, is_empty
from keguan.intake.kinds import Kind
from keguan.intake.vocabulary import normal_header, vocabulary

__all__ = ["ColumnMap", "Header", "find_header"]

IGNORED = ""

# How certain it is that a column is a field; of several columns for one field the most certain is taken.
_MAPPED, _NAMED, _UNDER_GROUP = 3, 2, 1


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """The header names known in one kind of file, those of the configuration included."""

    kind: Kind
    names: Mapping[str, str]
    """Header in normal form to field."""
    mapped: Mapping[str, str]
    """The same from ``[import.columns]``; ``""`` means that the column is to be ignored."""

    @classmethod
    def of(cls, kind: Kind, mapping: Mapping[str, str] | None = None) -> ColumnMap:
        """Return the map for ``kind``; ``mapping`` is ``[import.columns]``: header to field, or to ``""`` to
        ignore the column. Entries for fields of other kinds do no harm."""
        names = {normal_header(name): field for field, names in kind.headers.items() for name in names}
        mapped = {
            normal_header(header): field
            for header, field in (mapping or {}).items()
            if field == IGNORED or field in kind.specs or kind.others
        }
        return cls(kind, names, mapped)

    def field(self, header: str) -> tuple[str, int] | None:
        """Return the field that a header names, and how certain that is; ``None`` for an unknown header."""
        word = normal_header(header)
        if not word:
            return None
        if word in self.mapped:
            return self.mapped[word], _MAPPED
        return (self.names[word], _NAMED) if word in self.names else None

    def known(self, header: str) -> bool:
        """Return whether the header is known."""
        return self.field(header) is not None

    def looked_for(self) -> str:
        """Return the preferred name of each field, as an error message lists them."""
        return ", ".join(names[0] for names in self.kind.headers.values())


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a table."""

    number: int
    """Its line or row in the file, from 1; of a header of two rows the lower one."""
    index: int
    """How many records stand above the first record of the body."""
    names: tuple[str, ...]
    """The name of every column as the file has it; of two rows both, joined."""
    lowest: tuple[str, ...]
    """The cells of the header's lower row, by which repetitions of the header are recognised."""
    fields: Mapping[int, str]
    """Column, from 0, to field."""
    dropped: tuple[str, ...]
    """Names of the columns that are neither known nor mapped."""


def find_header(rows: Sequence[tuple[int, Sequence[Cell]]], columns: ColumnMap) -> Header | None:
    """Return the header among the first ``rows`` (number and cells) of a table, ``None`` if there is none.

    The header is the first of the rows with the most known names, at least two, or one that is half of its
    row. A second row of it, above (groups of columns) or below (names under a group), is recognised.

    Raises ``InputError`` naming both when two columns are the same field.
    """
    texts = [[_label(cell) for cell in cells] for _, cells in rows]
    scores = [_score(row, columns) for row in texts]
    best = max(scores, default=0)
    if best == 0:
        return None
    index = scores.index(best)
    leaf, group, last = texts[index], [""] * len(texts[index]), index
    if index + 1 < len(texts) and _continues(texts[index + 1], texts[index], columns):
        leaf, group, last = _under(texts[index + 1], texts[index])
        last += index
    elif index > 0 and _is_group_row(texts[index - 1], texts[index], columns):
        leaf, group, _ = _under(texts[index], texts[index - 1])
    return _resolved(rows[last][0], last + 1, texts[last], leaf, group, columns)


def _label(cell: Cell) -> str:
    return "" if is_empty(cell) else " ".join(cell_text(cell).replace("\u200b", "").replace("\ufeff", "").split())


def _score(row: Sequence[str], columns: ColumnMap) -> int:
    found = {field for text in row if len(text) <= 60 and (field := columns.field(text))}
    known, filled = len({name for name, _ in found}), sum(1 for text in row if text)
    return known if known >= 2 or known * 2 >= filled else 0


def _continues(below: Sequence[str], header: Sequence[str], columns: ColumnMap) -> bool:
    """Whether ``below`` is the second row of ``header``: names of columns, and not the same ones again."""
    filled = [(column, text) for column, text in enumerate(below) if text]
    hits = sum(1 for _, text in filled if columns.known(text))
    same = sum(1 for column, text in filled if column < len(header) and header[column] == text)
    return hits > 0 and hits * 2 >= len(filled) and same < len(filled)


def _is_group_row(above: Sequence[str], header: Sequence[str], columns: ColumnMap) -> bool:
    """Whether ``above`` holds groups of columns, and not a title or remarks (``单位：元``)."""
    filled = [(column, text) for column, text in enumerate(above) if text]
    if any(columns.known(text) and not (header[column] if column < len(header) else "") for column, text in filled):
        return True
    words = [text for _, text in filled]
    short = all(len(text) <= 12 and not any(char.isdigit() or char in ":：" for char in text) for text in words)
    return len(words) >= 2 and short


def _under(lower: Sequence[str], upper: Sequence[str]) -> tuple[list[str], list[str], int]:
    """Return for each column its own name and the group it stands under, and 1: the lower row is the header's."""
    width = max(len(lower), len(upper))
    low, up = [*lower, *[""] * (width - len(lower))], [*upper, *[""] * (width - len(upper))]
    leaf, group, current = [], [], ""
    for below, above in zip(low, up, strict=True):
        current = above or (current if below else "")
        leaf.append(below or above)
        group.append(current if below else "")
    return leaf, group, 1


def _resolved(
    number: int, index: int, lowest: list[str], leaf: list[str], group: list[str], columns: ColumnMap
) -> Header:
    names = [over + own if over and over != own else own for own, over in zip(leaf, group, strict=True)]
    candidates: dict[str, list[tuple[int, int]]] = {}
    ignored: set[int] = set()
    for column, (own, over) in enumerate(zip(leaf, group, strict=True)):
        found = _field_of(own, over, columns)
        if found is None and columns.kind.others and own:
            found = own, _NAMED
        if found and found[0] == IGNORED:
            ignored.add(column)
        elif found:
            candidates.setdefault(found[0], []).append((found[1], column))
    fields: dict[int, str] = {}
    for field, places in candidates.items():
        certainty = max(places)[0]
        chosen = [column for rank, column in places if rank == certainty]
        if len(chosen) > 1:
            one, other = (f"{names[column]} ({_letter(column)})" for column in chosen[:2])
            raise InputError("import.column_twice", field=field, one=one, other=other, row=number)
        fields[chosen[0]] = field
    dropped = tuple(
        name for column, name in enumerate(names) if name and column not in fields and column not in ignored
    )
    return Header(number, index, tuple(names), tuple(lowest), dict(sorted(fields.items())), dropped)


def _field_of(own: str, over: str, columns: ColumnMap) -> tuple[str, int] | None:
    """Return the field of a column with the name ``own`` under the group ``over``.

    ``电话`` under 经办人 is not the customer's: a personal column counts only under a group that says nothing new.
    """
    if not over or over == own:
        return columns.field(own)
    if found := columns.field(over + own):
        return found
    found = columns.field(own)
    if found is None or found[1] == _MAPPED:
        return found
    spec = columns.kind.specs.get(found[0])
    if spec is not None and spec.personal and normal_header(over) not in vocabulary().groups:
        return None
    return found[0], _UNDER_GROUP


def _letter(column: int) -> str:
    """Return the letter by which spreadsheets call a column."""
    letters = ""
    while column >= 0:
        letters = chr(65 + column % 26) + letters
        column = column // 26 - 1
    return letters
