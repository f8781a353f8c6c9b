"""The plugin's own table in the configuration: ``[plugins.sixplustwo]``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from keguan_sixplustwo.touchpoint import Edition

__all__ = ["Settings"]


def _known_as(value: object) -> object:
    """Return the edition's name: people also write the year of the second one."""
    return "e2011" if str(value) == "2011" else value


_Edition = Annotated[Edition, BeforeValidator(_known_as)]


class Settings(BaseModel):
    """Which edition of the 6+2 steps is in force."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    edition: _Edition = "guide"
    """``guide``, ``e2011`` (or ``2011``) or ``original``, for every project that is not named below."""
    project_editions: Mapping[str, _Edition] = {}
    """Another edition for single projects, by the project's name."""

    def edition_of(self, project: str) -> Edition:
        """Return the edition in force for the project of this name."""
        return self.project_editions.get(project, self.edition)

    @property
    def editions(self) -> frozenset[Edition]:
        """The editions in force anywhere."""
        return frozenset({self.edition, *self.project_editions.values()})
