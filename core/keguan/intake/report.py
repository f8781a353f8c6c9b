"""What came of an import, in bounded memory: counts, the first rejected rows, warnings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from keguan.intake.rows import Problem
from keguan.texts import Language, text

__all__ = ["SHOWN_REJECTED", "ImportReport", "Warnings"]

SHOWN_REJECTED = 1000
"""Problems listed in a report; all rejected rows stand in the file of rejected rows."""
_SHOWN_ALIKE = 20


class Warnings:
    """Warnings by kind; of many of one kind the first are kept and the others counted."""

    def __init__(self) -> None:
        self._shown: dict[str, list[Mapping[str, object]]] = {}
        self._more: Counter[str] = Counter()

    def add(self, key: str, **values: object) -> None:
        """Note one more; the same sentence twice is one."""
        shown = self._shown.setdefault(key, [])
        if values in shown:
            return
        if len(shown) < _SHOWN_ALIKE:
            shown.append(values)
        else:
            self._more[key] += 1

    def sentences(self, language: Language) -> list[str]:
        """Return them as people read them."""
        lines = []
        for key, group in self._shown.items():
            lines += [text(language, key, **values) for values in group]
            if self._more[key]:
                lines.append(text(language, "apply.more_alike", count=self._more[key]))
        return lines


@dataclass(slots=True)
class ImportReport:
    """What came of one file. Holds nothing personal that is not masked."""

    kind: str
    file: str
    encoding: str
    delimiter: str | None
    header_row: int
    dry_run: bool = False
    accepted: int = 0
    unchanged: int = 0
    rejected_rows: int = 0
    problems: list[Problem] = field(default_factory=list)
    """The first of them, by row; a row may have several."""
    rejected_file: str | None = None
    """Where the rejected rows stand, with their reasons, to be corrected and imported again."""
    warnings: Warnings = field(default_factory=Warnings)

    @property
    def ok(self) -> bool:
        """Whether every row was accepted."""
        return self.rejected_rows == 0

    def keep(self, problems: Iterable[Problem]) -> None:
        """Keep the first ``problems``, which come by row."""
        for problem in problems:
            if len(self.problems) == SHOWN_REJECTED:
                self.warnings.add("apply.more_rejected", rows=self.rejected_rows, shown=SHOWN_REJECTED)
                return
            self.problems.append(problem)

    def to_json(self, language: Language) -> dict[str, object]:
        """Return the report as ``keguan import --json`` prints it."""
        return {
            "kind": self.kind,
            "file": self.file,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "header_row": self.header_row,
            "dry_run": self.dry_run,
            "accepted": self.accepted,
            "unchanged": self.unchanged,
            "rejected_rows": self.rejected_rows,
            "rejected": [
                {
                    "row": problem.row,
                    "column": problem.column,
                    "value": problem.value_masked,
                    "reason": text(language, problem.reason_key, **problem.reason_values),
                }
                for problem in self.problems
            ],
            "rejected_file": self.rejected_file,
            "warnings": self.warnings.sentences(language),
        }
