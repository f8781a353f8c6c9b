"""Kinds of adapter by name, and tables of the configuration that become adapters."""

from datetime import datetime
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from keguan.adapters.base import AdapterType, Outcome, OutgoingMessage, Report, Surroundings
from keguan.adapters.registry import adapter_types, check_adapter, make_adapter
from keguan.errors import ConfigError, PluginError


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    token: str
    retries: int = 1


class Pigeon:
    def __init__(self, name: str, settings: object, surroundings: Surroundings) -> None:
        self.name, self.settings, self.surroundings = name, settings, surroundings

    def send(self, message: OutgoingMessage, now: datetime) -> Report:
        return Report(Outcome.SENT)

    def close(self) -> None:
        pass


def pigeon(name: str = "pigeon") -> AdapterType:
    return AdapterType(name, frozenset({"sms"}), Settings, Pigeon)


def test_file_and_smtp_are_there_without_any_plugin() -> None:
    assert {name: set(kind.channels) for name, kind in adapter_types().items()} == {
        "file": {"email", "sms"},
        "smtp": {"email"},
    }


def test_a_plugins_type_is_built_from_its_table(tmp_path: Path) -> None:
    types = adapter_types([("loft", pigeon())])
    surroundings = Surroundings(tmp_path, "云璟地产")
    table = {"type": "pigeon", "token": "t", "in_doubt": "hold"}
    adapter = make_adapter("fast", table, types, surroundings)
    assert isinstance(adapter, Pigeon)
    assert (adapter.name, adapter.settings, adapter.surroundings) == ("fast", Settings(token="t"), surroundings)


@pytest.mark.parametrize(
    ("registered", "names"),
    [
        ([("loft", pigeon()), ("barn", pigeon())], ("barn", "loft")),
        ([("loft", pigeon("smtp"))], ("keguan", "loft")),
    ],
)
def test_two_that_claim_one_name_are_both_named(
    registered: list[tuple[str, AdapterType]], names: tuple[str, str]
) -> None:
    with pytest.raises(PluginError) as caught:
        adapter_types(registered)
    assert (caught.value.values["first"], caught.value.values["second"]) == names


@pytest.mark.parametrize(
    ("table", "key", "hint"),
    [
        ({}, "adapter.type_missing", "file, pigeon, smtp"),
        ({"type": "pidgeon"}, "adapter.unknown_type", "file, pigeon, smtp"),
        ({"type": "pigeon", "tokn": "t"}, "adapter.setting_missing", "token"),
        ({"type": "pigeon", "token": "t", "retrys": 2}, "adapter.setting_unknown", "retries"),
        ({"type": "pigeon", "token": "t", "retries": "many"}, "adapter.setting_wrong", "retries"),
    ],
)
def test_mistakes_in_a_table_are_named_with_the_mend(table: dict[str, object], key: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_adapter("fast", table, adapter_types([("loft", pigeon())]))
    assert caught.value.key == key
    assert hint in str(caught.value)
    assert "adapters.fast" in str(caught.value)
