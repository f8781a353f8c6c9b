"""Kinds of adapter by name."""

import pytest
from pydantic import BaseModel

from keguan.adapters.base import Adapter, AdapterType, Surroundings
from keguan.adapters.registry import adapter_types
from keguan.errors import PluginError


def kind(name: str) -> AdapterType:
    def build(_name: str, _settings: object, _surroundings: Surroundings) -> Adapter:
        raise AssertionError("nobody asked for an adapter")

    return AdapterType(name, frozenset({"sms"}), BaseModel, build)


def test_mail_gateways_and_robots_are_there_without_any_plugin() -> None:
    channels = {name: set(kind.channels) for name, kind in adapter_types().items()}
    assert channels["file"] == {"email", "sms"}
    assert channels["smtp"] == {"email"}
    assert channels["apprise"] == {"chat"}
    assert {channels["aliyun"] == {"sms"}, channels["tencent"] == {"sms"}, channels["twilio"] == {"sms"}} == {True}


def test_a_plugins_kind_stands_beside_them() -> None:
    pigeon = kind("pigeon")
    assert adapter_types([("loft", pigeon)])["pigeon"] is pigeon
    assert set(adapter_types([("loft", pigeon)])) == {*adapter_types(), "pigeon"}


@pytest.mark.parametrize(
    ("registered", "names"),
    [
        ([("loft", kind("pigeon")), ("barn", kind("pigeon"))], ("barn", "loft")),
        ([("loft", kind("smtp"))], ("keguan", "loft")),
    ],
)
def test_two_that_claim_one_name_are_both_named(
    registered: list[tuple[str, AdapterType]], names: tuple[str, str]
) -> None:
    with pytest.raises(PluginError) as caught:
        adapter_types(registered)
    assert (caught.value.values["first"], caught.value.values["second"]) == names
