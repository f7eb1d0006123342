"""Writes the tables of columns into the documentation, from the lists that the code uses.

Run it after a change of ``trackside.records.engine_rows`` or ``trackside.store.schema``:
``.venv/bin/python scripts/column_tables.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from trackside.records.engine_rows import COLUMNS, Column
from trackside.store.schema import STAMPS
from trackside.store.schema import TABLES as STORED

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


def stored_table(name: str) -> str:
    """Every column of a table of the store: name, type, unit, meaning; of ``stamps`` those that all tables have."""
    columns = STAMPS if name == "stamps" else STORED[name].columns
    return _table(
        ("Column", "Type", "Unit", "Meaning"),
        [(f"`{one.name}`", type_name(one.dtype), one.unit or "–", one.meaning) for one in columns],
    )


def type_name(dtype: pl.DataType | type[pl.DataType]) -> str:
    """How the documentation writes a type: Timestamp is in µs and UTC, a struct is told by its fields."""
    if isinstance(dtype, pl.Datetime):
        return "Timestamp"
    if isinstance(dtype, pl.List):
        return f"List of {type_name(dtype.inner)}"  # type: ignore[arg-type]
    if isinstance(dtype, pl.Struct):
        fields = (f"{field.name} {type_name(field.dtype)}" for field in dtype.fields)  # type: ignore[arg-type]
        return f"Struct ({', '.join(fields)})"
    return str(dtype)


class Marked(NamedTuple):
    """A generated table: the page, the marks it stands between, and what makes it."""

    file: str
    name: str
    table: Callable[[], str]


TABLES: Final = (
    Marked("data.md", "columns", column_table),
    Marked("engine-logs.md", "fields", field_table),
    *(Marked("store.md", f"columns of {name}", partial(stored_table, name)) for name in (*STORED, "stamps")),
)


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
    for file, name, table in TABLES:
        path = DOCS / file
        path.write_text(with_table(path.read_text(encoding="utf-8"), name, table()), encoding="utf-8")
