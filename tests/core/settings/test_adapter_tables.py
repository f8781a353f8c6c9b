"""The tables of adapters are read with the model of their kind, and each channel gets adapters that can serve it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from keguan.adapters.base import AdapterType
from keguan.errors import ConfigError
from keguan.settings import ConfiguredAdapter, configure_adapters, parse_settings


class Mail(BaseModel, extra="forbid"):
    host: str
    port: int = 25
    password: SecretStr = SecretStr("")
    relays: list[str] = []
    headers: dict[str, str] = {}


class Folder(BaseModel, extra="forbid"):
    folder: str = "var/outbox"


def never(name: str, settings: object, surroundings: object) -> object:
    raise AssertionError("nothing is built to be checked")


KINDS = {
    "file": AdapterType("file", frozenset({"email", "sms"}), Folder, never),  # type: ignore[arg-type]  # builds nothing
    "smtp": AdapterType("smtp", frozenset({"email"}), Mail, never, in_doubt="resend"),  # type: ignore[arg-type]  # same
    "wecom": AdapterType("wecom", frozenset({"wechat"}), Folder, never),  # type: ignore[arg-type]  # same
}
NAMED = "company.name = '云璟地产'\n"


def configure(content: str, **environ: str) -> dict[str, ConfiguredAdapter]:
    settings = parse_settings(NAMED + content, Path("/srv/config/keguan.toml"), environ)
    return configure_adapters(settings, KINDS)


def refused(content: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        configure(content, **environ)
    return str(caught.value).splitlines()


def test_the_file_adapter_is_there_without_a_table() -> None:
    adapters = configure("")
    assert adapters["file"].settings == Folder()
    assert configure("adapters.file = {type = 'file', folder = 'x'}")["file"].settings == Folder(folder="x")


def test_settings_come_from_file_and_environment_together() -> None:
    mail = configure(
        "adapters.mail = {type = 'smtp', host = 'localhost'}\n"
        "adapters.slow = {type = 'smtp', host = 'x', in_doubt = 'hold'}",
        KEGUAN_ADAPTERS__MAIL__PASSWORD="123456",
        KEGUAN_ADAPTERS__MAIL__PORT="2525",
        KEGUAN_ADAPTERS__MAIL__RELAYS='["a", "b"]',
        KEGUAN_ADAPTERS__MAIL__HEADERS='{"x": "y"}',
    )
    found = mail["mail"].settings
    assert isinstance(found, Mail)
    assert (found.port, found.relays, found.headers) == (2525, ["a", "b"], {"x": "y"})
    assert found.password.get_secret_value() == "123456"
    assert "123456" not in repr(mail)
    assert (mail["mail"].in_doubt, mail["slow"].in_doubt) == ("resend", "hold")


def test_a_secret_is_found_by_its_place_and_by_its_variable() -> None:
    variable = "KEGUAN_ADAPTERS__MAIL__PASSWORD"
    settings = parse_settings(
        "", Path("/srv/config/keguan.toml"), {variable: "123456", "KEGUAN_ADAPTERS__MAIL__TYPE": "x"}
    )
    assert settings.secret("adapters.mail.password") == settings.secret(variable) == "123456"
    assert settings.secret("adapters.mail.token") is None


@pytest.mark.parametrize(
    ("content", "environ", "lines"),
    [
        (
            "adapters.mail = {type = 'stmp'}",
            {},
            ["unknown type of adapter 'stmp' (/srv/config/keguan.toml: adapters.mail.type): did you mean 'smtp'?"],
        ),
        (
            "adapters.mail = {type = 'xyzzy'}",
            {},
            [
                "unknown type of adapter 'xyzzy' (/srv/config/keguan.toml: adapters.mail.type): "
                "use one of file, smtp, wecom, or switch on the plugin that brings it"
            ],
        ),
        (
            "adapters.mail = {type = 'smtp', prot = 25}",
            {"KEGUAN_ADAPTERS__MAIL__PASWORD": "s3cret"},
            [
                "the key 'host' is missing (/srv/config/keguan.toml: adapters.mail.host): add it",
                "unknown key 'pasword' (KEGUAN_ADAPTERS__MAIL__PASWORD): did you mean 'password'?",
                "unknown key 'prot' (/srv/config/keguan.toml: adapters.mail.prot): did you mean 'port'?",
            ],
        ),
        (
            "adapters.mail = {type = 'smtp', host = 'x'}",
            {"KEGUAN_ADAPTERS__MAIL__RELAYS": "a, b"},
            ['the value is not a list (KEGUAN_ADAPTERS__MAIL__RELAYS): write ["…", "…"], in the environment too'],
        ),
        (
            "adapters.mail = {type = 'smtp', host = 'x'}\nchannels.sms = ['mail']",
            {},
            [
                "the adapter 'mail' cannot serve the channel 'sms' (/srv/config/keguan.toml: channels.sms): "
                "it serves email"
            ],
        ),
        (
            "channels.emial = ['file']",
            {},
            [
                "the adapter 'file' cannot serve the channel 'emial' (/srv/config/keguan.toml: channels.emial): "
                "it serves email, sms"
            ],
        ),
    ],
)
def test_each_mistake_is_a_line(content: str, environ: dict[str, str], lines: list[str]) -> None:
    assert sorted(refused(content, **environ)) == sorted(lines)


def test_the_file_adapter_may_stand_in_for_any_channel_that_some_kind_serves() -> None:
    assert "file" in configure("channels.wechat = ['file']")
