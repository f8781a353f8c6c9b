"""An SVG as a PNG, for those who want to send or print it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from keguan.charts.bars import FONTS
from keguan.errors import UsageError

__all__ = ["require_png", "svg_to_png"]

_SCALE = 2.0
_CHINESE, _NOBODYS = "\u4e2d", "\U0010ffff"


def require_png() -> None:
    """Make sure that PNG can be drawn here. Raises ``UsageError`` without the extra ``charts``."""
    _svg_to_bytes()


def svg_to_png(svg: str, font: Path | None = None) -> bytes:
    """Return ``svg`` drawn at twice its size, its text in ``font`` or the machine's fonts.

    Raises ``UsageError`` without the extra ``charts``, and where Chinese text would come out as empty boxes.
    """
    chinese = any(character > "\u2e7f" for character in svg)
    if chinese and _draw(_sample(_CHINESE), font) == _draw(_sample(_NOBODYS), font):
        raise UsageError("charts.no_font")
    return _draw(svg, font)


def _draw(svg: str, font: Path | None) -> bytes:
    files = None if font is None else [str(font)]
    return bytes(_svg_to_bytes()(svg_string=svg, zoom=_SCALE, font_files=files))


def _svg_to_bytes() -> Callable[..., bytes]:
    try:
        from resvg_py import svg_to_bytes  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise UsageError("charts.missing") from error
    return svg_to_bytes


def _sample(character: str) -> str:
    """Return a picture of one character: one that no font has looks like one that the fonts at hand lack."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">'
        f'<text x="5" y="30" font-size="24" font-family="{FONTS}">{character}</text></svg>'
    )
