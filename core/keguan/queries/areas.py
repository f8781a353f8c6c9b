"""What the areas themselves say of their plans to those who read: names, steps, defaults of ours, whom they touch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar

from keguan.model import Action, Contract, Form, Remarks
from keguan.plugins.answers import Failure
from keguan.texts import Language

if TYPE_CHECKING:
    from keguan.plugins import Plugins

__all__ = ["Areas"]

P = ParamSpec("P")
R = TypeVar("R")
_NOTHING = Remarks()


class Areas:
    """The actions and forms of the plugins at work; without any, readers are told nothing beside what is stored."""

    def __init__(
        self,
        actions: Mapping[tuple[str, str], Action] | None = None,
        forms: Mapping[str, Form] | None = None,
        plugins: Plugins | None = None,
    ) -> None:
        self.actions = actions or {}
        self.forms = forms or {}
        """By full name, ``PLUGIN.FORM``."""
        self._plugins = plugins
        self._failures: dict[str, None] = {}
        self._remarks: dict[tuple[str, str, str, str], Remarks] = {}

    @classmethod
    def of(cls, plugins: Plugins) -> Self:
        """Return what ``plugins`` say; one that raises is noted in ``failures`` and says nothing."""
        return cls(plugins.actions, plugins.forms, plugins)

    @property
    def failures(self) -> list[str]:
        """What plugins raised, a line each."""
        return list(self._failures)

    @property
    def touching(self) -> Collection[tuple[str, str]]:
        """Plugin and name of the actions about a project that may touch those who bought there."""
        return [key for key, action in self.actions.items() if action.touches is not None]

    def label(self, plugin: str, action: str, language: Language) -> str | None:
        """Return what people call an action; ``None``: nobody knows."""
        known = self.actions.get((plugin, action))
        return known.label.get(language) if known is not None and known.label else None

    def remarks(self, plugin: str, action: str, city: str, clause: str, language: Language) -> Remarks:
        """Return what the area says of a plan with this clause in this city."""
        key = (plugin, action, city, clause)
        if key not in self._remarks:
            known = self.actions.get((plugin, action))
            said = None
            if known is not None and known.remarks is not None:
                said = self._ask(plugin, action, known.remarks, city, clause, language)
            self._remarks[key] = said or _NOTHING
        return self._remarks[key]

    def touches(self, plugin: str, action: str, contract: Contract, day: date) -> bool:
        """Return whether a promise to the project that is due on ``day`` is meant for those who bought so."""
        known = self.actions.get((plugin, action))
        if known is None or known.touches is None:
            return False
        return bool(self._ask(plugin, action, known.touches, contract, day))

    def _ask(
        self, plugin: str, action: str, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R | None:
        if self._plugins is None:
            return function(*args, **kwargs)
        answer = self._plugins.ask_action(plugin, action, function, *args, **kwargs)
        if isinstance(answer, Failure):
            self._failures[str(answer)] = None
            return None
        return answer.value
