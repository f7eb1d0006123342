"""Writes the tables of columns into the documentation, from the one list that the code uses.

Run it after a change of ``trackside.records.engine_rows``: ``.venv/bin/python scripts/column_tables.py``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from trackside.records.engine_rows import COLUMNS, Column

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"


def column_table() -> str:
    """Every column of a row: name, type, unit, meaning, logged names."""
    return _table(
        ("Column", "Type", "Unit", "Meaning", "Logged as"),
        [(f"`{one.name}`", one.dtype, one.unit or "–", one.meaning, _names(one) or "–") for one in COLUMNS],
    )


def field_table() -> str:
    """Every column that engines log, with the names they give it."""
    return _table(
        ("Logged as", "Column", "Unit", "Meaning"),
        [(_names(one), f"`{one.name}`", one.unit or "–", one.meaning) for one in COLUMNS if one.logged_as],
    )


TABLES: Final = {"data.md": ("columns", column_table), "engine-logs.md": ("fields", field_table)}


def with_table(text: str, name: str, table: str) -> str:
    """``text`` with what stands between the marks ``name`` and ``end of name`` replaced by ``table``."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    return pattern.sub(lambda _: f"{start}\n{table}\n{end}", text)


def _names(column: Column) -> str:
    return ", ".join(f"`{name}`" for name in column.logged_as)


def _table(heading: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heading, ("---",) * len(heading), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    for file, (name, table) in TABLES.items():
        path = DOCS / file
        path.write_text(with_table(path.read_text(encoding="utf-8"), name, table()), encoding="utf-8")
