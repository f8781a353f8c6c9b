"""Reads the forms that a plugin's package holds as data: ``forms/NAME.yaml``, one file for each."""

from __future__ import annotations

from importlib import resources

import yaml
from pydantic import ValidationError

from keguan.errors import PluginError
from keguan.model.forms import Form

__all__ = ["load_forms"]


def load_forms(package: str) -> list[Form]:
    """Return the forms in the folder ``forms`` of ``package``, sorted by name; the file's name is the form's.

    Raises ``PluginError`` with the file, the place in it and the first thing that is wrong there.
    """
    # the C loader where PyYAML was built with it: every start reads these files
    loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    folder = resources.files(package) / "forms"
    found = []
    for file in sorted(folder.iterdir(), key=lambda each: each.name) if folder.is_dir() else ():
        if not file.name.endswith(".yaml"):
            continue
        where = f"{package}/forms/{file.name}"
        try:
            content = yaml.load(file.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - both loaders are safe
        except (yaml.YAMLError, UnicodeDecodeError) as wrong:
            raise PluginError("forms.file_unreadable", file=where, problem=" ".join(str(wrong).split())) from wrong
        if not isinstance(content, dict):
            raise PluginError("forms.file_unreadable", file=where, problem="no table of keys")
        try:
            found.append(Form.model_validate({"name": file.name.removesuffix(".yaml"), **content}))
        except ValidationError as wrong:
            raise PluginError("forms.declared_wrong", file=where, problem=_first(wrong)) from wrong
    return found


def _first(wrong: ValidationError) -> str:
    first = wrong.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
