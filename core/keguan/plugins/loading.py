"""Loads the plugins that are on: all modules, then all hookspecs, then all implementations, then what they say.

Every step is taken for each plugin on its own. A plugin that is off is never imported; one that is on and fails
is named, and the start is refused.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

import pluggy

from keguan import hookspecs
from keguan.errors import ConfigError, KeguanError, PluginError
from keguan.nearest import nearest
from keguan.plugins.answers import Failure, Result
from keguan.plugins.discovery import Installed, discover
from keguan.plugins.door import Door, guarded
from keguan.plugins.implementations import Implementation, implementations, judge, specs_in
from keguan.plugins.loaded import LoadRecord, Plugins
from keguan.plugins.preparation import Preparation
from keguan.plugins.scope import CityScope, with_requirements
from keguan.plugins.watchdog import Unwatched
from keguan.settings import BUILT_IN_PLUGINS, Settings

__all__ = ["Attempt", "attempt_plugins", "load_plugins"]

R = TypeVar("R")
CORE = "keguan"
"""Who owns what no plugin does, in errors."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of an attempt to load: the plugins, and every failure by the plugin's name."""

    plugins: Plugins
    """Those that could be loaded; complete only without failures."""
    failures: Mapping[str, KeguanError]


def load_plugins(
    settings: Settings,
    *,
    suspended: Collection[str] = (),
    watchdog: Unwatched | None = None,
    installed: Mapping[str, Installed] | None = None,
) -> Plugins:
    """Return the plugins that ``settings`` switch on, loaded and checked.

    ``suspended`` are those that hung too often and are left out; ``installed`` stands in for the entry points
    of the environment. Raises the first ``PluginError`` or ``ConfigError`` when a plugin that is on does not
    load; the plugin's own traceback is in the error's notes.
    """
    attempt = attempt_plugins(settings, suspended=suspended, watchdog=watchdog, installed=installed)
    for name in sorted(attempt.failures):
        raise attempt.failures[name]
    return attempt.plugins


def attempt_plugins(
    settings: Settings,
    *,
    suspended: Collection[str] = (),
    watchdog: Unwatched | None = None,
    installed: Mapping[str, Installed] | None = None,
) -> Attempt:
    """Load as ``load_plugins`` does, but go on after a failure: for ``keguan plugins check``.

    Raises ``PluginError`` only when two distributions claim one name.
    """
    found = discover() if installed is None else installed
    loading = _Loading(settings, found, watchdog or Unwatched())
    with loading.watchdog.batch():
        loading.name_absent()
        loading.import_modules(suspended)
        loading.leave_out_unmet()
        loading.publish_hookspecs()
        loading.register()
        return Attempt(loading.prepared_plugins(), loading.failures)


