"""What a file is, by its content and never by its name: the few kinds that prove something, and nothing else.

``filetype`` names what begins with a signature: of the libraries tried it is the one that tells Word from Excel
and knows the many brands of MP4 (puremagic does neither). What it names is then looked at more closely, because a
signature is easily put in front of anything.
"""

from __future__ import annotations

import codecs
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from keguan.errors import InputError

__all__ = ["ALLOWED", "Media", "MediaKind", "media_of"]

MediaKind = Literal["photo", "document", "video", "audio"]


@dataclass(frozen=True, slots=True)
class Media:
    """One kind of file that is allowed."""

    media_type: str
    suffix: str
    """What its name ends with when it is written out."""
    kind: MediaKind


ALLOWED = {
    each.media_type: each
    for each in (
        Media("image/jpeg", ".jpg", "photo"),
        Media("image/png", ".png", "photo"),
        Media("image/webp", ".webp", "photo"),
        Media("image/heic", ".heic", "photo"),
        Media("application/pdf", ".pdf", "document"),
        Media("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx", "document"),
        Media("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx", "document"),
        Media("text/plain", ".txt", "document"),
        Media("text/csv", ".csv", "document"),
        Media("video/mp4", ".mp4", "video"),
        Media("video/quicktime", ".mov", "video"),
        Media("audio/mp4", ".m4a", "audio"),
        Media("audio/mpeg", ".mp3", "audio"),
    )
}
_HEAD = 8192
_OFFICE = {"word/document.xml": ".docx", "xl/workbook.xml": ".xlsx"}
_MAIN = {  # what the list of contents must call the main part; with macros it is called otherwise
    ".docx": b"wordprocessingml.document.main+xml",
    ".xlsx": b"spreadsheetml.sheet.main+xml",
}
_MOST_PARTS = 10_000
_LIST_OF_CONTENTS = 4_000_000
_PICTURES = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"hevx")
_SOUND = (b"M4A ", b"M4B ", b"M4P ", b"F4A ")
_TEXT_NAMES = {".txt": "text/plain", ".csv": "text/csv"}


def media_of(file: Path, name: str) -> Media:
    """Return what ``file`` is. ``name``, what the person called it, decides only between texts.

    Raises ``InputError`` when it is none of the kinds that are allowed.
    """
    import filetype  # noqa: PLC0415 - needed only when somebody attaches a file

    with file.open("rb") as source:
        head = source.read(_HEAD)
    guessed = filetype.guess_mime(head)
    if head[4:8] == b"ftyp":
        guessed = _of_brand(head[8:12])
    elif head.startswith(b"PK\x03\x04"):
        guessed = _office(file, name)
    elif guessed is None and _is_text(file, head):
        guessed = _TEXT_NAMES.get(Path(name).suffix.lower())
    found = ALLOWED.get(guessed or "")
    if found is None or (found.suffix == ".pdf" and not _is_pdf(file)):
        raise InputError("evidence.kind", file=name)
    return found


def _of_brand(brand: bytes) -> str:
    """Tell apart what shares one container: ISO 14496-12, 4.3."""
    if brand in _PICTURES:
        return "image/heic"
    if brand in _SOUND:
        return "audio/mp4"
    if brand in (b"avif", b"avis", b"crx ", b"jp2 "):
        return "image/other"
    return "video/quicktime" if brand == b"qt  " else "video/mp4"


def _is_pdf(file: Path) -> bool:
    with file.open("rb") as source:
        begins = source.read(5) == b"%PDF-"
        source.seek(max(file.stat().st_size - 2048, 0))
        return begins and b"%%EOF" in source.read()


def _is_text(file: Path, head: bytes) -> bool:
    """Return whether all of ``file`` is text in UTF-8 or GB18030, without control characters."""
    if not head or set(head) & {*range(9), *range(14, 27), *range(28, 32), 127}:
        return False
    for encoding in ("utf-8-sig", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with file.open("rb") as source:
                while piece := source.read(1 << 20):
                    if b"\0" in piece:
                        return False
                    decoder.decode(piece)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return True
    return False


def _office(file: Path, name: str) -> str | None:
    """Return what a ZIP archive is when it is a Word or Excel document without macros. Nothing is unpacked."""
    try:
        with zipfile.ZipFile(file) as archive:
            parts = {entry.filename: entry for entry in archive.infolist()}
            listed = parts.get("[Content_Types].xml")
            suffix = next((found for part, found in _OFFICE.items() if part in parts), None)
            if listed is None or suffix is None or len(parts) > _MOST_PARTS or listed.file_size > _LIST_OF_CONTENTS:
                return None
            contents = archive.read(listed)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError):
        return None
    names = [part.lower() for part in parts]
    if b"macroEnabled" in contents or any("vbaproject" in each or "/activex/" in each for each in names):
        raise InputError("evidence.macros", file=name)
    if _MAIN[suffix] not in contents:
        return None
    return next(each.media_type for each in ALLOWED.values() if each.suffix == suffix)
