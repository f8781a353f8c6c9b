"""Reads the playbooks that come with the plugin, and the list of everything the domain asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from keguan.errors import PluginError
from keguan.forms import load_forms
from keguan.model import Form
from keguan.texts import LANGUAGES
from keguan_sixplustwo.planning.components import Component
from keguan_sixplustwo.playbook import Playbook
from keguan_sixplustwo.touchpoint import Edition, Proxy, Step, Text, Touchpoint, explain

__all__ = ["Labels", "domain_ids", "forms", "labels", "playbooks", "read_playbook", "templates", "warranted"]


class _File(BaseModel):
    """One edition's data file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    edition: Edition
    name: Text
    steps: tuple[Step, ...]
    proxies: dict[str, Proxy] = {}
    touchpoints: tuple[Touchpoint, ...] = ()


class _Part(RootModel[tuple[Touchpoint, ...]]):
    """A file with touchpoints of one edition."""


class Labels(BaseModel):
    """How codes in the data read in both languages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    audiences: dict[str, Text]
    departments: dict[str, Text]


_Model = TypeVar("_Model", bound=BaseModel)


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


def read_playbook(source: Traversable, parts: Iterable[Traversable] = ()) -> Playbook:
    """Return the playbook in the YAML file ``source``; ``parts`` are files with lists of further touchpoints of it.

    Raises ``PluginError`` with the file and the first thing that is wrong in it; a timing that cannot be read
    is named with its touchpoint and expression.
    """
    content = _read(_File, _yaml(source), source)
    entries = list(content.touchpoints)
    for part in parts:
        entries += _read(_Part, _yaml(part), part).root
    orders = [step.order for step in content.steps]
    touchpoints: dict[str, Touchpoint] = {}
    for entry in entries:
        if entry.id in touchpoints:
            raise PluginError("sixplustwo.touchpoint_exists", touchpoint=entry.id, edition=content.edition)
        if entry.step not in orders:
            raise PluginError("sixplustwo.step_unknown", step=entry.step, touchpoint=entry.id, known=", ".join(orders))
        touchpoints[entry.id] = entry
    in_order = sorted(touchpoints.values(), key=lambda entry: orders.index(entry.step))
    return Playbook(
        edition=content.edition,
        name=content.name,
        steps=content.steps,
        touchpoints=MappingProxyType({entry.id: entry for entry in in_order}),
        proxies=MappingProxyType(content.proxies),
    )


def _read(model: type[_Model], content: object, source: Traversable) -> _Model:
    try:
        return model.model_validate(content)
    except ValidationError as wrong:
        raise PluginError("sixplustwo.data_invalid", file=source.name, reason=explain(wrong)) from wrong


def playbooks() -> Mapping[Edition, Playbook]:
    """Return the playbook of every edition, as its document has it: ``data/EDITION.yaml``."""
    editions: tuple[Edition, ...] = get_args(Edition)
    return {edition: read_playbook(_data(f"{edition}.yaml")) for edition in editions}


def labels() -> Labels:
    """Return how departments and audiences read in both languages."""
    return Labels.model_validate(_yaml(_data("labels.yaml")))


def warranted() -> tuple[Component, ...]:
    """Return the parts of a home that have a warranty of their own, with the legal minimum."""
    content = _yaml(_data("warranty.yaml"))
    assert isinstance(content, dict)
    return tuple(Component.model_validate(one) for one in content["components"])


@cache
def forms() -> Mapping[str, Form]:
    """Return the forms of the plugin by name: what call-backs ask, what visits and meetings write down."""
    return MappingProxyType({form.name: form for form in load_forms(__package__)})


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
