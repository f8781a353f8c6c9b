"""Files as people attach them: photos with a place in them, documents, and what only pretends to be one."""

from __future__ import annotations

import zipfile
import zlib
from base64 import b85decode
from io import BytesIO
from typing import Any

from PIL import Image

__all__ = ["HEIC", "PDF", "document", "photo", "sound", "video"]

PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
HEIC = zlib.decompress(
    b85decode(
        b"c-muNV30{GsVvAy%}izhg51nBLl8SRGck>UfpKqcYDppk1Sn>t<P<^K3<a6VB@Af5Br_);Y>0~k0}}%yh{gC2LIZ&YPz(r|IN>57"
        b"!z?m0^U}aPkgO<>lL}S_RFhGbY{-Bl$Ouy6T9FA>&R39GlFI;9$?zw$pr`;y-^naU&Ii(^K)ue4%pjo&U`28t82<eI@q>YZpE&`j"
        b"L&AZPhw=Y^kOF3q3T6<J+r{LN2$a-xVq`><S)kC!I_=fES<fCQE;!J@z`)Z05^hNXs%CRxJXn0N6KIEUa(+%xUUE(aP?VQ}4XA`c"
        b"B(u0673y0DDAq{MNd!4e0P1!Q5dHuE{|lfn0MaL*VIfeES&<3S$jre3QX`RBkPC|nMg~UKMkZ#~79d+HvnVwUD$bXjQk)D9dyvVC"
        b"a#IpPk))!*xSrd?&$;32U#sx{r&#yZO-R4z()x78)vU0FIg>1_CTKTo0IFky1g@_ygBI9bOpN?sm+%0wT8AnF3)IC%Agh91or7FM"
        b"0zCZvTp7SNf>bj3L1L1X0UUA+0Z?~|L3JuXX)p!=v$t?2"
    )
)
"""A photo of an iPhone, 16 by 8 pixels, made by one and in a place; nothing here can write such files."""
_MAIN = {"word": "wordprocessingml.document.main+xml", "xl": "spreadsheetml.sheet.main+xml"}


def photo(
    form: str = "JPEG",
    size: tuple[int, int] = (64, 48),
    colour: Any = (200, 30, 30),
    *,
    turned: int = 1,
    mode: str = "RGB",
) -> bytes:
    """Return a picture that says where it was taken; ``turned`` is the orientation of its Exif data."""
    picture = Image.new(mode, size, colour)
    exif = Image.Exif()
    exif[0x0112] = turned
    exif[0x010F] = "SECRETPHONE"
    exif.get_ifd(0x8825).update({1: "N", 2: (22.0, 32.0, 1.0), 3: "E", 4: (114.0, 3.0, 2.0)})
    out = BytesIO()
    more = {"comment": b"SECRETCOMMENT"} if form == "JPEG" else {"xmp": b"<x>SECRETXMP</x>"} if form == "WEBP" else {}
    picture.save(out, form, exif=exif, **more)
    return out.getvalue()


def document(folder: str = "word", *, macros: bool = False) -> bytes:
    """Return a Word (``word``) or Excel (``xl``) document."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        kind = _MAIN[folder] if not macros else "ms-word.document.macroEnabled.main+xml"
        archive.writestr("[Content_Types].xml", f'<Types><Override ContentType="application/{kind}"/></Types>')
        archive.writestr("_rels/.rels", "<Relationships/>")
        archive.writestr("word/document.xml" if folder == "word" else "xl/workbook.xml", "<x/>")
        if macros:
            archive.writestr(f"{folder}/vbaProject.bin", b"Sub AutoOpen")
    return out.getvalue()


def video(brand: bytes = b"isom") -> bytes:
    """Return the beginning of a film or a recording in the container of MP4."""
    return (24).to_bytes(4, "big") + b"ftyp" + brand + b"\0\0\2\0isom" + brand + b"\0\0\0\x08free" * 8


def sound() -> bytes:
    """Return the beginning of an MP3."""
    return b"ID3\x04\0\0\0\0\0\x0a" + b"\0" * 200
