"""The answer to a question in SQL: a table for a terminal, JSON, CSV, Markdown. Its cells come from outside."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec
import polars as pl
from rich import box
from rich.table import Table
from rich.text import Text

from trackside.report.safe_text import csv_text, markdown_text, safe_text
from trackside.report.step_summary import markdown_table
from trackside.report.table_files import plain_cells, safe_cells

ANSWER_VERSION: Final = 1
SHOWN_ROWS: Final = 100
"""So many rows of an answer are drawn on a terminal."""


class AnswerColumn(msgspec.Struct, frozen=True):
    """A column of an answer and its Polars type."""

    name: str
    type: str


class AnswerDocument(msgspec.Struct, frozen=True):
    """What ``--format json`` prints: every row, times as ISO 8601 in UTC, bytes as Base64."""

    schema_version: int
    columns: tuple[AnswerColumn, ...]
    rows: tuple[dict[str, Any], ...]


def answer_table(answer: pl.DataFrame, rows: int | None = None) -> Table:
    """The first ``rows`` rows, all where None; numbers to the right, ``-`` for null, lists as JSON."""
    table = Table(box=box.ROUNDED)
    for name, dtype in answer.schema.items():
        table.add_column(Text(safe_text(name)), justify="right" if dtype.is_numeric() else "left")
    shown = plain_cells(answer if rows is None else answer.head(rows), flat=True)
    for row in shown.iter_rows():
        table.add_row(*(Text("-" if cell is None else safe_text(str(cell))) for cell in row))
    return table


def answer_json(answer: pl.DataFrame) -> str:
    """An AnswerDocument in ASCII, so that no character of it acts on a terminal; what is no number is null."""
    columns = [{"name": name, "type": str(dtype)} for name, dtype in answer.schema.items()]
    floats = [name for name, dtype in answer.schema.items() if dtype.is_float()]
    finite = [pl.when(pl.col(name).is_finite()).then(name).alias(name) for name in floats]
    rows = plain_cells(answer.with_columns(finite)).to_dicts()
    return json.dumps({"schema_version": ANSWER_VERSION, "columns": columns, "rows": rows}, default=str)


def answer_csv(answer: pl.DataFrame) -> str:
    """A header and every row; unknown is an empty cell, and no spreadsheet runs a cell."""
    cells = safe_cells(plain_cells(answer, flat=True))
    return cells.rename({name: csv_text(name) for name in cells.columns}).write_csv().rstrip("\n")


def answer_markdown(answer: pl.DataFrame) -> str:
    """Every row as a Markdown table; nothing in a cell is a mention, a reference or HTML."""
    heading = [markdown_text(name) for name in answer.columns]
    rows = plain_cells(answer, flat=True).iter_rows()
    cells = (["-" if cell is None else markdown_text(str(cell)) for cell in row] for row in rows)
    return "\n".join(markdown_table(heading, cells))
