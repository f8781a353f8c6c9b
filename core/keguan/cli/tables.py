"""Tables for people, printed page by page so that a long list needs no more memory than a short one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from rich.cells import cell_len

__all__ = ["print_table"]

_PAGE = 500
_GAP = "  "
_Page = Sequence[Sequence[str]]


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Print ``rows`` below ``headings`` and return how many there were; nothing at all without any.

    On a terminal cells are folded to its width. Elsewhere each row is one line, and the first page sets the widths
    of the columns. Cells are shown as they are: brackets in them are no markup.
    """
    write = _terminal(headings) if os.isatty(1) else _lines(headings)
    pending = iter(rows)
    count = 0
    while page := list(islice(pending, _PAGE)):
        write(page, not count)
        count += len(page)
    sys.stdout.flush()
    return count


def _terminal(headings: Sequence[str]) -> Callable[[_Page, bool], None]:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False, emoji=False)

    def write(page: _Page, first: bool) -> None:
        table = Table(box=None, pad_edge=False, header_style="bold", show_header=first)
        for heading in headings:
            table.add_column(heading, overflow="fold")
        for cells in page:
            table.add_row(*cells)
        console.print(table)

    return write


def _lines(headings: Sequence[str]) -> Callable[[_Page, bool], None]:
    widths: list[int] = []

    def line(cells: Sequence[str]) -> str:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True))
        return _GAP.join(padded).rstrip() + "\n"

    def write(page: _Page, first: bool) -> None:
        flat = [[" ".join(cell.splitlines()) for cell in cells] for cells in page]
        if first:
            widths.extend(max(map(cell_len, column)) for column in zip(headings, *flat, strict=True))
            sys.stdout.write(line(headings))
        sys.stdout.writelines(map(line, flat))

    return write
