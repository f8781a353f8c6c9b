"""``keguan init``: a folder to work in."""

from __future__ import annotations

from pathlib import Path

import click

from keguan.cli.app import App, pass_app

__all__ = ["init_command"]

_FOLDERS = ("config", "secrets", "var", "var/outbox", "var/evidence")


@click.command("init")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), default=".")
@pass_app
def init_command(app: App, directory: Path) -> None:
    """Write config/keguan.toml and the folders, create the database. Never overwrites anything."""
    import os

    from keguan.building import open_database
    from keguan.settings import default_text, load_settings

    created: list[str] = []
    for name in _FOLDERS:
        folder = directory / name
        if not folder.is_dir():
            folder.mkdir(parents=True)
            created.append(f"{name}/")
        if name == "secrets":
            folder.chmod(0o700)
    config = directory / "config" / "keguan.toml"
    if not config.exists():
        config.write_text(default_text(), encoding="utf-8")
        created.append("config/keguan.toml")
    settings = load_settings(config, {key: os.environ[key] for key in os.environ if key != "KEGUAN_CONFIG"})
    store = open_database(settings)
    store.close()
    app.answer({"directory": str(directory.resolve()), "config": str(config), "created": created})
    if not app.as_json:
        from keguan.texts import text

        language = app.option_language or settings.language
        click.echo(text(language, "commands.init.done", config=config, created=", ".join(created) or "–"))
