"""The documented columns are the columns there are."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from scripts.column_tables import TABLES, Marked, with_table
from trackside.bench import dialects
from trackside.records.engine_rows import COLUMNS
from trackside.report import exports

DOCS = Path(__file__).parent.parent / "docs"


def documented(section: str) -> dict[str, str]:
    """The columns of a section's table, with their types."""
    text = (DOCS / "data.md").read_text(encoding="utf-8")
    body = re.split(r"^## ", text.split(f"## `{section}`", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    return dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", body, flags=re.MULTILINE))


@pytest.mark.parametrize("marked", TABLES, ids=lambda marked: marked.name)
def test_generated_tables_are_up_to_date(marked: Marked) -> None:
    text = (DOCS / marked.file).read_text(encoding="utf-8")
    assert marked.table() in text
    assert with_table(text, marked.name, marked.table()) == text, "run scripts/column_tables.py"


def test_every_column_says_what_it_is() -> None:
    for column in COLUMNS:
        assert column.meaning, column.name
        assert isinstance(getattr(pl, column.dtype)(), pl.DataType), column.name
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)


@pytest.mark.parametrize(
    ("section", "schema"),
    [
        ("rows", exports.ROW_SCHEMA),
        ("workers", exports.WORKER_SCHEMA),
        ("ledger", exports.LEDGER_SCHEMA),
        ("launch_config", exports.LAUNCH_SCHEMA),
    ],
)
def test_the_dictionary_has_every_exported_column_with_its_type(section: str, schema: dict[str, pl.DataType]) -> None:
    assert documented(section) == {name: str(dtype) for name, dtype in schema.items()}


def test_every_field_name_that_is_read_is_documented() -> None:
    tables = (
        dialects.PREFILL_FIELDS,
        dialects.DECODE_FIELDS,
        dialects.VLLM_FIELDS,
        dialects.TRTLLM_FIELDS,
        dialects.MEMORY_FIELDS,
        dialects.RETRACT_FIELDS,
    )
    named = {column.name: " ".join(column.logged_as) for column in COLUMNS}
    for table in tables:
        for name, field in table.items():
            if not field.column.startswith("_"):  # K size and V size are only read to be added up
                assert name in named[field.column], name
