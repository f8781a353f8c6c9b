"""Pictures made anew: upright, smaller, in sRGB, and with nothing in them but what is seen.

A photo of a phone says where and when it was taken, with which device, and may hide whole files behind the
picture. Only the pixels are kept.
"""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keguan.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["redraw"]

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/heic": "HEIF"}
_WRITTEN: dict[str, tuple[str, dict[str, Any]]] = {
    "image/jpeg": ("image/jpeg", {"format": "JPEG", "quality": 88, "optimize": True}),
    "image/heic": ("image/jpeg", {"format": "JPEG", "quality": 88, "optimize": True}),
    "image/png": ("image/png", {"format": "PNG", "optimize": True}),
    "image/webp": ("image/webp", {"format": "WEBP", "quality": 86, "method": 4}),
}


def redraw(file: Path, media_type: str, name: str, *, side: int, megapixels: int, target: Path) -> str:
    """Write the picture in ``file`` anew to ``target`` and return its media type, which for HEIC is JPEG.

    ``side`` is the most pixels of its longer side. Of several pictures in one file the first is kept. Raises
    ``InputError`` when it is damaged, has more than ``megapixels`` million pixels, or is HEIC and the extra is
    missing.
    """
    if media_type == "image/heic":
        _teach_heic(name)
    written, how = _WRITTEN[media_type]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the libraries: damage that matters is an error, size is checked here
            picture = _upright(file, media_type, name, side, megapixels)
            plain = _plain(picture, side, transparent=written != "image/jpeg")
            plain.save(target, **how)
    except InputError:
        raise
    except Exception as error:  # decoders of damaged pictures raise whatever they come upon
        raise InputError("evidence.picture_damaged", file=name) from error
    return written


def _teach_heic(name: str) -> None:
    try:
        from pi_heif import register_heif_opener  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise InputError("evidence.heic", file=name) from error
    register_heif_opener(thumbnails=False)


def _upright(file: Path, media_type: str, name: str, side: int, megapixels: int) -> Image:
    from PIL import Image, ImageOps  # noqa: PLC0415 - needed only when somebody attaches a picture

    try:
        opened = Image.open(file, formats=[_FORMATS[media_type]])
    except Image.DecompressionBombError as error:  # more than anybody may configure
        raise InputError("evidence.picture_large", file=name, megapixels=megapixels) from error
    with opened as picture:
        width, height = picture.size
        if width * height > megapixels * 1_000_000:
            raise InputError("evidence.picture_large", file=name, megapixels=megapixels)
        picture.draft(None, (side, side))  # a JPEG is decoded no larger than needed
        return ImageOps.exif_transpose(picture)


def _plain(picture: Image, side: int, *, transparent: bool) -> Image:
    """Return the pixels alone, in sRGB, small enough."""
    from PIL import Image  # noqa: PLC0415 - as above

    profile = picture.info.get("icc_profile")
    if picture.mode.startswith(("I", "F")):
        picture = picture.convert("L")
    alpha = transparent and (picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info)
    coloured = _srgb(picture, profile, "RGBA" if alpha else "RGB")
    coloured.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    clean = Image.new(coloured.mode, coloured.size)
    clean.paste(coloured)
    return clean


def _srgb(picture: Image, profile: bytes | None, mode: str) -> Image:
    from PIL import ImageCms  # noqa: PLC0415 - as above

    if profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            turned = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if turned is not None:
                return turned.convert(mode)
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a profile that cannot be used: the colours stay a little off
    return picture.convert(mode)
