"""Telling the rows of a table from what else stands between them."""

from __future__ import annotations

import re
from collections import Counter

from keguan.intake.cells import Cell, cell_text, is_empty
from keguan.intake.columns import ColumnMap, Header
from keguan.intake.vocabulary import normal_word, vocabulary

__all__ = ["Judge"]

_NUMBERS_ONLY = re.compile(r"[\d\s.,:/+%￥¥年月日*-]+")


class Judge:
    """Tells rows of the table from what else stands between them: blanks, subtotals, notes, headers again."""

    def __init__(self, header: Header, columns: ColumnMap, *, ragged: bool, counts: Counter[str]) -> None:
        self.width, self.ragged, self.counts = len(header.names), ragged, counts
        self.header = header.lowest
        self.probe = next(column for column, text in enumerate(header.lowest) if text)
        self.nameless = [column for column, name in enumerate(header.names) if not name]
        self.mapped = header.fields
        self.keys = [column for column, name in header.fields.items() if name in columns.kind.keys]
        self.words = words = vocabulary()
        self.subtotals, self.notes = tuple(words.subtotals), words.notes
        # A sentence that stands alone in its row may begin with such a word without a colon: 以上数据截至三月.
        self.sentences = tuple(word for word in words.notes if len(word) > 1 and not word.isascii())
        # Only a cell with one of these characters can begin a subtotal or a note; most rows are done after that.
        hints = {re.escape(word[0]) + r"\s*" + re.escape(word[1:2]) for word in words.subtotals | words.notes}
        self.hint = re.compile("|".join([*sorted(hints), r"页|\bpage"]), re.IGNORECASE)

    def skips(self, cells: list[Cell]) -> bool:
        """Return whether the record is no row; what is skipped is counted, blank records are not."""
        first = cells[0]
        if is_empty(first):
            first = next((cell for cell in cells if not is_empty(cell)), "")
        if first == "":
            return True
        keyless = all(column >= len(cells) or is_empty(cells[column]) for column in self.keys)
        reason = None
        if self._is_header(cells):
            reason = "import.notice_headers"
        elif isinstance(first, str) and self.hint.search(first) and (found := self._remark(first, cells, keyless)):
            reason = found
        elif keyless and self._is_note(cells):
            reason = "import.notice_notes"
        if reason is not None:
            self.counts[reason] += 1
        return reason is not None

    def overflows(self, cells: list[Cell]) -> bool:
        """Return whether a record with more cells than the header is broken.

        In a text file a cell too many means that all behind some point stand in wrong columns. In a sheet
        cells cannot slip; what stands beside the table is counted.
        """
        if all(is_empty(cell) for cell in cells[self.width :]):
            return False
        if not self.ragged:
            self.counts["import.notice_beside"] += 1
        return self.ragged

    def notes_nameless(self, cells: list[Cell]) -> None:
        """Count a record that has something in a column without a name."""
        if any(column < len(cells) and not is_empty(cells[column]) for column in self.nameless):
            self.counts["import.notice_beside"] += 1

    def _is_header(self, cells: list[Cell]) -> bool:
        probe = cells[self.probe] if self.probe < len(cells) else ""
        if not isinstance(probe, str) or " ".join(probe.split()) != self.header[self.probe]:
            return False
        same = sum(
            isinstance(cell, str) and " ".join(cell.split()) == name
            for cell, name in zip(cells, self.header, strict=False)
            if name
        )
        return same >= 2 and same * 2 > sum(not is_empty(cell) for cell in cells)

    def _remark(self, first: str, cells: list[Cell], keyless: bool) -> str | None:
        word = normal_word(first)
        start = re.split(r"[:(]", word, maxsplit=1)[0].rstrip("0123456789,.元")
        if start.endswith(self.subtotals) and len(start) <= 16:
            # 合计 in the first cell is a sum even where a count stands in the key's column.
            return "import.notice_subtotals"
        alone = keyless or self._is_key(first, cells)
        note = start in self.notes or self.words.pages.fullmatch(word) is not None
        if not note and sum(not is_empty(cell) for cell in cells) == 1:
            note = start.startswith(self.sentences)
        return "import.notice_notes" if note and alone else None

    def _is_key(self, first: str, cells: list[Cell]) -> bool:
        """Whether the only key that the row has is its first cell, which is a remark and no key."""
        filled = [cells[column] for column in self.keys if column < len(cells) and not is_empty(cells[column])]
        return filled == [first]

    def _is_note(self, cells: list[Cell]) -> bool:
        """Whether a row without a key is no more than a remark, a signature or a page number in a wide table.

        One text alone is; of two, one must stand outside the known columns or say what it is (``审核：李四``), so
        that a row that lost its key is rejected and not passed over.
        """
        filled = [(column, cell) for column, cell in enumerate(cells) if not is_empty(cell)]
        if self.width < 4 or len(filled) > 2:
            return False
        if any(not isinstance(cell, str) or _NUMBERS_ONLY.fullmatch(cell) for _, cell in filled):
            return False
        return len(filled) == 1 or any(
            column not in self.mapped or ":" in cell_text(cell) or "：" in cell_text(cell) for column, cell in filled
        )
