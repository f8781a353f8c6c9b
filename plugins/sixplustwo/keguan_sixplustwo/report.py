"""Tables about playbooks, as plain values for the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from keguan.texts import Language
from keguan_sixplustwo.library import Labels, domain, labels, playbooks
from keguan_sixplustwo.playbook import Playbook
from keguan_sixplustwo.touchpoint import Coverage, Fitting, Text, Touchpoint

__all__ = ["ROW_KEYS", "coverage", "playbook_rows"]

_VALUES = (
    "about",
    "within",
    "trigger",
    "due",
    "opens",
    "until",
    "postpone_to",
    "every",
    "each",
    "begins",
    "ends",
    "by_fitting",
    "audience",
    "channel",
    "owner",
    "support",
    "evidence",
    "form",
    "gate",
    "notice",
    "optional",
    "optional_parts",
    "coverage",
    "template",
    "consequence",
    "limits",
    "clause",
)
"""The fields that the documents or we give a value to: each has its origin in ``from``."""

ROW_KEYS = ("step", "step_name", "touchpoint", "domain", "name", "kind", "late", *_VALUES, "source", "notes", "from")
"""The keys of a row."""


def playbook_rows(playbook: Playbook, language: Language) -> list[dict[str, object]]:
    """Return one row per touchpoint, in the order of the steps; a step without any has a row of its own.

    Each row has all of ``ROW_KEYS``; timings are expressions. ``None`` is what the source is silent about. ``from``
    says for each value where it comes from: ``clause`` (the document), ``ours`` (a default where the document is
    silent), or the plugin that changed it.
    """
    names = labels()
    rows: list[dict[str, object]] = []
    for step in playbook.steps:
        start: dict[str, object] = {"step": step.order, "step_name": step.name.in_(language)}
        entries = [entry for entry in playbook.touchpoints.values() if entry.step == step.order]
        rows += [_ordered(start | _row(entry, playbook, names, language)) for entry in entries]
        if not entries:
            rows.append(_ordered(start))
    return rows


def coverage(books: Iterable[Playbook] | None = None) -> dict[str, object]:
    """Return ``{total, covered, missing, touchpoints[id entries test]}``: what of the domain the playbooks have.

    ``entries`` are the entries of a touchpoint, ``EDITION.ID``; ``test`` is the test that shows it.
    """
    entries: dict[str, list[str]] = {}
    for book in playbooks().values() if books is None else books:
        for entry in book.touchpoints.values():
            entries.setdefault(entry.domain_id, []).append(f"{book.edition}.{entry.id}")
    known = domain()
    missing = [each.id for each in known if each.id not in entries]
    return {
        "total": len(known),
        "covered": len(known) - len(missing),
        "missing": missing,
        "touchpoints": [{"id": each.id, "entries": entries.get(each.id, []), "test": each.test} for each in known],
    }


def _ordered(row: Mapping[str, object]) -> dict[str, object]:
    return {key: row.get(key) for key in ROW_KEYS}


def _row(entry: Touchpoint, playbook: Playbook, names: Labels, language: Language) -> dict[str, object]:
    def label(table: Mapping[str, Text], code: str) -> str:
        return table[code].in_(language) if code in table else code

    def texts(items: Sequence[Text]) -> list[str]:
        return [item.in_(language) for item in items]

    return {
        "touchpoint": entry.id,
        "domain": entry.domain_id,
        "name": entry.name.in_(language),
        "kind": entry.kind.value,
        "late": entry.late,
        "about": entry.about.value if entry.about else None,
        "within": entry.within,
        "trigger": entry.trigger.value if entry.trigger else None,
        "due": "; ".join(map(str, entry.due)) or None,
        **{name: _expression(getattr(entry, name)) for name in ("opens", "until", "postpone_to", "begins", "ends")},
        "every": entry.every,
        "each": entry.each.value if entry.each else None,
        "by_fitting": {name: _fitting(each) for name, each in entry.by_fitting.items()},
        "audience": label(names.audiences, entry.audience) if entry.audience else None,
        "channel": [channel.value for channel in entry.channel] if entry.channel else None,
        "owner": [label(names.departments, name) for name in entry.owner] if entry.owner else None,
        "support": [label(names.departments, name) for name in entry.support],
        "evidence": None if entry.evidence is None else texts(entry.evidence),
        "form": entry.form,
        "gate": entry.gate,
        "notice": entry.notice,
        "optional": entry.optional,
        "optional_parts": texts(entry.optional_parts),
        "coverage": _coverage(entry.coverage),
        "template": entry.template,
        "consequence": entry.consequence.in_(language) if entry.consequence else None,
        "limits": list(entry.limits),
        "clause": str(entry.clause) if entry.clause else None,
        "source": list(entry.clause.source) if entry.clause else [],
        "notes": entry.notes.in_(language) if entry.notes else None,
        "from": {name: origin for name in _VALUES if (origin := _origin(playbook, entry, name))},
    }


def _origin(playbook: Playbook, entry: Touchpoint, name: str) -> str | None:
    """Return where a value comes from. What every touchpoint has, such as not being optional, comes from nowhere."""
    usual = type(entry).model_fields[name].get_default()
    origin = playbook.origin(entry.id, name)
    return None if origin == "clause" and getattr(entry, name) == usual else origin


def _expression(timing: object) -> str | None:
    return None if timing is None else str(timing)


def _fitting(fitting: Fitting) -> dict[str, object]:
    said = {"due": "; ".join(map(str, fitting.due or ())), "opens": fitting.opens, "until": fitting.until}
    return {name: str(value) for name, value in said.items() if value} | ({"off": True} if fitting.off else {})


def _coverage(wanted: Coverage | None) -> dict[str, object] | None:
    return None if wanted is None else wanted.model_dump(mode="json", exclude_defaults=True)
