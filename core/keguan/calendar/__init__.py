"""Working days and working time: pure functions from what a country, a company and a city decided."""

from keguan.calendar.days import DayInfo, DayRow, Scope, Source
from keguan.calendar.hours import DEFAULT_OFFICE_HOURS, Window
from keguan.calendar.spans import Pause
from keguan.calendar.table import CalendarTable, TableError, parse_table, read_table
from keguan.calendar.workcalendar import WorkCalendar

__all__ = [
    "DEFAULT_OFFICE_HOURS",
    "CalendarTable",
    "DayInfo",
    "DayRow",
    "Pause",
    "Scope",
    "Source",
    "TableError",
    "Window",
    "WorkCalendar",
    "parse_table",
    "read_table",
]
