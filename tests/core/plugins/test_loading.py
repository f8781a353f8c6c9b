"""All modules are loaded first, then all hookspecs, then all implementations; each mistake names its plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from keguan.errors import ConfigError, KeguanError, PluginError
from keguan.plugins import Plugins, load_plugins

if TYPE_CHECKING:
    from tests.core.plugins.conftest import World

ON = "plugins.{}.enabled = true\n"
PLAIN = """
from keguan import Action
from pydantic import BaseModel
class Model(BaseModel, extra="forbid"):
    visits: int = 1
    rooms: list[str] = []
@hookimpl
def register_settings():
    return Model
@hookimpl
def prepare(settings, cities):
    return sorted(cities), settings.visits
@hookimpl
def register_actions(prepared):
    return [Action("visit", lambda job: [])]
@hookimpl
def on_handover(home):
    return []
"""


def load(world: World, *names: str, more: str = "") -> Plugins:
    return load_plugins(world.settings("".join(ON.format(name) for name in names) + more))


def refused(world: World, *names: str, more: str = "") -> str:
    with pytest.raises(KeguanError) as caught:
        load(world, *names, more=more)
    line = str(caught.value)
    assert "\n" not in line
    return line.replace(str(world.folder), "DIR").replace("_w", "")


def test_a_plugin_brings_settings_preparation_actions_and_hooks(world: World) -> None:
    world.add("wuhan", PLAIN)
    plugins = load(world, "wuhan", more="plugins.wuhan.visits = 2\ncities.wuhan = {}\ncities.a = {}")
    assert plugins.prepared["wuhan"] == (["a", "wuhan"], 2)
    assert plugins.actions["wuhan", "visit"].name == "visit"
    assert plugins.action_names("wuhan") == {"visit"}
    assert plugins.hooks_of("wuhan") == {"register_settings", "prepare", "register_actions", "on_handover"}
    assert plugins.packages == {"wuhan": "keguan_wuhan_w"}
    assert plugins.event_types["contract_cancelled"].retracts == {"deposit", "contract_signed"}
    (record,) = plugins.records
    assert (record.loaded, record.distribution, record.version) == (True, "keguan-wuhan", "0.3")


def test_a_plugins_settings_are_checked_with_its_own_model(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add("wuhan", PLAIN)
    assert refused(world, "wuhan", more="plugins.wuhan.vists = 2") == (
        "unknown key 'vists' (DIR/config/keguan.toml: plugins.wuhan.vists): did you mean 'visits'?"
    )
    assert refused(world, "wuhan", more="plugins.wuhan.visits = 'x'") == (
        "the value is not a whole number (DIR/config/keguan.toml: plugins.wuhan.visits): "
        "write a whole number without quotes"
    )
    world.add("bare", "")
    assert refused(world, "bare", more="plugins.bare.exept_cities = []") == (
        "unknown key 'exept_cities' (DIR/config/keguan.toml: plugins.bare.exept_cities): did you mean 'except_cities'?"
    )


def test_a_plugin_as_an_object_of_a_package_works_too(world: World) -> None:
    world.add(
        "wuhan",
        "class Plugin:\n    @hookimpl\n    def on_handover(self, home): return []\nplugin = Plugin()",
        attribute="plugin",
    )
    plugins = load(world, "wuhan")
    assert plugins.hooks_of("wuhan") == {"on_handover"}
    assert plugins.packages == {"wuhan": "keguan_wuhan_w"}


# --- What is refused ----------------------------------------------------------------------------------------

WHO = "plugin 'wuhan' 0.3, keguan-wuhan"
MISTAKES = {
    "import nothing_of_this_name": (
        "plugin 'wuhan' 0.3 (keguan-wuhan) failed in import: "
        "ModuleNotFoundError: No module named 'nothing_of_this_name'"
    ),
    "raise SystemExit(3)": "plugin 'wuhan' 0.3 (keguan-wuhan) failed in import: SystemExit: 3",
    "def broken(:": "plugin 'wuhan' 0.3 (keguan-wuhan) failed in import: SyntaxError: "
    "invalid syntax (__init__.py, line 2)",
    "requires = 'sixplustwo'": f"'requires' is not a tuple of plugin names ({WHO}): write requires = (\"sixplustwo\",)",
    "@hookimpl\ndef on_contract_singed(contract): ...": (
        f"there is no hook 'on_contract_singed' ({WHO}): did you mean 'on_contract_signed'?"
    ),
    "@hookimpl\ndef xyzzy(): ...": (
        f"there is no hook 'xyzzy' ({WHO}): see keguan/hookspecs.py, or mark it optionalhook=True"
    ),
    "@hookimpl\ndef on_handover(house): ...": (
        f"the hook has no argument 'house' ({WHO}, hook on_handover): it has home, context"
    ),
    "@hookimpl\ndef on_handover(*, home): ...": (
        f"the argument 'home' is never filled ({WHO}, hook on_handover): take plain arguments only, of home, context"
    ),
    "@hookimpl\nasync def on_handover(home): ...": (
        f"a hook cannot be async or a generator ({WHO}, hook on_handover): "
        "write a plain function that returns its answer"
    ),
    "@hookimpl\ndef on_handover(home): yield": (
        f"a hook cannot be async or a generator ({WHO}, hook on_handover): "
        "write a plain function that returns its answer"
    ),
    "@hookimpl(wrapper=True)\ndef on_handover(home): return (yield)": (
        f"hook wrappers are not called here ({WHO}, hook on_handover): write a plain function"
    ),
    "@hookimpl\ndef on_handover(home): ...\n@hookimpl(specname='on_handover')\ndef more(home): ...": (
        f"a plugin implements a hook once ({WHO}, hook on_handover): join the two functions"
    ),
    "@hookimpl\ndef register_settings(): return dict": (
        f"register_settings returned no pydantic model ({WHO}): return the class"
    ),
    "import pydantic\nclass M(pydantic.BaseModel): ...\n@hookimpl\ndef register_settings(): return M": (
        f'the model M takes unknown keys ({WHO}, register_settings): set extra="forbid", so that misspelt settings '
        "are found"
    ),
    "@hookimpl\ndef register_hookspecs(): return {}": (
        f"register_hookspecs returned no module ({WHO}): return the module with the hookspecs"
    ),
    "@hookimpl\ndef register_hookspecs(): raise ValueError('no')": (
        "plugin 'wuhan' 0.3 (keguan-wuhan) failed in register_hookspecs: ValueError: no"
    ),
    "@hookimpl\ndef register_settings(): raise ValueError('two\\nlines')": (
        "plugin 'wuhan' 0.3 (keguan-wuhan) failed in register_settings: ValueError: two lines"
    ),
    "@hookimpl\ndef prepare(): raise KeyError('x')": (
        "plugin 'wuhan' 0.3 (keguan-wuhan) failed in prepare: KeyError: 'x'"
    ),
    "@hookimpl\ndef register_actions(): return None": (f"register_actions returned NoneType ({WHO}): return a list"),
    "@hookimpl\ndef register_actions(): return ['visit']": (
        f"register_actions returned a list with str in it ({WHO}): return only what the hook asks for"
    ),
    "from keguan import Action\n@hookimpl\ndef register_actions(): return [Action('visit', None)]": (
        f"'visit' does not fit ({WHO}, register_actions): see the types of its fields; "
        "names have small letters, digits and single underscores"
    ),
    "from keguan import Action\n@hookimpl\ndef register_actions(): return [Action('visit', print)] * 2": (
        f"'visit' stands twice in the answer ({WHO}, register_actions): name each once"
    ),
    "from keguan import EventType\n@hookimpl\ndef register_event_types(): return [EventType('handover', 'home')]": (
        "'handover' is claimed by both 'keguan' and 'wuhan' (register_event_types): "
        "rename one, or switch one of the two off"
    ),
    "from keguan import EventType\n@hookimpl\ndef register_event_types():\n"
    "    return [EventType('sold', 'home', frozenset({'bougt'}))]": (
        f"the event type 'sold' takes back 'bougt', which does not exist ({WHO}): correct the name"
    ),
    "from keguan.adapters.base import AdapterType\n@hookimpl\ndef register_adapters():\n"
    "    return [AdapterType('fax', frozenset({'fax'}), dict, print)]": (
        f"'fax' does not fit ({WHO}, register_adapters): see the types of its fields; "
        "names have small letters, digits and single underscores"
    ),
}


@pytest.mark.parametrize(("source", "line"), MISTAKES.items(), ids=[source[:60] for source in MISTAKES])
def test_each_mistake_stops_the_start_with_one_line_that_names_the_plugin(world: World, source: str, line: str) -> None:
    world.add("wuhan", source)
    assert refused(world, "wuhan") == line


def test_the_traceback_is_in_the_notes_for_those_who_ask(world: World) -> None:
    world.add("wuhan", "def deep(): raise ValueError('call 13800138000')\ndeep()")
    with pytest.raises(PluginError) as caught:
        load(world, "wuhan")
    (note,) = caught.value.__notes__
    assert "in deep" in note
    assert "13800138000" not in note + str(caught.value)


def test_a_hook_that_only_newer_cores_know_can_be_marked_optional(world: World) -> None:
    world.add("wuhan", "@hookimpl(optionalhook=True)\ndef on_some_new_thing(thing): ...")
    assert load(world, "wuhan").names == ("wuhan",)


def test_two_plugins_that_claim_one_name_are_both_named(world: World) -> None:
    source = "from keguan import EventType\n@hookimpl\ndef register_event_types(): return [EventType('sold', 'home')]"
    world.add("changsha", source)
    world.add("wuhan", source)
    assert refused(world, "changsha", "wuhan").startswith("'sold' is claimed by both 'changsha' and 'wuhan'")
    adapter = (
        "import pydantic\nfrom keguan.adapters.base import AdapterType\n"
        "class M(pydantic.BaseModel, extra='forbid'): ...\n@hookimpl\n"
        "def register_adapters(): return [AdapterType('fax', frozenset({'fax'}), M, print)]"
    )
    world.add("fax_a", adapter)
    world.add("fax_b", adapter)
    assert load(world, "fax_a").adapters[0][0] == "fax_a"
    assert refused(world, "fax_a", "fax_b").startswith("'fax' is claimed by both 'fax_a' and 'fax_b'")


def test_one_module_cannot_be_two_plugins(world: World) -> None:
    world.add("wuhan", "")
    world.declare("changsha", world.package("keguan-wuhan"), "keguan-changsha")
    assert refused(world, "wuhan", "changsha") == (
        "two plugins are one and the same object (plugins 'changsha' and 'wuhan'): "
        "let each entry point name a module of its own"
    )


# --- Plugins that build on others ---------------------------------------------------------------------------

AREA = """
import types
specs = types.ModuleType("specs")
@hookspec
def area_adjust(number, city): ...
specs.area_adjust = area_adjust
@hookimpl
def register_hookspecs(): return specs
@hookimpl
def prepare(cities, ask): return {city: ask(area_adjust, city=city, number=10) for city in cities}
"""
VARIANT = "requires = ('area',)\n@hookimpl\ndef area_adjust(number, city): return number + len(city)"
CITIES = "cities.wuhan = {}\ncities.sz = {}\n"


def test_variants_answer_the_areas_own_hook_in_the_cities_where_they_are_on(world: World) -> None:
    world.add("area", AREA)
    world.add("b", VARIANT)
    world.add("a", "@hookimpl\ndef area_adjust(number): return number")
    plugins = load(world, "area", "a", "b", more=CITIES + "plugins.b.cities = ['wuhan']")
    assert plugins.prepared["area"] == {"wuhan": [("a", 10), ("b", 15)], "sz": [("a", 10)]}


def test_a_variant_that_fails_is_the_one_blamed(world: World) -> None:
    world.add("area", AREA)
    world.add("b", "@hookimpl\ndef area_adjust(): raise ValueError('no such step')")
    assert refused(world, "area", "b", more=CITIES) == (
        "plugin 'b' 0.3 (keguan-b) failed in area_adjust: ValueError: no such step"
    )


def test_an_area_asks_only_what_it_published(world: World) -> None:
    world.add(
        "area",
        "from keguan import hookspecs\n@hookimpl\n"
        "def prepare(ask): ask(hookspecs.on_handover, city='a', home=1, context=1)",
    )
    assert "'on_handover' is not published by this plugin" in refused(world, "area")


def test_two_areas_cannot_publish_one_hook(world: World) -> None:
    world.add("area", AREA)
    world.add("other", AREA)
    assert refused(world, "area", "other").startswith("'area_adjust' is claimed by both 'area' and 'other'")


def test_published_hooks_are_plain(world: World) -> None:
    world.add("area", AREA.replace("@hookspec", "@hookspec(firstresult=True)"))
    assert "neither historic nor firstresult" in refused(world, "area")


def test_what_requires_something_that_is_off_rests_with_the_reason_and_so_does_what_requires_that(
    world: World,
) -> None:
    world.add("area", AREA)
    world.add("b", VARIANT)
    world.add("c", "requires = ('b',)\n@hookimpl\ndef on_handover(home): raise RuntimeError('never called')")
    plugins = load(world, "b", "c")
    assert plugins.names == ()
    reasons = {record.name: str(record.error) for record in plugins.records if record.error}
    assert reasons == {
        "b": "the plugin 'b' rests because it requires 'area', which is off (keguan-b 0.3): "
        "switch 'area' on in the same cities",
        "c": "the plugin 'c' rests because it requires 'b', which is off (keguan-c 0.3): "
        "switch 'b' on in the same cities",
    }
    assert load(world, "area", "b", "c").names == ("area", "b", "c")


def test_a_plugin_is_active_only_where_what_it_requires_is(world: World) -> None:
    world.add("area", AREA)
    world.add("b", VARIANT)
    plugins = load(world, "area", "b", more=CITIES + "plugins.area.except_cities = ['sz']")
    assert [plugins.active(name, city) for name in ("area", "b") for city in ("wuhan", "sz", "elsewhere")] == [
        True,
        False,
        True,
    ] * 2
    assert not plugins.active("unknown", "wuhan")


def test_plugins_may_require_each_other(world: World) -> None:
    world.add("a", "requires = ('b',)")
    world.add("b", "requires = ('a',)")
    assert load(world, "a", "b").names == ("a", "b")
    assert load(world, "a").names == ()


def test_config_errors_are_config_errors(world: World) -> None:
    world.add("wuhan", PLAIN)
    with pytest.raises(ConfigError):
        load(world, "wuhan", more="plugins.wuhan.vists = 2")
