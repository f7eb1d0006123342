"""Cells that tables of CI share: a job, a run, a commit, a share with its interval, a length of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from trackside.ci.results import RunLink
from trackside.report.sections import percent
from trackside.site.ci_jobs import Family
from trackside.site.tables import Cell, Column, Kind, number_cell, text_cell, time_cell

MOST_OF_A_LINE: Final = 300
SHA_SHOWN: Final = 8


def workflow_column() -> Column:
    """The column of the workflow, with a drop-down."""
    return Column(key="workflow", label="Workflow", choices=True)


def job_cell(name: str | None, key: Family | None, paths: Mapping[Family, str], root: str = "") -> Cell:
    """A job as a link to its page, where it has one; ``root`` leads from the page to the site."""
    path = None if key is None else paths.get(key)
    return text_cell(name or "the workflow itself", None if path is None else f"{root}{path}")


def run_cell(link: RunLink | None) -> Cell:
    """``#12`` with its page, sorted by its number."""
    if link is None:
        return Cell()
    number = link.run_number if link.run_number is not None else link.run_id
    text = f"#{number}" if link.run_number is not None else str(number)
    return Cell(value=number, text=text, url=link.url)


def moment_cell(link: RunLink | None) -> Cell:
    """When a run was created, with its page, and its number below."""
    if link is None:
        return Cell()
    number = f"#{link.run_number}" if link.run_number is not None else str(link.run_id)
    if link.created_at is None:
        return Cell(text=f"run {number}", url=link.url)
    return msgspec.structs.replace(time_cell(link.created_at, link.url), note=f"run {number}")


def sha_cell(sha: str | None, url: str | None, note: str | None = None) -> Cell:
    """The beginning of a commit's hash."""
    return Cell(value=sha, text=None if sha is None else sha[:SHA_SHOWN], url=url, note=note)


def commit_url(home: str, sha: str | None) -> str | None:
    """The page of a commit of the repository."""
    return f"{home}/commit/{sha}" if sha and sha.isalnum() else None


def rate_columns(key: str, label: str, about: str = "") -> tuple[Column, Column]:
    """A share and its interval."""
    return (
        Column(key=key, label=label, kind=Kind.NUMBER, about=about),
        Column(key=f"{key}-interval", label="95 %", about="The Wilson interval of the share", sortable=False),
    )


def rate_cells(rate: float | None, low: float | None, high: float | None) -> tuple[Cell, Cell]:
    """The cells of ``rate_columns``; a share is saved as a number between 0 and 1."""
    return share_cell(rate), text_cell(None if low is None or high is None else interval(low, high))


def share_cell(share: float | None) -> Cell:
    """A share as per cent."""
    return Cell(value=share, text=percent(share))


def interval(low: float, high: float) -> str:
    """``2.0–6.1 %``."""
    return f"{low * 100:.1f}–{high * 100:.1f} %"


def minutes_cell(seconds: float | None) -> Cell:
    """Seconds as minutes with one decimal."""
    return number_cell(None if seconds is None else round(seconds / 60, 1))


def length(seconds: float | None) -> str:
    """``45 s``, ``12.5 min``, ``3.2 h``."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def cut(text: str | None, most: int = MOST_OF_A_LINE) -> str | None:
    """The beginning of a long text."""
    return text if text is None or len(text) <= most else f"{text[: most - 1]}…"


def words(name: str) -> str:
    """A cause or a state as it is read."""
    return name.replace("_", " ")


def chance(value: float | None) -> str | None:
    """Never 0: a chance that is too small to show is told as below what is shown."""
    if value is None:
        return None
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"


def chance_column(key: str, label: str, about: str) -> Column:
    """A column of chances."""
    return Column(key=key, label=label, kind=Kind.NUMBER, about=about)
