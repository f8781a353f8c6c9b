"""The yearly plan as a workbook: for each project and the company a calendar for the wall, and a list of everything.

Texts stay texts, whatever they look like: no cell can act as a formula.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

from keguan.calendar import WorkCalendar
from keguan.export import SAFE_OPTIONS, plain_cell
from keguan.reports.journey_page import state_of
from keguan.reports.year_grid import NOBODY, Day, Place, colours_of, places_of
from keguan.texts import Language, text

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

__all__ = ["year_workbook"]

_A3, _A4 = 8, 9
_HEAD = 3
"""Rows above the first day: title, legend, months."""
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f']")
_NAME = 31  # a sheet's name has no more characters
_SHOWN = 4
"""How many entries a day of the calendar shows; the list has all of them."""
_LINE, _ROW = 15, 32  # points: so high that a year fills an A3 page
_WIDE = 17
"""About how many letters fit on a line of a day, half as many Chinese ones."""
_LIST = ("date", "weekday", "place", "what", "department", "clause", "status", "clash")
_WIDTHS = (12, 7, 22, 44, 16, 34, 12, 10)


def year_workbook(plan: Mapping[str, Any], calendars: Mapping[str, WorkCalendar], language: Language) -> bytes:
    """Return the workbook of ``plan`` (what ``read_year_plan`` returns); ``calendars`` are its cities', by key."""
    import xlsxwriter  # noqa: PLC0415 - 65 ms, needed by few commands

    places = places_of(plan, calendars)
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, **SAFE_OPTIONS}) as workbook:
        writer = _Writer(workbook, plan, language)
        taken = {writer.say("list").casefold()}
        for place in places:
            writer.wall(workbook.add_worksheet(_sheet_name(place.name, taken)), place)
        writer.list(workbook.add_worksheet(writer.say("list")), places)
    return out.getvalue()


def _sheet_name(name: str, taken: set[str]) -> str:
    """Return a name that a sheet can have and no other sheet has."""
    plain = _FORBIDDEN.sub(" ", name).strip()[:_NAME] or "-"
    found, number = plain, 1
    while found.casefold() in taken:
        number += 1
        found = f"{plain[: _NAME - len(str(number)) - 1]} {number}"
    taken.add(found.casefold())
    return found


