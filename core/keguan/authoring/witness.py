"""Templates that remember what they were asked for, so that it can be asked again in the other language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keguan.building import build_templates
from keguan.errors import KeguanError, TemplateError
from keguan.installation import Installation
from keguan.outbox.templates import RenderedEmail, RenderedSms, Templates
from keguan.texts import LANGUAGES

__all__ = ["Witness"]


class Witness(Templates):
    """The templates of an installation, with the first values that each was rendered with."""

    def __init__(self, installation: Installation) -> None:
        self.__dict__.update(build_templates(installation.settings, installation.plugins).__dict__)
        self._installation = installation
        self._asked: dict[tuple[str, str, str], Mapping[str, object]] = {}

    def render_sms(self, plugin: str, name: str, values: Mapping[str, object]) -> RenderedSms:
        """Return the text message, and remember it."""
        self._asked.setdefault((plugin, name, "sms"), values)
        return super().render_sms(plugin, name, values)

    def render_email(self, plugin: str, name: str, values: Mapping[str, object]) -> RenderedEmail:
        """Return the e-mail, and remember it."""
        self._asked.setdefault((plugin, name, "email"), values)
        return super().render_email(plugin, name, values)

    def unrenderable(self) -> dict[tuple[str, ...], KeguanError]:
        """Return what is wrong with each template by language, plugin, name and channel.

        Those that were asked for are rendered in every language, the others compiled.
        """
        wrong: dict[tuple[str, ...], KeguanError] = {}
        for language in LANGUAGES:
            settings = self._installation.settings.model_copy(update={"language": language})
            templates = build_templates(settings, self._installation.plugins)
            for (plugin, name, channel), values in self._asked.items():
                render: Any = templates.render_sms if channel == "sms" else templates.render_email
                try:
                    render(plugin, name, values)
                except TemplateError as error:
                    wrong[language, plugin, name, channel] = error
            for plugin in templates.plugins:
                for name in templates.names(plugin):
                    try:
                        templates.check(plugin, name)
                    except TemplateError as error:
                        wrong.setdefault((language, plugin, name, ""), error)
        return wrong
