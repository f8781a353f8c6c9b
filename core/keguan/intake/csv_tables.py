"""Records of a delimited text file, one at a time, with line numbers, whatever happened to its quotes.

The stock CSV reader swallows the rest of a file behind a quote that was left open and stops at cells of
131,072 characters; this one gives the lines back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from keguan.errors import InputError
from keguan.intake.cells import Cell
from keguan.intake.encodings import LINE_LIMIT, TextFile, looks_like_utf8

__all__ = ["DELIMITERS", "Record", "csv_records"]

DELIMITERS = (",", "\t", ";")
# How far a quoted cell may run; an open quote is noticed after that at the latest.
QUOTED_LINES = 2_000
QUOTED_CHARS = 1_000_000


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the file has it."""

    number: int
    """The line it begins on, from 1."""
    cells: list[Cell] = field(repr=False)
    reason: str | None = None
    """A catalogue key when the record cannot be trusted; ``cells`` then holds what could be split."""
    values: Mapping[str, object] = field(default_factory=dict)


def csv_records(path: Path, text: TextFile, delimiter: str, width: int = 0) -> Iterator[Record]:
    """Yield the records of ``path``; broken ones carry a reason and cost no other record.

    ``width`` is the number of cells in the header, 0 while it is not known.

    A quoted cell may run over several lines. A quote that is never closed, or is closed in the middle of a
    cell, makes only the line it stands on a broken record; reading goes on with the next line. Where a quoted
    cell closes properly but the lines in it look like records themselves, all of them are one broken record:
    to take them as records could let a customer's text write records of its own.
    """
    lines = _Lines(path, text)
    while (line := lines.next()) is not None:
        number = lines.number
        if '"' not in line:
            record = Record(number, list(line.split(delimiter)))
        else:
            record = _quoted(lines, line, number, delimiter, width)
        if record.reason is None:
            record = _checked(record, line, lines)
        yield record


class _Lines:
    """The physical lines of a file without their ends, with the possibility to give some back."""

    def __init__(self, path: Path, text: TextFile) -> None:
        self.path, self.text = path, text
        self.number = 0
        self._back: deque[str] = deque()
        self._source = self._read()

    def _read(self) -> Iterator[str]:
        newline, first = self.text.newline, True
        with self.path.open(encoding=self.text.encoding, errors="replace", newline=newline) as file:
            while line := file.readline(LINE_LIMIT):
                if len(line) >= LINE_LIMIT:
                    raise InputError("import.line_too_long", file=self.path.name, line=self.number + 1)
                yield (line.lstrip("\ufeff") if first else line).rstrip("\r\n")
                first = False

    def next(self) -> str | None:
        """Return the next line, ``None`` at the end."""
        line = self._back.popleft() if self._back else next(self._source, None)
        self.number += line is not None
        return line

    def give_back(self, lines: list[str]) -> None:
        """Return ``lines``, the last ones taken, to be taken again."""
        self._back.extendleft(reversed(lines))
        self.number -= len(lines)


def _quoted(lines: _Lines, line: str, number: int, delimiter: str, width: int) -> Record:
    """Return the record that begins with ``line``, taking further lines as far as its quoted cells need them."""
    cells: list[Cell] = []
    taken: list[str] = []
    position, text, swallows = 0, line, False
    while True:
        if not text.startswith('"', position):
            end = text.find(delimiter, position)
            end = len(text) if end < 0 else end
            cells.append(text[position:end])
        else:
            found = _quoted_cell(lines, text, position + 1, taken)
            if found is None or (found[2] < len(found[1]) and found[1][found[2]] != delimiter):
                lines.give_back(taken)
                reason = "import.quote_open" if found is None else "import.quote_misplaced"
                return Record(number, list(line.split(delimiter)), reason)
            cell, text, end = found
            cells.append(cell)
            swallows = swallows or ("\n" in cell and _holds_records(cell, text, delimiter, width))
        if end >= len(text):
            break
        position = end + 1
    if swallows:
        return Record(number, cells, "import.quote_swallows", {"last": number + len(taken)})
    return Record(number, cells)


def _holds_records(cell: str, last_line: str, delimiter: str, width: int) -> bool:
    """Return whether a cell of several lines has lines with as many delimiters as the header has."""
    inner = cell.split("\n")[1:]
    return width >= 3 and (
        any(line.count(delimiter) == width - 1 for line in inner[:-1])
        or (delimiter in inner[-1] and last_line.count(delimiter) == width - 1)
    )


def _quoted_cell(lines: _Lines, text: str, start: int, taken: list[str]) -> tuple[str, str, int] | None:
    """Return the quoted cell that begins at ``start``, the line it ends on, and where behind its closing quote.

    ``None`` when it does not end within bounds; the lines taken are appended to ``taken``.
    """
    parts: list[str] = []
    size = 0
    while True:
        quote = text.find('"', start)
        if quote < 0:
            parts.append(text[start:])
            size += len(text) - start
            following = lines.next() if len(taken) < QUOTED_LINES and size < QUOTED_CHARS else None
            if following is None:
                return None
            taken.append(following)
            parts.append("\n")
            text, start = following, 0
        elif text.startswith('"', quote + 1):
            parts.append(text[start : quote + 1])
            start = quote + 2
        else:
            parts.append(text[start:quote])
            return "".join(parts), text, quote + 1


def _checked(record: Record, line: str, lines: _Lines) -> Record:
    """Return ``record``, broken if it holds bytes that are not of the file's encoding, or NUL."""
    for cell in record.cells if '"' in line else (line,):
        assert isinstance(cell, str)
        if "\x00" in cell:
            return Record(record.number, record.cells, "import.nul")
        if "\ufffd" in cell:
            return Record(record.number, record.cells, "import.undecodable", {"encoding": lines.text.encoding})
        if lines.text.suspects and not cell.isascii() and looks_like_utf8(cell.encode("gb18030", "replace")):
            return Record(record.number, record.cells, "import.undecodable", {"encoding": lines.text.encoding})
    return record
