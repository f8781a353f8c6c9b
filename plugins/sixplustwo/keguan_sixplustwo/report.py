"""Tables about playbooks, as plain values for the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from keguan.texts import Language
from keguan_sixplustwo.library import domain_ids, labels, playbooks
from keguan_sixplustwo.playbook import Playbook
from keguan_sixplustwo.touchpoint import Text, Touchpoint

__all__ = ["coverage", "playbook_rows"]

_SHOWN = ("due", "until", "audience", "channel", "owner", "support", "evidence", "coverage", "template", "clause")


def playbook_rows(playbook: Playbook, language: Language) -> list[dict[str, object]]:
    """Return one row per touchpoint, in the order of the steps; a step without any has a row of its own.

    Keys: ``step step_name touchpoint name kind trigger due until late audience channel owner support evidence
    optional optional_parts coverage template clause source from``. ``None`` is what the source is silent about.
    ``from`` says for each of the values where it comes from: ``clause`` (the document), ``ours`` (a default where
    the document is silent), or the plugin that changed it.
    """
    rows = []
    for step in playbook.steps:
        start: dict[str, object] = {"step": step.order, "step_name": step.name.in_(language)}
        entries = [entry for entry in playbook.touchpoints.values() if entry.step == step.order]
        rows += [start | _row(entry, playbook, language) for entry in entries]
        if not entries:
            rows.append(start | dict.fromkeys(_EMPTY_ROW))
    return rows


def coverage(books: Iterable[Playbook] | None = None) -> dict[str, object]:
    """Return ``{total, covered, missing}``: which of the domain's touchpoints have an entry in any edition."""
    known = {entry for book in (playbooks().values() if books is None else books) for entry in book.touchpoints}
    ids = domain_ids()
    missing = [name for name in ids if name not in known]
    return {"total": len(ids), "covered": len(ids) - len(missing), "missing": missing}


def _row(entry: Touchpoint, playbook: Playbook, language: Language) -> dict[str, object]:
    names = labels()

    def label(table: Mapping[str, Text], code: str) -> str:
        return table[code].in_(language) if code in table else code

    return {
        "touchpoint": entry.id,
        "name": entry.name.in_(language),
        "kind": entry.kind.value,
        "trigger": entry.trigger.value if entry.trigger else None,
        "due": "; ".join(map(str, entry.due)) or None,
        "until": str(entry.until) if entry.until else None,
        "late": entry.late,
        "audience": label(names.audiences, entry.audience) if entry.audience else None,
        "channel": [channel.value for channel in entry.channel] if entry.channel else None,
        "owner": [label(names.departments, name) for name in entry.owner] if entry.owner else None,
        "support": [label(names.departments, name) for name in entry.support],
        "evidence": None if entry.evidence is None else [item.in_(language) for item in entry.evidence],
        "optional": entry.optional,
        "optional_parts": [part.in_(language) for part in entry.optional_parts],
        "coverage": entry.coverage.percent if entry.coverage else None,
        "template": entry.template,
        "clause": str(entry.clause) if entry.clause else None,
        "source": list(entry.clause.source) if entry.clause else [],
        "from": {name: origin for name in _SHOWN if (origin := playbook.origin(entry.id, name))},
    }


_EMPTY_ROW = (
    "touchpoint",
    "name",
    "kind",
    "trigger",
    "due",
    "until",
    "late",
    "audience",
    "channel",
    "owner",
    "support",
    "evidence",
    "optional",
    "optional_parts",
    "coverage",
    "template",
    "clause",
    "source",
    "from",
)
