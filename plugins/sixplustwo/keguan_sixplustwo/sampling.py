"""Which homes of a project are visited: a share of them, at most so many, drawn so that anybody can draw again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from keguan_sixplustwo.touchpoint import Coverage

__all__ = ["SampleRule", "SampleSize", "draw", "sample_size", "seed_of"]

SampleRule = Literal["most", "percent"]
"""Which of the two counts where the share asks for more homes than the standard allows."""


@dataclass(frozen=True, slots=True)
class SampleSize:
    """How many homes are drawn, and whether the standard's two numbers can both hold."""

    size: int
    share: int
    """What the share alone asks for, rounded up."""
    most: int | None

    @property
    def contradicts(self) -> bool:
        """Whether the share asks for more than the standard allows."""
        return self.most is not None and self.share > self.most


def sample_size(homes: int, coverage: Coverage, rule: SampleRule = "most") -> SampleSize:
    """Return how many of ``homes`` homes are drawn: the share, rounded up, and at most ``coverage.most``.

    Where these contradict, ``rule`` says which of them counts.
    """
    share = homes if coverage.percent is None else -(-homes * coverage.percent // 100)
    size = share if coverage.most is None or rule == "percent" else min(share, coverage.most)
    return SampleSize(size, share, coverage.most)


def seed_of(key: str, setting: str) -> str:
    """Return the seed of one draw, short enough to be written down: from the plan's key and the company's setting."""
    return sha256(f"{setting}\n{key}".encode()).hexdigest()[:16]


def draw(labels: Sequence[str], size: int, seed: str) -> list[str]:
    """Return ``size`` of ``labels``, in their order: those with the smallest SHA-256 of ``SEED/LABEL``.

    The same on every machine and in every year, and a home that is added later changes at most one of the others.
    """
    by_lot = sorted(range(len(labels)), key=lambda place: (sha256(f"{seed}/{labels[place]}".encode()).digest(), place))
    return [labels[place] for place in sorted(by_lot[:size])]
