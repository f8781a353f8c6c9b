"""A look into a workbook before it is loaded: is it one, is it small enough, and where do formulas fail.

The library that reads workbooks allocates a sheet's whole rectangle, trusts the archive's sizes and shows a
failed formula as an empty cell. So the sheet's XML is first streamed past once, in bounded memory.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.parsers import expat

from keguan.errors import InputError

__all__ = ["SheetFacts", "WorkbookFacts", "XlsxLimits", "inspect_workbook"]

BLOCK = 1 << 16
ERRORS_LIMIT = 50_000


@dataclass(frozen=True, slots=True)
class XlsxLimits:
    """What a workbook may take. CSV has no such limits, so that is where the error messages point."""

    rows: int = 300_000
    cells: int = 3_000_000
    """Rows times columns of the rectangle that holds values: that much is loaded, about 100 bytes each."""
    sheet_bytes: int = 200_000_000
    """Uncompressed, of one part of the archive; all parts together may have twice as much."""


@dataclass(slots=True)
class SheetFacts:
    """What a sheet holds: the rectangle with values, and the cells that hold failed formulas."""

    name: str
    part: str
    visible: bool
    rows: int = 0
    columns: int = 0
    values: int = 0
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    """Row and column, from 0, to ``#DIV/0!`` and the like."""


@dataclass(frozen=True, slots=True)
class WorkbookFacts:
    """What a workbook holds."""

    sheets: list[SheetFacts]
    date_1904: bool


def inspect_workbook(path: Path, limits: XlsxLimits, *, hidden: bool = False) -> WorkbookFacts:
    """Return the facts of the workbook, its visible sheets counted, and the ``hidden`` ones too where asked for.

    Raises ``InputError`` when it is no XLSX workbook, damaged, encrypted, or above the limits.
    """
    with _readable(path), zipfile.ZipFile(path) as archive:
        _check_sizes(path, archive, limits)
        if archive.testzip() is not None:  # reads every part: sizes that lie show here
            raise InputError("import.xlsx_damaged", file=path.name)
        workbook = _workbook_part(archive)
        if workbook is None:
            raise InputError("import.file_is_other", file=path.name)
        facts = _sheets(archive, workbook)
        for sheet in facts.sheets:
            if (sheet.visible or hidden) and sheet.part in archive.namelist():
                _measure(path, archive, sheet, limits)
    return facts


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        # RuntimeError: encrypted parts; NotImplementedError: compression that no spreadsheet uses.
        raise InputError("import.xlsx_damaged", file=path.name) from error
    except expat.ExpatError as error:
        raise InputError("import.xlsx_damaged", file=path.name) from error


def _check_sizes(path: Path, archive: zipfile.ZipFile, limits: XlsxLimits) -> None:
    sizes = [entry.file_size for entry in archive.infolist()]
    if max(sizes, default=0) > limits.sheet_bytes or sum(sizes) > 2 * limits.sheet_bytes:
        raise InputError("import.xlsx_too_large", file=path.name, megabytes=limits.sheet_bytes // 1_000_000)


def _parse(
    stream: IO[bytes], start: Callable[[str, dict[str, str]], None], text: Callable[[str], None] | None = None
) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition(" ")[2], attributes)
    if text is not None:
        parser.CharacterDataHandler = text
    parser.EntityDeclHandler = _refuse_entities  # spreadsheets declare none; bombs do
    while block := stream.read(BLOCK):
        parser.Parse(block, False)
    parser.Parse(b"", True)


def _refuse_entities(*_: object) -> None:
    raise ValueError("an entity is declared")


def _relations(archive: zipfile.ZipFile, part: str) -> list[dict[str, str]]:
    folder, name = posixpath.split(part)
    found: list[dict[str, str]] = []
    source = posixpath.join(folder, "_rels", f"{name}.rels")
    if source in archive.namelist():
        with archive.open(source) as stream:
            _parse(stream, lambda tag, attributes: found.append(attributes) if tag == "Relationship" else None)
    for relation in found:
        relation["Target"] = posixpath.normpath(posixpath.join("/" + folder, relation.get("Target", ""))).lstrip("/")
    return found


def _workbook_part(archive: zipfile.ZipFile) -> str | None:
    for relation in _relations(archive, ""):
        if relation.get("Type", "").endswith("/officeDocument") and relation["Target"] in archive.namelist():
            return relation["Target"] if relation["Target"].endswith(".xml") else None
    return "xl/workbook.xml" if "xl/workbook.xml" in archive.namelist() else None


def _sheets(archive: zipfile.ZipFile, workbook: str) -> WorkbookFacts:
    parts = {relation.get("Id", ""): relation["Target"] for relation in _relations(archive, workbook)}
    sheets: list[SheetFacts] = []
    date_1904 = False

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal date_1904
        if tag == "workbookPr":
            date_1904 = attributes.get("date1904") in ("1", "true", "on")
        elif tag == "sheet":
            # The id is `r:id`; the prefix is the writer's choice, and `sheetId` is something else.
            part = next((value for key, value in attributes.items() if key.endswith(" id")), "")
            visible = attributes.get("state", "visible") == "visible"
            sheets.append(SheetFacts(attributes.get("name", ""), parts.get(part, ""), visible))

    with archive.open(workbook) as stream:
        _parse(stream, start)
    return WorkbookFacts(sheets, date_1904)


class _Measure:
    """Follows the XML of one sheet and keeps the facts."""

    def __init__(self, path: Path, sheet: SheetFacts, limits: XlsxLimits) -> None:
        self.path, self.sheet, self.limits = path, sheet, limits
        self.row = self.column = -1
        self.failed = self.in_value = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.in_value = False
        if tag == "row":
            self.row = int(attributes["r"]) - 1 if "r" in attributes else self.row + 1
            self.column = -1
        elif tag == "c":
            self._place(attributes.get("r", ""))
            self.failed = attributes.get("t") == "e"
        elif tag in ("v", "is"):
            self._count()
            self.in_value = self.failed

    def text(self, data: str) -> None:
        if self.in_value and data.startswith("#"):
            self.in_value = False
            self.sheet.errors[self.row, self.column] = data[:20]
            if len(self.sheet.errors) > ERRORS_LIMIT:
                raise InputError("import.xlsx_many_errors", file=self.path.name, sheet=self.sheet.name)

    def _place(self, reference: str) -> None:
        letters = reference.rstrip("0123456789")
        if not letters:
            self.column += 1
            return
        column = 0
        for letter in letters.upper():
            column = column * 26 + ord(letter) - 64
        self.column = column - 1
        self.row = int(reference[len(letters) :]) - 1

    def _count(self) -> None:
        sheet, limits = self.sheet, self.limits
        sheet.values += 1
        sheet.rows, sheet.columns = max(sheet.rows, self.row + 1), max(sheet.columns, self.column + 1)
        if sheet.rows > limits.rows or sheet.rows * sheet.columns > limits.cells:
            raise InputError(
                "import.xlsx_too_many_rows",
                file=self.path.name,
                sheet=sheet.name,
                rows=limits.rows,
                cells=limits.cells,
            )


def _measure(path: Path, archive: zipfile.ZipFile, sheet: SheetFacts, limits: XlsxLimits) -> None:
    follow = _Measure(path, sheet, limits)
    with archive.open(sheet.part) as stream:
        _parse(stream, follow.start, follow.text)
