"""The three lists in ``pyproject.toml`` name every folder of plugins; a forgotten one would silently not ship."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def plugin_folders() -> list[Path]:
    return sorted(folder for folder in (ROOT / "plugins").iterdir() if folder.is_dir() and any(folder.glob("**/*.py")))


def test_every_plugin_folder_holds_one_package_named_after_it() -> None:
    for folder in plugin_folders():
        packages = [package.name for package in folder.iterdir() if (package / "__init__.py").exists()]
        assert packages == [f"keguan_{folder.name}"], "tests of plugins belong into tests/plugins"
        assert (folder / packages[0] / "py.typed").exists()


def test_the_wheel_the_editable_install_and_the_entry_points_name_every_plugin(project: dict[str, object]) -> None:
    names = [folder.name for folder in plugin_folders()]
    assert names, "there is at least one built-in area"
    tool: dict[str, dict[str, dict[str, dict[str, dict[str, list[str]]]]]] = project["tool"]  # type: ignore[assignment]  # TOML
    build = tool["hatch"]["build"]
    packages = ["core/keguan", *(f"plugins/{name}/keguan_{name}" for name in names)]
    assert sorted(build["targets"]["wheel"]["packages"]) == packages
    assert sorted(build["dev-mode-dirs"]) == ["core", *(f"plugins/{name}" for name in names)]
    metadata: dict[str, dict[str, dict[str, str]]] = project["project"]  # type: ignore[assignment]  # TOML
    assert metadata["entry-points"]["keguan"] == {name: f"keguan_{name}" for name in names}
