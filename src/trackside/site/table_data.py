"""The data of a table as its page carries it for the script of the site."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from markupsafe import Markup

from trackside.report.html_page import json_block
from trackside.report.safe_links import link_within
from trackside.report.safe_text import safe_text
from trackside.site.tables import Cell, Column, Kind, Table, Value
from trackside.site.words import words

_FILE: Final = re.compile(r"(?!/)[\w.~/@!$&'()*+,;=%-]*([?#][\w.~:/?#@!$&'()*+,;=%-]*)?", re.ASCII)
_LARGEST: Final = 2**53


def table_block(table: Table, home: str) -> Markup:
    """The columns and all rows as JSON to stand in a block of the page; links lead to the host of ``home`` only."""
    return json_block(table_document(table, home))


def table_document(table: Table, home: str) -> dict[str, Any]:
    """``{key, order, page_size, search, columns: [...], rows: [[cell, ...], ...]}``.

    A cell is its value alone where that tells all, else an object: ``v`` value, ``t`` text where it is not that of the
    value, ``u`` link, ``n`` note, ``k`` tone, ``s`` the text in full, ``h`` markup of ours, ``i`` further cells.
    """
    return {
        "key": table.key,
        "order": table.order,
        "page_size": table.page_size,
        "search": table.search,
        "columns": [_column(column) for column in table.columns],
        "rows": [
            [_cell(cell, column.kind, home) for cell, column in zip(row, table.columns, strict=True)]
            for row in table.rows
        ],
    }


def _column(column: Column) -> dict[str, Any]:
    return {
        "key": column.key,
        "label": column.label,
        "unit": column.unit,
        "kind": column.kind.value,
        "choices": column.choices,
        "sortable": column.sortable and column.shown and column.kind is not Kind.MARKUP,
        "shown": column.shown,
    }


def _cell(cell: Cell, kind: Kind, home: str) -> Any:
    told: dict[str, Any] = {}
    value = _value(cell.value)
    if isinstance(cell.value, float) or cell.text != text_of(value, kind):
        told["t"] = None if cell.text is None else safe_text(cell.text)
    if (url := safe_link(cell.url, home)) is not None:
        told["u"] = url
    if cell.note is not None:
        told["n"] = safe_text(cell.note)
    if cell.tone is not None:
        told["k"] = cell.tone
    if cell.spoken is not None:
        told["s"] = safe_text(cell.spoken)
    if cell.markup is not None:
        told["h"] = str(cell.markup)
    if cell.items:
        told["i"] = [_cell(item, kind, home) for item in cell.items]
    if not told:
        return value
    return {"v": value, **told}


def _value(value: Value) -> Value:
    """A value as JSON has it: a float that is not finite is unknown, a whole number that scripts would round a text."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, int) and abs(value) > _LARGEST else value


def text_of(value: Value, kind: Kind) -> str | None:
    """How a value is shown where its cell says nothing else; the script of the site does the same."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if kind is Kind.TIME:
        return str(value)[:16].replace("T", " ")
    if kind is Kind.STATE:
        return words(str(value))
    return str(value)


def safe_link(url: str | None, home: str) -> str | None:
    """``url`` where it leads to the host of ``home``, or to a file of the site, else None."""
    if not url:
        return None
    if url.startswith(("http:", "https:")):
        return link_within(url, home)
    return url if _FILE.fullmatch(url) else None
