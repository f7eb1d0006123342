"""Tables of pages: rows that a template writes as HTML and that the script of the site filters, sorts and exports."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Final

import msgspec

MOST_WRITTEN: Final = 200
"""Rows of a table that stand in the HTML; the others are in its data, and shown by the script."""
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
    """A column. ``unit`` stands in its heading; ``choices`` gives it a drop-down, ``about`` is told on its heading."""

    key: str
    label: str
    kind: Kind = Kind.TEXT
    unit: str = ""
    choices: bool = False
    sortable: bool = True
    about: str = ""


class Cell(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One cell. ``value`` is what is sorted and exported, ``text`` what is shown (of None: unknown, shown as –).

    ``url`` makes a link of the text, ``items`` are further cells beside it (several pull requests), ``note`` is a
    second, quiet line, ``tone`` one of good, bad, warn, quiet. Texts from outside stand here as they are: the template
    and the script escape them.
    """

    value: Value = None
    text: str | None = None
    url: str | None = None
    note: str | None = None
    tone: str | None = None
    markup: str | None = None
    items: tuple[Cell, ...] = ()


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table with a name of its own on its page (``key``): state in the address, files that are saved, are of it.

    ``left_out`` counts rows that are not here, and ``left_out_why`` says why. ``order`` is the key of the column that
    the rows are in the order of, with ``-`` before it where the largest is first. ``page_size`` 0 shows all rows.
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

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                msg = f"The table {self.key} has {len(self.columns)} columns, and a row of {len(row)} cells."
                raise ValueError(msg)


def text_cell(text: str | None, url: str | None = None, **more: str | None) -> Cell:
    """A cell of a text, which is what is sorted and exported too."""
    return Cell(value=text, text=text, url=url, **more)  # type: ignore[arg-type]


def number_cell(value: float | None, text: str | None = None, **more: str | None) -> Cell:
    """A cell of a number; ``text`` is how it is shown, where not as it is."""
    shown = None if value is None else text if text is not None else f"{value:,}"
    return Cell(value=value, text=shown, **more)  # type: ignore[arg-type]


def time_cell(moment: dt.datetime | None, url: str | None = None) -> Cell:
    """A cell of a time in UTC, to the minute; the script shows the local one beside it."""
    if moment is None:
        return Cell(url=url)
    utc = moment.astimezone(dt.UTC)
    return Cell(value=utc.isoformat(timespec="seconds").replace("+00:00", "Z"), text=f"{utc:%Y-%m-%d %H:%M}", url=url)


def state_cell(state: str | None, url: str | None = None, note: str | None = None) -> Cell:
    """A cell of a state: success, failure, broken, flaky, …; shown with a mark and a colour."""
    return Cell(value=state, text=None if state is None else state.replace("_", " "), url=url, note=note)
