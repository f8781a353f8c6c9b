"""Checks of what was filled in: who was reached, how many homes were visited, by which sample, with which templates."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from keguan.model import Check, FilledForm, Finding, View
from keguan.texts import text
from keguan_sixplustwo.asking import PLUGIN, actions_that, entry_in_force, forms_of
from keguan_sixplustwo.callbacks import calls_of, coverage, is_callback, tried_enough
from keguan_sixplustwo.library import forms
from keguan_sixplustwo.prepared import Prepared
from keguan_sixplustwo.surveys import heard_lines
from keguan_sixplustwo.touchpoint import Kind, Touchpoint

__all__ = ["calls_back", "checks"]


def checks(prepared: Prepared) -> list[Check]:
    """Return the checks that read forms."""
    return [
        Check("callback_coverage", "", partial(_callback_coverage, prepared)),
        Check("callback_attempts", "", partial(_callback_attempts, prepared)),
        Check("campaign_coverage", "", partial(_campaign_coverage, prepared)),
        Check("sample_contradiction", "", partial(_sample_contradiction, prepared)),
        Check("templates_approved", "", partial(_templates_approved, prepared)),
    ]


def calls_back(entry: Touchpoint) -> bool:
    """Return whether a touchpoint is a call-back."""
    form = forms().get(entry.form or "")
    return form is not None and is_callback(form)


def _callback_coverage(prepared: Prepared, view: View) -> Iterator[Finding]:
    """Of a project's customers fewer were reached by a call-back than wanted, in this year or the last."""
    actions = actions_that(prepared, calls_back)
    if not actions:
        return
    calls = calls_of(view.forms(PLUGIN, forms_of(prepared, calls_back)), forms())
    recent = (one for one in view.promises(plugin=PLUGIN, actions=actions) if one.due_at.year >= view.now.year - 1)
    reaches = coverage(recent, calls, lambda one: (one.project or "", one.action, one.due_at.year))
    for (project, action, year), reach in sorted(reaches.items()):
        entry = entry_in_force(prepared, action, reach.example.city, project)
        percent = None if entry is None or entry.coverage is None else entry.coverage.percent
        if entry is None or percent is None or reach.meets(percent):
            continue
        yield Finding(
            subject=reach.example.subject,
            project=project or None,
            clause=reach.example.clause or None,
            message=text(
                view.language,
                "sixplustwo.finding.callback_coverage",
                touchpoint=entry.name.in_(view.language),
                year=year,
                reached=reach.reached,
                all=reach.all,
                unreachable=reach.unreachable,
                percent=percent,
            ),
        )


def _callback_attempts(prepared: Prepared, view: View) -> Iterator[Finding]:
    """A customer was given up without three attempts on two days."""
    for filled in view.forms(PLUGIN, forms_of(prepared, calls_back)):
        if filled.complete and filled.task_status == "done" and not tried_enough(filled):
            yield _about(filled, prepared, text(view.language, "sixplustwo.finding.callback_attempts"))


def _campaign_coverage(prepared: Prepared, view: View) -> Iterator[Finding]:
    """A campaign was closed with fewer homes than the standard wants."""
    for filled, entry in _campaigns(prepared, view):
        if entry.coverage is None or filled.task_status != "done":
            continue
        # of a sample every home was drawn to be visited; else the share counts
        percent = 100 if entry.coverage.sample else entry.coverage.percent
        heard, homes = heard_lines(filled), len(filled.lines)
        if percent is not None and 100 * heard < percent * homes:
            message = text(
                view.language,
                "sixplustwo.finding.campaign_coverage",
                touchpoint=entry.name.in_(view.language),
                heard=heard,
                homes=homes,
                percent=percent,
            )
            yield _about(filled, prepared, message)


def _sample_contradiction(prepared: Prepared, view: View) -> Iterator[Finding]:
    """The share and the most homes that the standard names could not both hold for a sample."""
    for filled, _ in _campaigns(prepared, view):
        if note := filled.answers.get("contradiction"):
            yield _about(filled, prepared, str(note))


def _templates_approved(prepared: Prepared, view: View) -> Iterator[Finding]:
    """The template of a message in force is not among those that were approved last."""
    newest: dict[str, FilledForm] = {}
    for filled in view.forms(PLUGIN, ["template_approval"]):
        if filled.complete:
            newest[filled.city] = filled
    for city, filled in sorted(newest.items()):
        approved = {str(line.get("template")).strip() for line in filled.lines if line.get("approved") is True}
        entries = prepared.playbook(city).touchpoints.values()
        sent = {entry.template for entry in entries if entry.template and entry.kind in (Kind.MESSAGE, Kind.LETTER)}
        for template in sorted(sent - approved):
            message = text(view.language, "sixplustwo.finding.template_unapproved", template=template)
            yield _about(filled, prepared, message)


def _campaigns(prepared: Prepared, view: View) -> Iterator[tuple[FilledForm, Touchpoint]]:
    """Yield what was filled in for campaigns, with the touchpoint of each."""
    for filled in view.forms(PLUGIN, forms_of(prepared, lambda entry: entry.kind is Kind.CAMPAIGN)):
        entry = entry_in_force(prepared, filled.action or "", filled.city, filled.project)
        if entry is not None and entry.kind is Kind.CAMPAIGN:
            yield filled, entry


def _about(filled: FilledForm, prepared: Prepared, message: str) -> Finding:
    """Return a finding about one form, under the clause of its touchpoint."""
    entry = entry_in_force(prepared, filled.action or "", filled.city, filled.project)
    return Finding(
        subject=filled.subject,
        project=filled.project,
        clause=str(entry.clause) if entry and entry.clause else None,
        message=message,
        evidence=() if filled.task is None else (f"task {filled.task}",),
    )
