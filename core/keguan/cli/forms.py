"""``keguan forms``: the papers that plugins declare, and what they ask."""

from __future__ import annotations

import click

from keguan.cli.app import App, pass_app

__all__ = ["forms_command"]

_COLUMNS = ("form", "title", "version", "fields", "lines", "departments", "clause")
_FIELDS = ("field", "label", "type", "required", "how", "help")


@click.group("forms")
def forms_command() -> None:
    """The forms that people fill in: what they ask, and who answers."""


@forms_command.command("list")
@pass_app
def list_(app: App) -> None:
    """List the forms of all plugins."""
    from keguan.forms.showing import form_rows

    app.answer_rows(form_rows(app.installation.plugins.forms, app.language), _COLUMNS, "forms")


@forms_command.command("show")
@click.argument("form")
@pass_app
def show(app: App, form: str) -> None:
    """Show what FORM asks: fields, lines, evidence. FORM is PLUGIN.NAME, as `keguan forms list` has it."""
    from keguan.errors import UsageError
    from keguan.forms.showing import field_rows, form_rows
    from keguan.nearest import nearest

    forms = app.installation.plugins.forms
    if form not in forms:
        raise UsageError("forms.unknown", form=form, near=nearest(form, forms) or ", ".join(sorted(forms)) or "–")
    found = forms[form]
    [head] = form_rows({form: found}, app.language)
    lines = list(field_rows(found.lines.fields, app.language)) if found.lines else []
    if app.as_json:
        app.answer(head | {"fields": list(field_rows(found.fields, app.language)), "line_fields": lines})
        return
    app.details(head, ("form", "title", "version", "departments", "clause"), "forms")
    if found.help:
        click.echo(found.help.in_(app.language))
    click.echo()
    app.answer_rows(field_rows(found.fields, app.language), _FIELDS, "forms")
    if found.lines:
        label = found.lines.label.in_(app.language)
        click.echo()
        app.say("forms.line_title", label=label, least=found.lines.least, most=found.lines.most)
        app.answer_rows(lines, _FIELDS, "forms")
