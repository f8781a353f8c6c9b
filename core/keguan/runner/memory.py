"""How much memory a daemon keeps that its threads no longer need."""

from __future__ import annotations

import contextlib
import ctypes

__all__ = ["share_arenas"]

_ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h


def share_arenas() -> None:
    """Let all threads allocate from one arena. Call it before the first thread begins.

    glibc gives each thread an arena of its own, and what is free in one serves no other: that was a seventh of a
    daemon at rest. The threads take turns anyway. Without glibc nothing happens.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
