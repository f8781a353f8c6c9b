"""Which encoding a text file is in, decided over the whole file, and what a file is that is no text."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from keguan.errors import InputError

__all__ = ["LINE_LIMIT", "TextFile", "inspect_text", "looks_like_utf8"]

LINE_LIMIT = 4_000_000  # bytes or characters; what has longer lines is no table
SAMPLE = 1 << 16

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FOREIGN = (
    (b"\xd0\xcf\x11\xe0", "import.file_is_old_excel"),
    (b"%PDF", "import.file_is_other"),
    (b"\x89PNG", "import.file_is_other"),
    (b"\xff\xd8\xff", "import.file_is_other"),
    (b"Rar!", "import.file_is_other"),
    (b"7z\xbc\xaf", "import.file_is_other"),
    (b"\x1f\x8b", "import.file_is_other"),
    (b"SQLite format 3\x00", "import.file_is_other"),
)
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|table|head|meta|\?xml|style|div)", re.IGNORECASE)
_CONTROL = bytes(code for code in range(32) if code not in (9, 10, 13, 27))
_WIDE = re.compile(rb"[\xe2-\xef][\x80-\xbf]{2}")  # three bytes: Chinese in UTF-8, hardly ever by accident in GB18030


@dataclass(frozen=True, slots=True)
class TextFile:
    """How to read a text file."""

    encoding: str
    """``utf-8``, ``utf-8-sig``, ``gb18030``, ``utf-16-le`` or ``utf-16-be``."""
    newline: str
    """What ends a line: ``\\n`` (a ``\\r`` before it is not content), or ``\\r`` alone."""
    bom: bool
    suspects: bool
    """Whether single lines are in another encoding than the file; they must be refused one by one."""


def inspect_text(path: Path) -> TextFile:
    """Return how to read ``path``, in one pass over all of it and in bounded memory.

    Raises ``InputError`` when it is empty, no text, no UTF-8, GB18030 or UTF-16, or changes its encoding.
    """
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
        _refuse_foreign(path, sample)
        for bom, encoding in _BOMS:
            if sample.startswith(bom) and encoding != "utf-8-sig":
                return TextFile(encoding, _newline_of(sample, encoding), bom=True, suspects=False)
        if wide := _utf16_without_bom(sample):
            return TextFile(wide, _newline_of(sample, wide), bom=False, suspects=False)
        if len(sample.translate(None, _CONTROL)) < 0.95 * len(sample):
            raise InputError("import.file_is_binary", file=path.name)
        newline = "\n" if b"\n" in sample or b"\r" not in sample else "\r"
        file.seek(0)
        votes = _Votes()
        votes.count(file, newline.encode(), path)
    return _decide(path, votes, newline, bom=sample.startswith(codecs.BOM_UTF8))


def looks_like_utf8(line: bytes) -> bool:
    """Return whether ``line`` is certainly UTF-8: valid, with characters of three bytes."""
    if not _WIDE.search(line):
        return False
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _refuse_foreign(path: Path, sample: bytes) -> None:
    if not sample.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00"):
        raise InputError("import.file_empty", file=path.name)
    for magic, key in _FOREIGN:
        if sample.startswith(magic):
            raise InputError(key, file=path.name)
    if _MARKUP.match(sample.removeprefix(codecs.BOM_UTF8)):
        raise InputError("import.file_is_markup", file=path.name)


def _utf16_without_bom(sample: bytes) -> str | None:
    """Return the byte order when every other byte is often zero, as with digits and commas in UTF-16."""
    units = len(sample) // 2
    high, low = sample[1 : units * 2 : 2].count(0), sample[0 : units * 2 : 2].count(0)
    many, few = max(high, low), min(high, low)
    if units < 4 or many < 0.02 * units or few > 0.1 * many:
        return None
    encoding = "utf-16-le" if high > low else "utf-16-be"
    text = sample[: units * 2].decode(encoding, "replace")
    # A stray NUL in an 8-bit text makes such a pattern in a short file, but no readable UTF-16.
    odd = sum(1 for char in text if char == "\ufffd" or (char < " " and char not in "\t\r\n"))
    return encoding if odd <= 0.02 * len(text) and any(end in text for end in "\r\n\t,;") else None


def _newline_of(sample: bytes, encoding: str) -> str:
    text = sample.decode(encoding, "replace")
    return "\n" if "\n" in text or "\r" not in text else "\r"


class _Votes:
    """What the lines with bytes over 127 say about the encoding."""

    def __init__(self) -> None:
        self.utf8 = self.gb18030 = self.either = self.neither = 0
        self.first: dict[str, int] = {}

    def count(self, file: BinaryIO, newline: bytes, path: Path) -> None:
        number, rest = 0, b""
        while chunk := file.read(1 << 18):
            lines = (rest + chunk).split(newline)
            rest = lines.pop()
            if len(rest) > LINE_LIMIT:
                raise InputError("import.line_too_long", file=path.name, line=number + len(lines) + 1)
            for line in lines:
                number += 1
                if not line.isascii():
                    self._vote(line, number)
        if not rest.isascii():
            self._vote(rest, number + 1)

    def _vote(self, line: bytes, number: int) -> None:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            try:
                line.decode("gb18030")
            except UnicodeDecodeError:
                self.neither += 1
            else:
                self.gb18030 += 1
                self.first.setdefault("gb18030", number)
            return
        if _WIDE.search(line):
            self.utf8 += 1
            self.first.setdefault("utf-8", number)
        else:
            self.either += 1


def _decide(path: Path, votes: _Votes, newline: str, *, bom: bool) -> TextFile:
    utf8, gb18030 = votes.utf8, votes.gb18030
    if votes.neither > 3 and votes.neither > utf8 + gb18030 + votes.either:
        raise InputError("import.encoding_unknown", file=path.name)
    minority, total = min(utf8, gb18030), utf8 + gb18030
    if (minority >= 3 and minority * 4 >= total) or (minority > 10 and minority * 10 >= total):
        first = max(votes.first["utf-8"], votes.first["gb18030"])
        raise InputError("import.encoding_changes", file=path.name, line=first)
    if bom:
        return TextFile("utf-8-sig", newline, bom=True, suspects=False)
    if gb18030 > utf8 or (gb18030 == utf8 and votes.first.get("gb18030", 0) < votes.first.get("utf-8", 0)):
        return TextFile("gb18030", newline, bom=False, suspects=utf8 > 0)
    return TextFile("utf-8", newline, bom=False, suspects=False)
