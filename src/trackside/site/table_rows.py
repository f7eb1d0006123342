"""Rows of a table as HTML: a page has thousands of cells, and here they take a fifth of the time of a template."""

from __future__ import annotations

from markupsafe import Markup, escape

from trackside.report.safe_text import safe_text
from trackside.site.marks import mark_of, tone_of
from trackside.site.table_data import safe_link
from trackside.site.tables import LONG, Cell, Kind, Table


def table_rows(table: Table, home: str) -> Markup:
    """The rows that stand in the HTML, a line each; links lead to the host of ``home`` or to files of the site only."""
    places = [(at, column.kind) for at, column in enumerate(table.columns) if column.shown]
    lines = []
    for place, row in enumerate(table.rows[: table.written]):
        cells = "".join(_place(row[at], kind, home) for at, kind in places)
        more = ' class="more"' if table.page_size and place >= table.page_size else ""
        lines.append(f"<tr{more}>{cells}</tr>\n")
    return Markup("".join(lines))  # noqa: S704 - every text of a cell is escaped


def cell_html(cell: Cell, kind: str, home: str) -> Markup:
    """What stands in a cell."""
    return Markup(_cell(cell, Kind(kind), home))  # noqa: S704 - every text of it is escaped


def _place(cell: Cell, kind: Kind, home: str) -> str:
    tone = f" {escape(cell.tone)}" if cell.tone and kind is not Kind.STATE else ""
    long = " long" if _is_long(cell.text) or _is_long(cell.note) else ""
    return f'<td class="{kind.value}{tone}{long}">{_cell(cell, kind, home)}</td>'


def _is_long(text: str | None) -> bool:
    return text is not None and len(safe_text(text)) > LONG


def _cell(cell: Cell, kind: Kind, home: str) -> str:
    if kind is Kind.MARKUP:
        return "–" if not cell.markup else str(cell.markup)
    parts = [] if cell.text is None and cell.value is None and cell.items else [_told(cell, kind, home)]
    parts += [f" {_told(item, kind, home)}" for item in cell.items]
    if cell.note is not None:
        parts.append(f'<small class="note"><bdi>{_text(cell.note)}</bdi></small>')
    return "".join(parts)


def _told(cell: Cell, kind: Kind, home: str) -> str:
    """The text of a cell or of one of its items, as a link where it leads somewhere, with the mark of a state."""
    shown, url = _shown(cell, kind), safe_link(cell.url, home)
    if url:
        shown = f'<a href="{escape(url)}" rel="noopener">{shown}</a>'
    if kind is not Kind.STATE:
        return shown
    state = None if cell.value is None else str(cell.value)
    tone = escape(cell.tone or tone_of(state))
    return f'<span class="state {tone}"><span aria-hidden="true">{mark_of(state)}</span> {shown}</span>'


def _shown(cell: Cell, kind: Kind) -> str:
    if kind is Kind.TIME and cell.value:
        return f'<time datetime="{_text(str(cell.value))}">{_text(cell.text)}</time>'
    if kind is Kind.STATE and cell.text is None:
        return "<bdi>unknown</bdi>"
    if cell.spoken is not None:
        spoken = _text(cell.spoken)
        return f'<bdi role="img" aria-label="{spoken}" title="{spoken}">{_text(cell.text)}</bdi>'
    return f"<bdi>{_text(cell.text)}</bdi>"


def _text(text: str | None) -> str:
    """A text from outside, its control characters shown; – where it is unknown."""
    return "–" if text is None else str(escape(safe_text(text)))
