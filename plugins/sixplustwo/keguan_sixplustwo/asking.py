"""What checks and tables ask the playbooks: which touchpoints are of a kind, and how one stands in a project now."""

from __future__ import annotations

from collections.abc import Callable

from keguan_sixplustwo.prepared import Prepared
from keguan_sixplustwo.touchpoint import Touchpoint

__all__ = ["PLUGIN", "actions_that", "entry_in_force", "forms_of"]

PLUGIN = "sixplustwo"


def actions_that(prepared: Prepared, fits: Callable[[Touchpoint], bool]) -> list[str]:
    """Return the ids of the touchpoints that are so in any playbook."""
    return sorted({entry.id for entry in _all(prepared) if fits(entry)})


def forms_of(prepared: Prepared, fits: Callable[[Touchpoint], bool]) -> list[str]:
    """Return the names of the forms of such touchpoints."""
    return sorted({entry.form for entry in _all(prepared) if entry.form is not None and fits(entry)})


def entry_in_force(prepared: Prepared, name: str, city: str, project: str | None) -> Touchpoint | None:
    """Return the touchpoint as the project's edition of today has it, else as any edition has it."""
    own = prepared.playbook(city, prepared.settings.edition_of(project or "")).touchpoints.get(name)
    return own or next((entry for entry in _all(prepared) if entry.id == name), None)


def _all(prepared: Prepared) -> list[Touchpoint]:
    return [entry for playbook in prepared.playbooks.values() for entry in playbook.touchpoints.values()]
