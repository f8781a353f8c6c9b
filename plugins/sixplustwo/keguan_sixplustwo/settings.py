"""The plugin's own table in the configuration: ``[plugins.sixplustwo]``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from keguan_sixplustwo.planning.components import Season
from keguan_sixplustwo.sampling import SampleRule
from keguan_sixplustwo.touchpoint import Edition

__all__ = ["Settings"]


def _known_as(value: object) -> object:
    """Return the edition's name: people also write the year of the second one."""
    return "e2011" if str(value) == "2011" else value


_Edition = Annotated[Edition, BeforeValidator(_known_as)]
_DAY = r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_Season = Annotated[str, Field(pattern=rf"^{_DAY}\.\.{_DAY}$")]


class Settings(BaseModel):
    """Which edition of the 6+2 steps is in force, what of it is switched on, and what the contracts warrant."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    edition: _Edition = "guide"
    """``guide``, ``e2011`` (or ``2011``) or ``original``, for every project that is not named below."""
    project_editions: Mapping[str, _Edition] = {}
    """Another edition for single projects, by the project's name."""
    optional: frozenset[str] = frozenset()
    """The ids of optional touchpoints that are done here."""
    warranty: Mapping[str, str] = {}
    """What the contracts warrant beyond the legal minimum, by component: ``8 years``, ``3 heating seasons``."""
    project_warranty: Mapping[str, Mapping[str, str]] = {}
    """The same for single projects, by the project's name."""
    sample_seed: str = ""
    """Any words: they change which homes are drawn, so that nobody outside the company can foresee a sample."""
    sample_rule: SampleRule = "most"
    """What counts where a share of the homes is more than the standard allows: ``most`` or ``percent``."""
    heating_season: _Season = "11-15..03-15"
    cooling_season: _Season = "05-15..09-15"

    def edition_of(self, project: str) -> Edition:
        """Return the edition in force for the project of this name."""
        return self.project_editions.get(project, self.edition)

    @property
    def editions(self) -> frozenset[Edition]:
        """The editions in force anywhere."""
        return frozenset({self.edition, *self.project_editions.values()})

    @property
    def seasons(self) -> Mapping[str, Season]:
        """The seasons that warranties count, by name."""
        return {"heating season": _season(self.heating_season), "cooling season": _season(self.cooling_season)}


def _season(text: str) -> Season:
    first, last = ([int(part) for part in day.split("-")] for day in text.split(".."))
    return Season((first[0], first[1]), (last[0], last[1]))
