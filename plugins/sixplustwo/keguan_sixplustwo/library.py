"""Reads the playbooks that come with the plugin, and the list of everything the domain asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Literal, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from keguan.errors import PluginError
from keguan.forms import load_forms
from keguan.model import Form
from keguan.texts import LANGUAGES
from keguan_sixplustwo.planning.components import Component
from keguan_sixplustwo.playbook import Playbook
from keguan_sixplustwo.touchpoint import Channel, Edition, Kind, Proxy, Step, Text, Touchpoint, Trigger, explain

__all__ = ["Known", "Labels", "domain", "forms", "labels", "playbooks", "read_playbook", "templates", "warranted"]


class _File(BaseModel):
    """One edition's data file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    edition: Edition
    name: Text
    notes: Text | None = None
    steps: tuple[Step, ...]
    proxies: dict[str, Proxy] = {}
    touchpoints: tuple[Touchpoint, ...] = ()


class Known(BaseModel):
    """One of the touchpoints that the documents are known to have, whether or not a playbook has an entry for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    editions: tuple[Edition, ...]
    silent: frozenset[Literal["due", "audience", "channel", "owner", "evidence"]] = frozenset()
    """What the documents do not say of it, or only let one infer: a value of ours, or none."""
    test: str
    """The test that shows it: ``tests/….py::test_name``."""


class _Domain(RootModel[tuple[Known, ...]]):
    """The list of what is known."""


class _Part(RootModel[tuple[Touchpoint, ...]]):
    """A file with touchpoints of one edition."""


class Labels(BaseModel):
    """How codes in the data read in both languages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    audiences: dict[str, Text]
    departments: dict[str, Text]
    channels: dict[Channel, Text]
    kinds: dict[Kind, Text]
    triggers: dict[Trigger, Text]


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
        notes=content.notes,
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
    """Return the playbook of every edition, as its document has it: ``data/EDITION.yaml``, and ``data/EDITION/``."""
    editions: tuple[Edition, ...] = get_args(Edition)
    return {edition: read_playbook(_data(f"{edition}.yaml"), _parts(edition)) for edition in editions}


def _parts(edition: Edition) -> list[Traversable]:
    folder = _data(edition)
    return sorted(folder.iterdir(), key=lambda part: part.name) if folder.is_dir() else []


def labels() -> Labels:
    """Return how the codes in the playbooks read in both languages."""
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


def domain() -> tuple[Known, ...]:
    """Return all touchpoints that the editions are known to have, in the order of the steps."""
    source = _data("domain.yaml")
    return _read(_Domain, _yaml(source), source).root


def templates(channel: str) -> frozenset[str]:
    """Return the names of the message templates that exist for ``channel`` in every language."""
    suffix, root = f".{channel}.j2", resources.files("keguan_sixplustwo") / "templates"
    folders = [(root / language).iterdir() for language in LANGUAGES]
    names = [{file.name.removesuffix(suffix) for file in files if file.name.endswith(suffix)} for files in folders]
    return frozenset(set.intersection(*names))
