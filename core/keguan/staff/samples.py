"""What letters to staff are shown with when nobody is written to: one invented task, late by two days."""

from __future__ import annotations

from datetime import datetime, timedelta

from keguan.staff.lines import Line, Section

__all__ = ["sample_values"]


def sample_values(now: datetime) -> dict[str, object]:
    """Return a value for each variable of keguan's own letters that is no plain text; ``now`` is in local time."""
    line = Line(1, "〔title〕", "〔project〕", "〔department〕", now - timedelta(days=2), 2)
    section = Section()
    section.add(line)
    return {
        "day": now.date(),
        "empty": False,
        "overdue": section,
        "due_today": Section(),
        "new": Section(),
        "tasks": (line,),
        "staff": 1,
        "deputy": 2,
    }
