"""Examine an installation without changing anything: each check is a line that names the mend."""

from keguan.doctor.examination import examine
from keguan.doctor.found import Found

__all__ = ["Found", "examine"]
