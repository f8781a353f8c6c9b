"""What a project's row changes: its milestones and what else is known of it."""

from __future__ import annotations

from collections.abc import Iterable

from keguan.intake.book import Book
from keguan.intake.entries import ProjectEntry
from keguan.intake.facts import ProjectFacts

__all__ = ["MILESTONES", "apply_project", "load_for_projects"]

MILESTONES = {"first_show_on": "first_show", "launch_on": "launch"}
"""The dates of a project that promises count from, and what the event calls them."""


def load_for_projects(book: Book, facts: Iterable[ProjectFacts]) -> None:
    """Load everything that :func:`apply_project` needs for ``facts``."""
    book.load_projects(one.project for one in facts)


def apply_project(book: Book, facts: ProjectFacts) -> tuple[ProjectEntry, bool]:
    """Bring the project in line with ``facts``; return it and whether anything was new.

    A milestone that is set or moved is told as ``project_milestone``, dates to come included: launches are
    planned. Another city or area is told as ``project_changed``; a new project without dates is no event.
    """
    project = book.projects.get(facts.project)
    created = project is None
    if project is None:
        project = ProjectEntry(book.number(ProjectEntry), facts.project, facts.city or "")
        book.add(project)
    changed = {
        name
        for name in ("city", "area", *MILESTONES)
        if getattr(facts, name) is not None and getattr(facts, name) != getattr(project, name)
    }
    if not changed:
        return project, created
    for name in changed:
        setattr(project, name, getattr(facts, name))
    book.touch(project)
    for name, milestone in MILESTONES.items():
        if name in changed:
            day = getattr(project, name)
            book.tell("project_milestone", project, milestone=milestone, **{name: day.isoformat()})
    rest = sorted(changed - MILESTONES.keys())
    if rest and not created:
        book.tell("project_changed", project, changed=rest)
    return project, True
