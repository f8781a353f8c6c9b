"""Finds the configuration, lays the environment and the secret files over it, and checks the whole."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from keguan.errors import ConfigError
from keguan.nearest import nearest
from keguan.settings.crosscheck import cross_check
from keguan.settings.environment import PREFIX, from_environment, sections, variable_name
from keguan.settings.mistakes import Location, mistakes_of, raise_mistakes
from keguan.settings.models import Settings

__all__ = ["default_text", "find_config", "load_settings", "parse_settings", "unknown_variables"]

_MADE_BY = {"adapters": "type", "mailboxes": "host"}
"""Tables of which there may be several, and the key without which there is none."""
_PLACE = re.compile(r"\s*\(at (line (\d+), column (\d+)|end of document)\)$")
_KEYS = "KEGUAN_PRIVACY__KEYS"


def default_text() -> str:
    """Return the commented configuration that ``keguan init`` writes."""
    return resources.files("keguan.settings").joinpath("keguan.toml").read_text(encoding="utf-8")


def find_config(config: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the configuration file: ``config``, else ``$KEGUAN_CONFIG``, else ``./config/keguan.toml``.

    Raises ``ConfigError`` when there is no such file.
    """
    given = config or (Path(environ["KEGUAN_CONFIG"]) if environ.get("KEGUAN_CONFIG") else None)
    path = given or Path("config/keguan.toml")
    if not path.is_file():
        raise ConfigError("config.none_there" if given is None else "config.not_a_file", where=path)
    return path


def load_settings(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the checked configuration.

    ``config`` is what ``--config`` names, ``environ`` the environment. Environment variables win over files in
    ``secrets/``, and both win over the TOML file. Raises ``ConfigError``; for several mistakes it is a
    ``ConfigMistakes`` that holds one error for each.
    """
    path = find_config(config, environ)
    return parse_settings(read_text(path), path, environ)


def read_text(path: Path) -> str:
    """Return the text of a file of the configuration, without a byte-order mark; raises ``ConfigError``."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError("config.not_utf8", where=path) from None
    except OSError as error:
        raise ConfigError("config.unreadable", where=path, problem=error.strerror or type(error).__name__) from error


def base_dir_of(path: Path) -> Path:
    """Return the folder that relative paths start at: the one that holds ``config/``, else the file's own."""
    folder = path.absolute().parent
    return folder.parent if folder.name == "config" else folder


def parse_settings(text: str, path: Path, environ: Mapping[str, str]) -> Settings:
    """Return the checked configuration written as ``text``; ``path`` says where it stands or will stand."""
    table = _toml(text, path)
    base_dir = base_dir_of(path)
    overlay = {**_secret_files(base_dir / "secrets"), **_ours(environ)}
    own_keys = _KEYS in overlay and _KEYS not in environ
    # Every installation has a file of keys, and reading variables takes libraries that nothing else does.
    read = {name: value for name, value in overlay.items() if not (own_keys and name == _KEYS)}
    set_there = from_environment(read) if read else {}

    def where(location: Location) -> str:
        return _blame(location, set_there, overlay, path)

    raise_mistakes(_without_table(table, set_there, overlay, path))
    try:
        settings = Settings.model_validate(_merge(table, set_there))
    except ValidationError as error:
        raise_mistakes(mistakes_of(error, Settings, where))
        raise
    raise_mistakes(cross_check(settings, where))
    if own_keys:
        settings = _without_keys(settings)
    settings._base_dir, settings._config_file, settings._secrets = base_dir, path.absolute(), overlay  # noqa: SLF001 - the one maker
    return settings


def _without_table(
    table: Mapping[str, Any], set_there: Mapping[str, Any], overlay: Mapping[str, str], path: Path
) -> list[ConfigError]:
    """Return an error for each adapter or mailbox of which there is nothing but a secret: gone, or misspelt."""
    found = []
    for section, key in _MADE_BY.items():
        for name, values in set_there.get(section, {}).items():
            if name in table.get(section, {}) or not isinstance(values, Mapping) or key in values:
                continue
            start = variable_name((section, name)) + "__"
            variable = next((each for each in sorted(overlay) if each.startswith(start)), start)
            where = f"[{section}.{name}]"
            found.append(ConfigError("config.secret_without_table", where=variable, table=where, file=path))
    return found


def _without_keys(settings: Settings) -> Settings:
    """Leave the file of the keys to whoever seals: it changes while we work, and what it held once is no setting."""
    privacy = settings.privacy.model_copy(update={"keys": SecretStr("")})
    return settings.model_copy(update={"privacy": privacy})


def _blame(location: Location, set_there: Mapping[str, Any], variables: Mapping[str, str], path: Path) -> str:
    """Return who set ``location``: the environment variable's name, or ``FILE: cities.shenzhen.name``."""
    node: object = set_there
    for part in location:
        if not isinstance(node, Mapping) or part not in node:
            break
        node = node[part]
    else:
        for end in range(len(location), 0, -1):
            if (name := variable_name(location[:end])) in variables:
                return name
    return f"{path}: {'.'.join(map(str, location))}" if location else str(path)


def unknown_variables(environ: Mapping[str, str]) -> list[ConfigError]:
    """Return an error for each ``KEGUAN_…`` variable that sets nothing, naming the section probably meant.

    Wrong keys below a known section are errors of ``load_settings``; these here are silently without effect,
    so ``keguan doctor`` names them.
    """
    known = sections()
    strange = []
    for name in sorted(_ours(environ)):
        head, _, rest = name.removeprefix(PREFIX).lower().partition("__")
        if head in known and (not rest or known[head]):
            continue
        near = nearest(head, known)
        if near:
            strange.append(ConfigError("config.variable_near", where=name, near=near.upper()))
        else:
            strange.append(ConfigError("config.variable", where=name))
    return strange


def _ours(environ: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in environ.items() if k.startswith(PREFIX) and k != "KEGUAN_CONFIG"}


def _secret_files(folder: Path) -> dict[str, str]:
    """Return the files of ``secrets/`` that are named like our environment variables, without the last newline."""
    if not folder.is_dir():
        return {}
    files = [file for file in sorted(folder.iterdir()) if file.name.startswith(PREFIX) and file.is_file()]
    return {file.name: read_text(file).rstrip("\r\n") for file in files}


def _toml(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _PLACE.search(message)
        line = place[2] if place and place[2] else len(text.splitlines())
        problem = _PLACE.sub("", message)
        raise ConfigError("config.syntax", where=path, line=line, problem=problem) from None


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``under`` with ``over`` laid on it, table by table."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
