"""Cells that tables of CI share: a job, a run, a commit, a share with its interval, a length of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from trackside.ci.results import RunLink
from trackside.site.ci_jobs import Family
from trackside.site.run_words import run_label, run_words
from trackside.site.tables import Cell, Column, Kind, number_cell, text_cell, time_cell

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
    return Cell(value=number, text=run_label(link.run_number, link.run_id), url=link.url)


def moment_cell(link: RunLink | None) -> Cell:
    """When a run was created, with its page, and its number below."""
    if link is None:
        return Cell()
    run = run_words(link.run_number, link.run_id)
    if link.created_at is None:
        return Cell(text=run, url=link.url)
    return msgspec.structs.replace(time_cell(link.created_at, link.url), note=run)


def sha_cell(sha: str | None, url: str | None, note: str | None = None) -> Cell:
    """The beginning of a commit's hash."""
    return Cell(value=sha, text=None if sha is None else sha[:SHA_SHOWN], url=url, note=note)


def minutes_cell(seconds: float | None) -> Cell:
    """Seconds as minutes with one decimal."""
    return number_cell(None if seconds is None else round(seconds / 60, 1))


def chance(value: float | None) -> str | None:
    """Never 0: a chance that is too small to show is told as below what is shown."""
    if value is None:
        return None
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"


def chance_column(key: str, label: str, about: str) -> Column:
    """A column of chances."""
    return Column(key=key, label=label, kind=Kind.NUMBER, about=about)
