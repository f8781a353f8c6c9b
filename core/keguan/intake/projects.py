"""What a project's row changes: its milestones and what else is known of it."""

from __future__ import annotations

from collections.abc import Iterable

from keguan.intake.book import Book
from keguan.intake.contracts import refuse_future
from keguan.intake.derived import DERIVED
from keguan.intake.entries import ProjectEntry
from keguan.intake.facts import ProjectFacts
from keguan.intake.news import MILESTONES, tell_of_project

__all__ = ["apply_project", "load_for_projects"]

_TOLD = ("city", "area", "fitting", *MILESTONES)


def load_for_projects(book: Book, facts: Iterable[ProjectFacts]) -> None:
    """Load everything that :func:`apply_project` needs for ``facts``."""
    book.load_projects(one.project for one in facts)


def apply_project(book: Book, facts: ProjectFacts) -> tuple[ProjectEntry, bool]:
    """Bring the project in line with ``facts``; return it and whether anything was new.

    A milestone that is set or moved is told as ``project_milestone``, dates to come included: launches and handovers
    are planned. Something else that is new is told as ``project_changed``; a new project without dates is no event.
    What is stated here of handover and fitting holds from now on, whatever contracts and homes say. Raises
    :class:`Refused` for a handover that lies beyond tomorrow.
    """
    refuse_future(book.today_in(facts.project, facts.city), handed_over_on=facts.handed_over_on)
    project = book.projects.get(facts.project)
    created = project is None
    if project is None:
        project = ProjectEntry(book.number(ProjectEntry), facts.project, facts.city or "")
        book.add(project)
    said = {name for name in _TOLD if getattr(facts, name) is not None}
    stated = ",".join(name for name in DERIVED if name in said | project.stated_names)
    changed = {name for name in said if getattr(facts, name) != getattr(project, name)}
    if not changed and stated == project.stated:
        return project, created
    project.stated = stated
    for name in changed:
        setattr(project, name, getattr(facts, name))
    book.touch(project)
    tell_of_project(book, project, changed, created=created)
    return project, True
