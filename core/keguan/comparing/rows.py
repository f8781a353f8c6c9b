"""Two descriptions of one standard, row by row and field by field. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["Row", "compare_rows"]

Row = Mapping[str, Any]
"""What a plugin's ``describe`` says of one thing it promises."""
_NO_FIELDS = frozenset({"id", "name", "clause", "from"})


def compare_rows(before: Sequence[Row], after: Sequence[Row], variant: str) -> list[dict[str, Any]]:
    """Return what changed between two descriptions: ``id name change clause fields[{field,before,after,by}]``.

    ``change`` is ``added``, ``removed`` or ``changed``. ``by`` is whose the value after is: the plugin that the row
    names for the field, else ``variant``. Rows stand in the order of ``after``, removed ones at the end; of an added or
    removed row those fields are given that have a value.
    """
    old, new = ({row["id"]: row for row in rows} for rows in (before, after))
    found = []
    for key in [*new, *(key for key in old if key not in new)]:
        was, now = old.get(key, {}), new.get(key, {})
        fields = list(_changes(was, now, variant))
        if fields:
            change = "changed" if was and now else "added" if now else "removed"
            row = now or was
            clause = row.get("clause") or None
            found.append(
                {"id": key, "name": row.get("name", key), "change": change, "clause": clause, "fields": fields}
            )
    return found


def _changes(was: Row, now: Row, variant: str) -> Iterator[dict[str, Any]]:
    """Yield the fields whose value is another one; a changed name or clause is one too where both rows are there."""
    ignored = {"id", "from"} if was and now else _NO_FIELDS
    origins = now.get("from") or {}
    for name in [*now, *(name for name in was if name not in now)]:
        before, after = was.get(name), now.get(name)
        if name not in ignored and (before or None) != (after or None):
            origin = origins.get(name)
            by = origin if origin is not None and origin != (was.get("from") or {}).get(name) else variant
            yield {"field": name, "before": before, "after": after, "by": by}
