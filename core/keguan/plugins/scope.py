"""Where a plugin is on: a set of cities, or all but a set, since cities that nobody configured count too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["EVERYWHERE", "NOWHERE", "CityScope", "with_requirements"]


@dataclass(frozen=True, slots=True)
class CityScope:
    """The cities in ``only`` (``None``: every city), less those in ``but``."""

    only: frozenset[str] | None = None
    but: frozenset[str] = frozenset()

    @classmethod
    def of(cls, cities: Iterable[str] | None, except_cities: Iterable[str] | None) -> CityScope:
        """Return the scope that a plugin's table in the configuration describes."""
        return cls(None if cities is None else frozenset(cities), frozenset(except_cities or ()))

    def __contains__(self, city: object) -> bool:
        return (self.only is None or city in self.only) and city not in self.but

    def __and__(self, other: CityScope) -> CityScope:
        both = [only for only in (self.only, other.only) if only is not None]
        but = self.but | other.but
        if not both:
            return CityScope(None, but)
        return CityScope(frozenset.intersection(*both) - but)

    @property
    def empty(self) -> bool:
        """Whether there is surely no city in it."""
        return self.only is not None and self.only <= self.but


EVERYWHERE = CityScope()
NOWHERE = CityScope(frozenset())


def with_requirements(scopes: Mapping[str, CityScope], requires: Mapping[str, Iterable[str]]) -> dict[str, CityScope]:
    """Return each plugin's scope, less the cities in which something that it requires is off.

    ``scopes`` are the plugins that are on; what is required and not among them is off everywhere. Plugins may
    require each other.
    """
    found = dict(scopes)
    changed = True
    while changed:
        changed = False
        for name, scope in found.items():
            narrower = scope
            for needed in requires.get(name, ()):
                narrower &= found.get(needed, NOWHERE)
            if narrower != scope:
                found[name], changed = narrower, True
    return found
