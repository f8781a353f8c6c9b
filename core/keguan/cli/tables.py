"""Tables for people, printed page by page so that a long list needs no more memory than a short one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import islice

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

__all__ = ["print_table"]

_PAGE = 500


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Print ``rows`` below ``headings`` and return how many there were; nothing at all without any.

    The first page sets the widths of the columns. Cells are shown as they are: brackets in them are no markup.
    """
    terminal = os.isatty(1)
    console = Console(
        highlight=False, markup=False, emoji=False, soft_wrap=not terminal, width=None if terminal else 10_000
    )
    pending = iter(rows)
    widths = [0] * len(headings)
    count = 0
    while page := list(islice(pending, _PAGE)):
        if not count:
            widths = [max(map(_width, column)) for column in zip(headings, *page, strict=True)]
        table = Table(box=None, pad_edge=False, header_style="bold", show_header=not count)
        for heading, width in zip(headings, widths, strict=True):
            table.add_column(heading, overflow="fold", min_width=None if terminal else width)
        for cells in page:
            table.add_row(*cells)
        console.print(table)
        count += len(page)
    return count


def _width(cell: str) -> int:
    return max((cell_len(line) for line in cell.splitlines()), default=0)
