"""Campaigns and surveys: how many homes were heard, and what they said on each dimension."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from keguan.model import FilledForm, Form, FormField
from keguan.texts import Language

__all__ = ["HEARD", "UNHEARD", "Dimension", "Survey", "heard_lines", "survey_of"]

HEARD = frozenset({"visited", "checked", "maintained", "visit", "meeting", "phone", "paper"})
"""Outcomes of a line, or ways to ask, by which its home counts as covered."""
UNHEARD = frozenset({"refused", "declined", "unreachable", "unreached"})
"""Those by which it does not: nobody was there, or nobody wanted it."""


@dataclass(slots=True)
class Dimension:
    """What was answered to one question."""

    name: str
    label: str
    count: int = 0
    total: int = 0

    @property
    def mean(self) -> float | None:
        """The average mark; ``None`` while nobody answered."""
        return self.total / self.count if self.count else None


@dataclass(slots=True)
class Survey:
    """One project's homes in one campaign, and its dimensions by name."""

    homes: int = 0
    heard: int = 0
    dimensions: dict[str, Dimension] = field(default_factory=dict)

    @property
    def coverage(self) -> float | None:
        """The share of the homes that was heard, in per cent; ``None`` without any home."""
        return 100 * self.heard / self.homes if self.homes else None

    def meets(self, percent: int) -> bool:
        """Return whether so many of the homes were heard: 84.9 per cent are not 85."""
        return 100 * self.heard >= percent * self.homes


def survey_of(filled: Iterable[FilledForm], form: Form, language: Language) -> Survey:
    """Return what was filled into ``form`` for one campaign of one project, on one paper or several.

    Marks are counted where they stand: on the lines of the homes, or once for all beside them.
    """
    ratings = {each.name: each for each in form.every_field() if each.type == "rating"}
    survey = Survey(dimensions={name: Dimension(name, each.label.in_(language)) for name, each in ratings.items()})
    for paper in filled:
        survey.homes += len(paper.lines)
        survey.heard += heard_lines(paper)
        for answers in (paper.answers, *paper.lines):
            for dimension, mark in _marks(answers, ratings):
                survey.dimensions[dimension].count += 1
                survey.dimensions[dimension].total += mark
    return survey


def heard_lines(filled: FilledForm) -> int:
    """Return how many of a campaign's lines stand for a home that was heard."""
    return sum(line.get("outcome", line.get("method")) in HEARD for line in filled.lines)


def _marks(answers: Mapping[str, object], ratings: Mapping[str, FormField]) -> Iterator[tuple[str, int]]:
    for name, answer in answers.items():
        if name in ratings and isinstance(answer, int):
            yield name, answer
