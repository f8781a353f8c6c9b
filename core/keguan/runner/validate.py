"""``python -m keguan.runner.validate CONFIG LANGUAGE``: would a daemon start with this configuration?

Loads settings, plugins, templates and adapters completely and says in one ``error:`` line each what is wrong. Of
the database it reads whether it is there and of this version; it writes nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from keguan.building import build_templates, build_ways_out
from keguan.errors import DatabaseError, KeguanError
from keguan.plugins import attempt_plugins
from keguan.plugins.recorded import suspended_names
from keguan.settings import Settings, load_settings
from keguan.store.engine import open_store
from keguan.store.migrate import current, require_current
from keguan.texts import Language, text

__all__ = ["main", "problems_of"]


def problems_of(config: Path) -> Iterator[KeguanError]:
    """Yield everything that would keep a daemon from starting with the file ``config``."""
    try:
        settings = load_settings(config, os.environ)
        suspended = _suspended(settings)
    except KeguanError as error:
        yield from getattr(error, "mistakes", None) or [error]
        return
    attempt = attempt_plugins(settings, suspended=suspended)
    if attempt.failures:
        yield from attempt.failures.values()
        return
    yield from build_templates(settings, attempt.plugins).check_all()
    try:
        for way in build_ways_out(settings, attempt.plugins):
            way.adapter.close()
    except KeguanError as error:
        yield error


def _suspended(settings: Settings) -> Collection[str]:
    """Return the suspended plugins; raises ``DatabaseError`` when the database cannot be worked with."""
    url = settings.database_url()
    path = url.partition(":///")[2]
    if url.startswith("sqlite") and not Path(path).exists():
        folder = next(folder for folder in Path(path).parents if folder.exists())
        if not os.access(folder, os.W_OK):
            raise DatabaseError("store.open", where=path)
        return ()
    store = open_store(url, settings.base_dir)
    try:
        with store.read() as connection:
            if current(connection) is None:
                return ()
        require_current(store)
        with store.read() as connection:
            return suspended_names(connection)
    finally:
        store.close()


def main(arguments: list[str]) -> int:
    """Check the file named first and answer in the language named second; return the exit status."""
    language: Language = "en" if arguments[1] == "en" else "zh"
    status = 0
    for problem in problems_of(Path(arguments[0])):
        print("error: " + text(language, problem.key, **problem.values), file=sys.stderr)
        status = problem.exit_code or 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
