"""Shares in per cent: columns and cells of them, and their intervals in words."""

from __future__ import annotations

from typing import Final

from trackside.report.sections import percent
from trackside.site.tables import Cell, Column, Kind, number_cell, text_cell

PERCENT: Final = "%"


def share_column(key: str, label: str, about: str = "") -> Column:
    """A column of shares in per cent."""
    return Column(key=key, label=label, kind=Kind.NUMBER, unit=PERCENT, about=about)


def share_cell(share: float | None, *, note: str | None = None, tone: str | None = None) -> Cell:
    """A share, from 0 to 1, in per cent with one decimal, which is what is saved too."""
    return _cell(None if share is None else round(share * 100, 1), note, tone)


def rate_columns(key: str, label: str, about: str = "") -> tuple[Column, Column]:
    """A share and its interval."""
    return (
        share_column(key, label, about),
        Column(key=f"{key}-interval", label="95 %", about="The Wilson interval of the share", sortable=False),
    )


def rate_cells(rate: float | None, low: float | None, high: float | None) -> tuple[Cell, Cell]:
    """The cells of ``rate_columns``."""
    return share_cell(rate), text_cell(None if low is None or high is None else interval(low, high))


def whole_cell(share: float | None, *, tone: str | None = None) -> Cell:
    """How much of something is there, in per cent; never 100 where something is missing."""
    return share_cell(_not_quite(share), tone=tone)


def share_words(share: float | None) -> str | None:
    """The same in words: ``99.9 %``."""
    return percent(_not_quite(share))


def interval(low: float | None, high: float | None) -> str:
    """``2.0–6.1 %``; – where it is not known."""
    return "–" if low is None or high is None else f"{low * 100:.1f}–{high * 100:.1f} %"


def _not_quite(share: float | None) -> float | None:
    return share if share is None or share >= 1 else min(share, 0.999)


def _cell(value: float | None, note: str | None, tone: str | None) -> Cell:
    return number_cell(value, None if value is None else f"{value:.1f}", note=note, tone=tone)