class _Loading:
    """The steps, in order, and what they have found so far. A plugin that fails is left out of further steps."""

    def __init__(self, settings: Settings, installed: Mapping[str, Installed], watchdog: Unwatched) -> None:
        self.settings = settings
        self.watchdog = watchdog
        self.failures: dict[str, KeguanError] = {}
        self._installed = installed
        self._inactive: dict[str, KeguanError] = {}
        self._modules: dict[str, Any] = {}
        self._requires: dict[str, tuple[str, ...]] = {}
        self._scopes: dict[str, CityScope] = {}
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._specs = specs_in(self._manager, hookspecs)
        self._publisher = dict.fromkeys(self._specs, CORE)
        self._found: dict[str, list[Implementation]] = {}

    # --- Steps -----------------------------------------------------------------------------------------------

    def name_absent(self) -> None:
        """Refuse tables of plugins that are not installed: a misspelt name would silently do nothing."""
        for name in self.settings.plugins:
            if name in self._installed or (name in BUILT_IN_PLUGINS and not self.settings.is_on(name)):
                continue
            where = f"{self.settings.config_file or '–'}: plugins.{name}"
            near = nearest(name, self._installed)
            key = "plugins.absent_near" if near else "plugins.absent"
            self.failures[name] = ConfigError(key, where=where, plugin=name, near=near or "")

    def import_modules(self, suspended: Collection[str]) -> None:
        """Import every plugin that is on, each by itself."""
        for name, plugin in self._installed.items():
            if not self.settings.is_on(name):
                continue
            if name in suspended:
                self._inactive[name] = PluginError("plugins.suspended", **plugin.label)
                continue
            module = self._answer(name, guarded(plugin, "import", self.watchdog, plugin.load))
            if module is None:
                continue
            requires = getattr(module, "requires", ())
            if not isinstance(requires, tuple | list) or not all(isinstance(each, str) for each in requires):
                self._fail(name, PluginError("plugins.requires", **plugin.label))
                continue
            self._modules[name] = module
            self._requires[name] = tuple(requires)

    def leave_out_unmet(self) -> None:
        """Take out the plugins whose requirements are off everywhere; narrow the others to where they are on."""
        tables = {name: self.settings.plugin(name) for name in self._modules}
        own = {name: CityScope.of(table.cities, table.except_cities) for name, table in tables.items()}
        self._scopes = with_requirements(own, self._requires)
        off = [name for name, scope in self._scopes.items() if scope.empty]
        for name in off:
            missing = next((each for each in self._requires[name] if self._off(each)), self._requires[name][0])
            error = PluginError("plugins.requirement_off", needed=missing, **self._installed[name].label)
            self._inactive[name] = error
            del self._modules[name]

    def _off(self, name: str) -> bool:
        return name not in self._scopes or self._scopes[name].empty

    def publish_hookspecs(self) -> None:
        """Add the hookspecs by which areas let others adjust them."""
        for name, module in list(self._modules.items()):
            self._found[name] = implementations(self._manager, module)
            publish = [each for each in self._found[name] if each.hook == "register_hookspecs"]
            if not publish:
                continue
            plugin = self._installed[name]
            answer = self._answer(name, guarded(plugin, "register_hookspecs", self.watchdog, publish[0].function))
            if name in self._modules:
                self._publish(plugin, answer)

    def _publish(self, plugin: Installed, module: object) -> None:
        if not isinstance(module, ModuleType):
            self._fail(plugin.name, PluginError("plugins.hookspecs_type", **plugin.label))
            return
        specs = specs_in(self._manager, module)
        for hook in specs:
            options: Mapping[str, object] = self._manager.parse_hookspec_opts(module, hook) or {}
            if hook in self._specs:
                first = self._publisher[hook]
                self._fail(
                    plugin.name,
                    PluginError("plugins.clash", hook="register_hookspecs", name=hook, first=first, second=plugin.name),
                )
                return
            if options.get("historic") or options.get("firstresult"):
                self._fail(plugin.name, PluginError("plugins.hookspec_kind", hook=hook, **plugin.label))
                return
        if specs:
            self._manager.add_hookspecs(module)
            self._specs |= specs
            self._publisher |= dict.fromkeys(specs, plugin.name)

    def register(self) -> None:
        """Register all implementations, after each was judged against its hookspec."""
        owners: dict[int, str] = {}
        for name, module in list(self._modules.items()):
            plugin = self._installed[name]
            wrong = next(judge(plugin, self._found[name], self._specs), None)
            first = owners.setdefault(id(module), name)
            if wrong is None and first != name:
                wrong = PluginError("plugins.same_object", first=first, second=name)
            if wrong is not None:
                self._fail(name, wrong)
                continue
            try:
                self._manager.register(module, name)
            except (pluggy.PluginValidationError, TypeError, ValueError) as error:
                problem = " ".join(str(error).split())
                self._fail(name, PluginError("plugins.failed", hook="register", problem=problem, **plugin.label))

    def prepared_plugins(self) -> Plugins:
        """Ask each plugin for its settings, preparation and registrations, and put everything together."""
        own = {name: self._installed[name] for name in sorted(self._modules)}
        door = Door(self._manager, own, self.watchdog)
        preparation = Preparation(self.settings, door, own, self._scopes, self._publisher, self._fail)
        preparation.run()
        names = tuple(name for name in own if name in self._modules and name not in self.failures)
        return Plugins(
            installed=own,
            names=names,
            scopes={name: self._scopes[name] for name in names},
            settings=preparation.settings,
            prepared=preparation.prepared,
            actions=preparation.actions,
            own_actions={
                name: frozenset(action for owner, action in preparation.actions if owner == name) for name in names
            },
            checks=tuple(each for each in preparation.checks if each[0] in names),
            forms={full: form for full, form in preparation.forms.items() if full.partition(".")[0] in names},
            pins={name: values for name, values in preparation.pins.items() if name in names},
            event_types=preparation.event_types,
            adapters=tuple(preparation.adapters),
            packages={name: package for name in names if (package := _package_of(self._modules[name]))},
            records=tuple(self._records(door)),
            door=door,
        )

    def _records(self, door: Door) -> Iterator[LoadRecord]:
        for name in sorted({*self._installed, *self.failures}):
            plugin = self._installed.get(name)
            error = self.failures.get(name) or self._inactive.get(name)
            yield LoadRecord(
                name,
                plugin.distribution or None if plugin else None,
                plugin.version or None if plugin else None,
                requires=self._requires.get(name, ()),
                hooks=tuple(sorted(door.hooks_of(name))),
                loaded=name in self._modules and error is None,
                error=error,
            )

    # --- Failures ----------------------------------------------------------------------------------------------

    def _answer(self, name: str, answer: Result[R] | Failure) -> R | None:
        if isinstance(answer, Failure):
            self._fail(name, answer.noted())
            return None
        return answer.value

    def _fail(self, name: str, error: KeguanError) -> None:
        """Leave the plugin out from here on; its first failure is the one that counts."""
        self.failures.setdefault(name, error)
        self._modules.pop(name, None)


def _package_of(plugin: object) -> str | None:
    """Return the name of the package whose files belong to ``plugin``, a module or an object of one."""
    name = plugin.__name__ if isinstance(plugin, ModuleType) else type(plugin).__module__
    module = sys.modules.get(name)
    if module is None:
        return None
    return name if hasattr(module, "__path__") else module.__package__ or None
