"""Tables of pages: rows that a template writes as HTML and that the script of the site filters, sorts and exports."""

from __future__ import annotations

import datetime as dt
import enum
import math
import re
from typing import Final

import msgspec
from markupsafe import Markup

from trackside.site.words import words

MOST_WRITTEN: Final = 200
"""Rows of a table that stand in the HTML; the others are in its data, and shown by the script."""
LONG: Final = 48
"""Texts with more characters go over several lines."""
RESERVED: Final = frozenset({"q", "sort", "page", "size", "from", "to"})
"""What the address says of a table beside its columns."""
_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
Value = str | int | float | bool | None


class Kind(enum.StrEnum):
    """What a column holds: how it is aligned, sorted and written into a CSV."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"
    """Values are ISO times in UTC."""
    STATE = "state"
    """Values are words such as success or failure, shown with a mark and a colour."""
    MARKUP = "markup"
    """Small pictures made by ours, such as a sparkline; not sorted, searched or exported."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column. ``unit`` stands in its heading, and ``about`` is told on it.

    ``choices`` gives it a drop-down of its values, a column of times the fields From and To; the first such column of
    times has them. Values are in the unit of the heading, as files that are saved have them. A column that is not
    ``shown`` is searched and saved, and not drawn.
    """

    key: str
    label: str
    kind: Kind = Kind.TEXT
    unit: str = ""
    choices: bool = False
    sortable: bool = True
    shown: bool = True
    about: str = ""


class Cell(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One cell. ``value`` is what is sorted and exported, ``text`` what is shown (of None: unknown, shown as –).

    ``url`` makes a link of the text, ``items`` are further cells beside it (several pull requests), ``note`` is a
    second, quiet line, ``tone`` one of good, bad, warn, busy, quiet. ``spoken`` is the text in full where it is short:
    it is read out in its place, and is its tooltip. Texts from outside stand here as they are: the template and the
    script escape them. ``markup`` is made by ``pages.svg``, in columns of Kind.MARKUP alone.
    """

    value: Value = None
    text: str | None = None
    url: str | None = None
    note: str | None = None
    tone: str | None = None
    spoken: str | None = None
    markup: Markup | None = None
    items: tuple[Cell, ...] = ()


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table with a name of its own on its page (``key``): state in the address, files that are saved, are of it.

    ``left_out`` counts rows that are not here, and ``left_out_why`` says why. ``order`` is the key of the column that
    the rows are in the order of, with ``-`` before it where the largest is first. ``page_size`` 0 shows all rows.
    ``empty`` is what stands in place of a table without rows; what is between backticks in it is a command. ``written``
    is how many rows stand in the HTML: fewer where very many pages have such a table.
    """

    key: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str = "Nothing here."
    order: str = ""
    page_size: int = 20
    search: bool = True
    left_out: int = 0
    left_out_why: str = ""
    written: int = MOST_WRITTEN

    def __post_init__(self) -> None:
        keys = [column.key for column in self.columns]
        if not _KEY.fullmatch(self.key) or len({*keys}) < len(keys) or not all(map(_KEY.fullmatch, keys)):
            msg = f"Keys of tables and columns are of small letters, digits, - and _, each once: {self.key}, {keys}."
            raise ValueError(msg)
        for column in self.columns:
            if column.choices and (column.key in RESERVED or column.kind is Kind.MARKUP):
                msg = f"The column {column.key} of the table {self.key} cannot have choices: rename it."
                raise ValueError(msg)
        if self.order and self.order.removeprefix("-") not in keys:
            msg = f"The table {self.key} is in the order of {self.order}, which is none of its columns."
            raise ValueError(msg)
        for row in self.rows:
            self._check(row)

    def _check(self, row: tuple[Cell, ...]) -> None:
        if len(row) != len(self.columns):
            msg = f"The table {self.key} has {len(self.columns)} columns, and a row of {len(row)} cells."
            raise ValueError(msg)
        for cell, column in zip(row, self.columns, strict=True):
            if cell.markup is not None and not (column.kind is Kind.MARKUP and isinstance(cell.markup, Markup)):
                msg = f"The column {column.key} of the table {self.key} has markup that was not made for it."
                raise ValueError(msg)


def text_cell(text: str | None, url: str | None = None, *, note: str | None = None, tone: str | None = None) -> Cell:
    """A cell of a text, which is what is sorted and exported too."""
    return Cell(value=text, text=text, url=url, note=note, tone=tone)


def number_cell(
    value: float | None,
    text: str | None = None,
    *,
    url: str | None = None,
    note: str | None = None,
    tone: str | None = None,
) -> Cell:
    """A cell of a number; ``text`` is how it is shown, where not as it is. One that is not finite is unknown."""
    if value is None or not math.isfinite(value):
        return Cell(url=url, note=note, tone=tone)
    return Cell(value=value, text=f"{value:,}" if text is None else text, url=url, note=note, tone=tone)


def markup_cell(drawn: Markup | None) -> Cell:
    """A cell of a small picture made by ``pages.svg``, in a column of Kind.MARKUP."""
    return Cell(markup=drawn)


def time_cell(moment: dt.datetime | None, url: str | None = None) -> Cell:
    """A cell of a time in UTC, to the minute; the script shows the local one beside it."""
    if moment is None:
        return Cell(url=url)
    utc = moment.astimezone(dt.UTC)
    return Cell(value=utc.isoformat(timespec="seconds").replace("+00:00", "Z"), text=f"{utc:%Y-%m-%d %H:%M}", url=url)


def state_cell(state: str | None, url: str | None = None, note: str | None = None) -> Cell:
    """A cell of a state: success, failure, broken, flaky, …; shown with a mark and a colour."""
    return Cell(value=state, text=None if state is None else words(state), url=url, note=note)
