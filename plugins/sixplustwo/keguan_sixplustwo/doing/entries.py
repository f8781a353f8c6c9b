"""Records that must be complete: nothing to do when they are, a task that names the gaps when they are not."""

from __future__ import annotations

from collections.abc import Iterable

from keguan.model import Contract, Effect, Home, Job, Skip
from keguan.texts import text
from keguan_sixplustwo.doing.standing import make_task, place
from keguan_sixplustwo.touchpoint import Touchpoint

__all__ = ["complete_records", "gaps_of"]

_BETWEEN = {"zh": "、", "en": ", "}


def complete_records(entry: Touchpoint, job: Job) -> Iterable[Effect] | Skip:
    """Say that the promise is kept when the record is complete, else return a task whose title names the gaps."""
    gaps = gaps_of(job.record)
    language = job.context.language
    if not gaps:
        return Skip(text(language, "sixplustwo.complete"), kept=True)
    missing = _BETWEEN[language].join(text(language, f"sixplustwo.gap.{gap}") for gap in gaps)
    title = text(language, "sixplustwo.gaps_title", name=entry.name.in_(language), place=place(job), missing=missing)
    return [make_task(entry, job, title=title)]


def gaps_of(record: object) -> tuple[str, ...]:
    """Return which of the fields that later promises need are missing in a contract or a home. Ours.

    The standard wants sales and handover entered completely and does not say which fields: we ask for whom to
    reach, where they will live, and the dates that later steps count from.
    """
    if not isinstance(record, Contract | Home):
        return ()
    first = record.owners[0] if record.owners else None
    present = {
        "customer": first is not None,
        "name": first is None or bool(first.name),
        "phone": first is None or bool(first.phone),
    }
    if isinstance(record, Contract):
        handed_over = record.home is not None and record.home.handed_over_on is not None
        present["home"] = record.home is not None
        present["planned_handover"] = handed_over or record.planned_handover_on is not None
    else:
        present["contract"] = record.contract_no is not None
    return tuple(name for name, there in present.items() if not there)
