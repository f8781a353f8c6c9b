"""What the pages and calls need of the installation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from starlette.requests import Request

from keguan.adapters.base import ListeningAdapter
from keguan.model import Action, Company
from keguan.model.forms import Form
from keguan.people.unsubscribe import Unsubscribe
from keguan.queries.reader import Reader
from keguan.store.engine import Store
from keguan.texts import Language
from keguan.web.guesses import Guesses

__all__ = ["Site", "site_of"]


@dataclass(frozen=True)
class Site:
    """One installation as the web sees it. Its functions are called from the web server's threads."""

    store: Store
    now: Callable[[], datetime]
    """The present, UTC."""
    company: Company
    language: Language
    health_file: Path
    reader: Callable[[], Reader]
    unsubscribe: Unsubscribe | None = None
    listeners: Mapping[str, ListeningAdapter] = field(default_factory=dict)
    """Adapters whose gateways call us, by the name of their table."""
    forms: Mapping[str, Form] = field(default_factory=dict)
    """Every form by its full name ``PLUGIN.FORM``."""
    actions: Mapping[tuple[str, str], Action] = field(default_factory=dict)
    guesses: Guesses = field(default_factory=Guesses)


def site_of(request: Request) -> Site:
    """Return the installation that a request is for."""
    site = request.app.state.site
    assert isinstance(site, Site)
    return site
