"""The report of an import as people read it: on the terminal, and beside a file of the drop folder."""

from __future__ import annotations

from collections.abc import Iterator

from keguan.intake.report import ImportReport
from keguan.texts import Language, text

__all__ = ["report_lines"]


def report_lines(report: ImportReport, language: Language, shown: int = 20) -> Iterator[str]:
    """Yield the counts, the first ``shown`` rejected rows with their reasons, the warnings; values are masked."""
    yield text(
        language,
        "commands.import.done",
        file=report.file,
        encoding=report.encoding,
        accepted=report.accepted,
        unchanged=report.unchanged,
        rejected=report.rejected_rows,
    )
    for problem in report.problems[:shown]:
        yield text(
            language,
            "commands.import.rejected",
            row=problem.row,
            column=problem.column or "",
            value=problem.value_masked or "",
            reason=text(language, problem.reason_key, **problem.reason_values),
        )
    if len(report.problems) > shown:
        yield text(language, "commands.import.more", count=len(report.problems) - shown)
    yield from report.warnings.sentences(language)
    if report.rejected_file:
        yield text(language, "commands.import.rejected_file", file=report.rejected_file)
