"""Write rows as the files of sales systems: each in the style of one system, as ``styles.toml`` describes it."""

from __future__ import annotations

import csv
import io
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import xlsxwriter

from keguan.calendar.lunar import to_lunar

__all__ = ["write_file"]

Row = Mapping[str, Any]
_FULL_WIDTH = {ord("0") + n: 0xFF10 + n for n in range(10)}


@cache
def _styles() -> dict[str, Any]:
    source = resources.files(__package__) / "styles.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))


def write_file(folder: Path, system: str, kind: str, rows: Sequence[Row], day: date, project: str = "") -> Path:
    """Write ``rows`` (importer's field to value) as ``system`` exports that ``kind`` of file; return its path.

    Texts stand in the file as they are, dates and numbers as the system writes them. ``project`` is the name in
    titles and file names.
    """
    style = _styles()[system][kind]
    path: Path = folder / style["file"].format(day=day.isoformat(), project=project)
    titles = [title.format(day=day.isoformat(), project=project) for title in style.get("titles", ())]
    headers = [name for name, _ in style["columns"]]
    if style["format"] == "xlsx":
        _write_workbook(path, titles, headers, [[_value(row, field) for _, field in style["columns"]] for row in rows])
    else:
        body = _body(style, rows)
        _write_text(path, style, [*([title] for title in titles), headers, *body])
    return path


def _body(style: Mapping[str, Any], rows: Sequence[Row]) -> list[list[str]]:
    """Return the rows as texts; with sums, the buildings one after the other and a sum under each."""
    if not style.get("sums"):
        return [_texts(style, row) for row in rows]
    words = _styles()["words"]
    body: list[list[str]] = []
    amounts = Counter(str(row["building"]) for row in rows)
    for building, amount in sorted(amounts.items()):
        body += [_texts(style, row) for row in rows if str(row["building"]) == building]
        body.append([words["subtotal"], "", "", "", "", str(amount)])
    body.append([words["total"], "", "", "", "", str(len(rows))])
    return body


def _value(row: Row, field: str) -> Any:
    value = row.get(field)
    if field == "birthday" and row.get("lunar"):
        year, month, day, leap = to_lunar(row[field])
        words = _styles()["words"]
        leap_word = words["leap_month"] if leap else ""
        return words["lunar_day"].format(year=year, leap=leap_word, month=month, day=day)
    return _styles()["words"].get(value, value) if field in ("fitting", "status") else value


def _texts(style: Mapping[str, Any], row: Row) -> list[str]:
    return [_text(style, field, _value(row, field)) for _, field in style["columns"]]


def _text(style: Mapping[str, Any], field: str, value: Any) -> str:
    if isinstance(value, date):
        return _date(value, style["date"])
    if isinstance(value, int) and field in style.get("thousands", ()):
        return f"{value:,}.00"
    written = "" if value is None else str(value)
    if field in style.get("wide", ()):
        return written.translate(_FULL_WIDTH)
    if field in style.get("grouped", ()) and len(written) == 11 and written.isdigit():
        return f"{written[:3]} {written[3:7]} {written[7:]}"
    return written


def _date(day: date, style: str) -> str:
    match style:
        case "words":
            return f"{day.year}年{day.month}月{day.day}日"
        case "dots":
            return f"{day.year}.{day.month}.{day.day}"
        case "slashes":
            return f"{day.year}/{day.month}/{day.day}"
        case _:
            return day.isoformat()


def _write_text(path: Path, style: Mapping[str, Any], rows: Sequence[Sequence[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter="\t" if style["format"] == "tab" else ",").writerows(rows)
    path.write_bytes(text.getvalue().encode(style["encoding"]))


def _write_workbook(path: Path, titles: Sequence[str], headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    with xlsxwriter.Workbook(str(path), {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        as_date = workbook.add_format({"num_format": "yyyy-mm-dd"})
        for number, title in enumerate(titles):
            sheet.merge_range(number, 0, number, len(headers) - 1, title)
        sheet.write_row(len(titles), 0, headers)
        for number, row in enumerate(rows, start=len(titles) + 1):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(number, column, datetime.combine(value, datetime.min.time()), as_date)
                elif isinstance(value, int):
                    sheet.write_number(number, column, value)
                elif value is not None:
                    sheet.write_string(number, column, value)