class _Writer:
    """Writes the sheets of one workbook; formats are made once."""

    def __init__(self, workbook: Workbook, plan: Mapping[str, Any], language: Language) -> None:
        self._workbook = workbook
        self._plan = plan
        self._language = language
        self._colours = colours_of(plan["entries"])
        self._formats: dict[tuple[tuple[str, object], ...], Format] = {}

    def say(self, key: str, /, **values: object) -> str:
        """Return a sentence of the yearly plan."""
        return text(self._language, f"yearplan.{key}", **values)

    # --- The calendar for the wall -------------------------------------------------------------------------------

    def wall(self, sheet: Worksheet, place: Place) -> None:
        """Write a place's calendar: a column of days for each month, to be printed on one A3 page."""
        sheet.set_landscape()
        sheet.set_paper(_A3)
        sheet.set_margins(0.3, 0.3, 0.3, 0.3)
        sheet.center_horizontally()
        sheet.fit_to_pages(1, 1)
        sheet.hide_gridlines(2)
        sheet.freeze_panes(_HEAD, 0)
        title = self.say("title", year=self._plan["year"], place=place.name)
        sheet.write_string(0, 0, plain_cell(title), self._format(bold=True, font_size=20))
        sheet.set_row(0, 30)
        self._legend(sheet, place)
        heading = self._format(bold=True, font_size=12, bg_color="#134e6f", font_color="#ffffff", align="center")
        longest = max(len(month) for month in place.months)
        for number, month in enumerate(place.months):
            left = 2 * number
            sheet.set_column(left, left, 5)
            sheet.set_column(left + 1, left + 1, 16.5)
            sheet.merge_range(_HEAD - 1, left, _HEAD - 1, left + 1, self.say("month", month=number + 1), heading)
            for day in month:
                self._day(sheet, _HEAD + day.date.day - 1, left, day)
        for index in range(longest):
            lines = max(self._lines(month[index]) for month in place.months if index < len(month))
            sheet.set_row(_HEAD + index, max(_ROW, _LINE * lines + 4))
        sheet.print_area(0, 0, _HEAD + longest - 1, 2 * len(place.months) - 1)

    def _legend(self, sheet: Worksheet, place: Place) -> None:
        """Write what the colours and marks mean, in one row."""
        used = [name for name in self._colours if any(entry["department"] == name for entry in place.entries)]
        parts: list[Any] = []
        for name in used:
            parts += [self._format(font_color=self._colours[name]), "■ ", plain_cell(f"{name}   ")]
        parts += [self._format(bold=True), self.say("legend_days")]
        if place.provisional:
            parts.append(f"   {self.say('provisional')}")
        sheet.write_rich_string(1, 0, *parts)

    def _day(self, sheet: Worksheet, row: int, left: int, day: Day) -> None:
        shade = {"bg_color": "#e5e7eb"} if day.off else {"bg_color": "#fef3c7"} if day.made_up else {}
        frame: dict[str, object] = {"border": 1, "border_color": "#c5ccd3", "font_size": 11, "valign": "top", **shade}
        weekday = text(self._language, f"yearplan.weekday.{day.date.weekday()}")
        sheet.write_string(row, left, f"{day.date.day} {weekday}", self._format(**frame, font_color="#4b5563"))
        if day.clash:
            frame |= {"border": 5, "border_color": "#b3142d"}
        cell = self._format(**frame, text_wrap=True)
        parts: list[Any] = []
        for entry in day.entries[:_SHOWN]:
            colour = self._colours.get(entry["department"], NOBODY)
            mark = "⚠ " if day.clash and entry["gathering"] else ""
            line = plain_cell(f"{mark}{entry['what']}")
            parts += [self._format(font_color=colour, font_size=11), "\n■ " if parts else "■ ", self._small(), line]
        if len(day.entries) > _SHOWN:
            parts += [self._small(), f"\n{self.say('more', count=len(day.entries) - _SHOWN)}"]
        named = day.name if day.name and (day.off or day.made_up) else None
        faint: dict[str, object] = {"font_color": "#6b7280", "font_size": 9, "italic": True}
        if named:
            parts = [self._format(**faint), plain_cell(named), *_below(parts)]
        if len(parts) > 2:  # a rich text has at least two pieces
            sheet.write_rich_string(row, left + 1, *parts, cell)
        elif parts:
            sheet.write_string(row, left + 1, parts[1], self._format(**{**frame, **faint}, text_wrap=True))
        else:
            sheet.write_blank(row, left + 1, None, cell)

    @staticmethod
    def _lines(day: Day) -> int:
        """Return about how many lines a day needs: a long entry wraps."""
        shown = [entry["what"] for entry in day.entries[:_SHOWN]]
        wrapped = sum(1 + sum(2 if ord(char) > 0x2E7F else 1 for char in what) // _WIDE for what in shown)
        named = bool(day.name and (day.off or day.made_up))
        return wrapped + (len(day.entries) > _SHOWN) + named

    # --- The list ------------------------------------------------------------------------------------------------

    def list(self, sheet: Worksheet, places: list[Place]) -> None:
        """Write everything as a list that can be filtered, to be printed on A4."""
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        sheet.freeze_panes(1, 0)
        heading = self._format(bold=True, bg_color="#134e6f", font_color="#ffffff", border=1)
        for column, (name, width) in enumerate(zip(_LIST, _WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, self.say(f"column.{name}"), heading)
        row = 0
        for place in places:
            clashing = {clash["date"] for clash in place.clashes}
            for entry in place.entries:
                row += 1
                self._entry(sheet, row, place, entry, clash=entry["date"] in clashing and bool(entry["gathering"]))
        sheet.autofilter(0, 0, row, len(_LIST) - 1)

    def _entry(self, sheet: Worksheet, row: int, place: Place, entry: Mapping[str, Any], *, clash: bool) -> None:
        frame: dict[str, object] = {"border": 1, "border_color": "#c5ccd3", "valign": "top"}
        plain = self._format(**frame, text_wrap=True)
        colour = self._colours.get(entry["department"], NOBODY)
        day = datetime.combine(entry["date"], datetime.min.time())
        sheet.write_datetime(row, 0, day, self._format(**frame, num_format="yyyy-mm-dd"))
        values = (
            (text(self._language, f"yearplan.weekday.{entry['date'].weekday()}"), plain),
            (place.name, plain),
            (entry["what"], plain),
            (entry["department"] or "", self._format(**frame, font_color=colour)),
            (entry["clause"] or "", plain),
            (text(self._language, f"journey.state.{state_of(entry)}"), plain),
            (self.say("clash") if clash else "", self._format(**frame, font_color="#b3142d", bold=True)),
        )
        for column, (value, look) in enumerate(values, start=1):
            sheet.write_string(row, column, plain_cell(value), look)

    def _small(self) -> Format:
        return self._format(font_size=11, font_color="#1f2933")

    def _format(self, **look: object) -> Format:
        key = tuple(sorted(look.items()))
        if key not in self._formats:
            self._formats[key] = self._workbook.add_format(dict(look))
        return self._formats[key]


def _below(parts: list[Any]) -> list[Any]:
    """Return the pieces of a rich text that stands on the next line."""
    return [*parts[:1], f"\n{parts[1]}", *parts[2:]] if parts else []
