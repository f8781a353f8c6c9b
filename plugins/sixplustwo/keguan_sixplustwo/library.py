"""Reads the playbooks that come with the plugin, and the list of everything the domain asks for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from keguan.errors import PluginError
from keguan.texts import LANGUAGES
from keguan_sixplustwo.playbook import Playbook
from keguan_sixplustwo.touchpoint import Edition, Proxy, Step, Text, Touchpoint, explain

__all__ = ["Labels", "domain_ids", "labels", "playbooks", "read_playbook", "templates"]


class _File(BaseModel):
    """One edition's data file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    edition: Edition
    name: Text
    steps: tuple[Step, ...]
    proxies: dict[str, Proxy] = {}
    touchpoints: tuple[Touchpoint, ...] = ()


class Labels(BaseModel):
    """How codes in the data read in both languages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    audiences: dict[str, Text]
    departments: dict[str, Text]


def _data(name: str) -> Traversable:
    return resources.files("keguan_sixplustwo") / "data" / name


def _yaml(source: Traversable) -> object:
    # the C loader where PyYAML was built with it: starting the daemon reads a few thousand lines
    loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(source.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - both loaders are safe
    except yaml.YAMLError as wrong:
        reason = " ".join(str(wrong).split())
        raise PluginError("sixplustwo.data_invalid", file=source.name, reason=reason) from wrong


def read_playbook(source: Traversable) -> Playbook:
    """Return the playbook in the YAML file ``source``.

    Raises ``PluginError`` with the file and the first thing that is wrong in it; a timing that cannot be read
    is named with its touchpoint and expression.
    """
    try:
        content = _File.model_validate(_yaml(source))
    except ValidationError as wrong:
        raise PluginError("sixplustwo.data_invalid", file=source.name, reason=explain(wrong)) from wrong
    orders = {step.order for step in content.steps}
    touchpoints: dict[str, Touchpoint] = {}
    for entry in content.touchpoints:
        if entry.id in touchpoints:
            raise PluginError("sixplustwo.touchpoint_exists", touchpoint=entry.id, edition=content.edition)
        if entry.step not in orders:
            raise PluginError(
                "sixplustwo.step_unknown",
                step=entry.step,
                touchpoint=entry.id,
                known=", ".join(step.order for step in content.steps),
            )
        touchpoints[entry.id] = entry
    return Playbook(
        edition=content.edition,
        name=content.name,
        steps=content.steps,
        touchpoints=MappingProxyType(touchpoints),
        proxies=MappingProxyType(content.proxies),
    )


def playbooks() -> Mapping[Edition, Playbook]:
    """Return the playbook of every edition, as its document has it."""
    editions: tuple[Edition, ...] = get_args(Edition)
    return {edition: read_playbook(_data(f"{edition}.yaml")) for edition in editions}


def labels() -> Labels:
    """Return how departments and audiences read in both languages."""
    return Labels.model_validate(_yaml(_data("labels.yaml")))


def domain_ids() -> tuple[str, ...]:
    """Return the ids of all touchpoints that the three editions are known to have, in the order of the steps."""
    ids = _yaml(_data("domain_ids.yaml"))
    assert isinstance(ids, list)
    return tuple(ids)


def templates(channel: str) -> frozenset[str]:
    """Return the names of the message templates that exist for ``channel`` in every language."""
    suffix, root = f".{channel}.j2", resources.files("keguan_sixplustwo") / "templates"
    folders = [(root / language).iterdir() for language in LANGUAGES]
    names = [{file.name.removesuffix(suffix) for file in files if file.name.endswith(suffix)} for files in folders]
    return frozenset(set.intersection(*names))
