"""Campaigns: one task for a project with a line for each home, all that were handed over or a sample of them."""

from __future__ import annotations

from collections.abc import Iterable

from keguan.model import Effect, Filled, Form, Job
from keguan.texts import text
from keguan_sixplustwo.doing.standing import make_task, prepared_of
from keguan_sixplustwo.sampling import SampleSize, draw, sample_size, seed_of
from keguan_sixplustwo.touchpoint import Coverage, Touchpoint

__all__ = ["campaign"]

_EVERYBODY = Coverage()


def campaign(entry: Touchpoint, job: Job, form: Form | None) -> Iterable[Effect]:
    """Return the task of a campaign, its form filled with the homes; several where one form cannot hold them.

    Nothing while no home was handed over. A sample leaves no home out for what is going on there: homes with open
    cases are drawn like all others.
    """
    labels = [home.label for home in job.homes if home.handed_over_on is not None]
    if not labels:
        return []
    coverage = entry.coverage or _EVERYBODY
    answers: dict[str, object] = {"homes_handed_over": len(labels)}
    if coverage.sample:
        settings = prepared_of(job).settings
        seed = seed_of(job.key, settings.sample_seed)
        size = sample_size(len(labels), coverage, settings.sample_rule)
        labels = draw(labels, size.size, seed)
        answers |= {"seed": seed, **_contradiction(size, coverage, job)}
    answers["homes_drawn"] = len(labels)
    if form is None or form.lines is None:
        return [make_task(entry, job)]
    papers = range(0, len(labels), form.lines.most)  # a project may have more homes than a form has room for
    parts = [labels[start : start + form.lines.most] for start in papers]
    return [make_task(entry, job, filled=_prefilled(form, answers, part)) for part in parts]


def _contradiction(size: SampleSize, coverage: Coverage, job: Job) -> dict[str, object]:
    """Return the note on two numbers of the standard that cannot both hold, where they cannot."""
    if not size.contradicts:
        return {}
    language = job.context.language
    note = text(
        language,
        "sixplustwo.sample_contradiction",
        percent=coverage.percent,
        share=size.share,
        most=size.most,
        drawn=size.size,
    )
    return {"contradiction": note}


def _prefilled(form: Form, answers: dict[str, object], labels: Iterable[str]) -> Filled:
    """Return what the form starts with: of the ``answers`` those it asks for, and a line for each home."""
    asked = {field.name for field in form.questions}
    lines = [{"home": label} for label in labels] if form.lines and form.lines.key == "home" else []
    return Filled({name: value for name, value in answers.items() if name in asked}, lines)
