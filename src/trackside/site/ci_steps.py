"""The steps of one attempt of a job over its time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import polars as pl

from trackside.ci.failed_attempts import line_link
from trackside.ci.results import FAILED
from trackside.site.durations import length
from trackside.site.run_words import run_words

MOST_STEPS: Final = 100


class StepBar(msgspec.Struct, frozen=True, kw_only=True):
    """A step: where it begins and how wide it is, in per cent of the job; None where its times are not known."""

    name: str
    state: str
    url: str | None
    start: float | None
    width: float | None
    length: str


class Waterfall(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of an attempt in their order. ``left_out`` counts those that are not drawn."""

    title: str
    state: str
    run: str
    url: str | None
    job: str
    began: dt.datetime | None
    length: str
    steps: tuple[StepBar, ...]
    left_out: int


def waterfalls(attempts: pl.DataFrame, steps: pl.DataFrame) -> tuple[Waterfall, ...]:
    """The newest attempt of a job whose steps are known, and the newest that failed where that is another one."""
    known = attempts.join(steps.select("job_id").unique(), on="job_id", how="semi", maintain_order="left")
    ordered = known.sort(pl.coalesce("started_at", "created_at", "run_created_at"), "job_id", nulls_last=False)
    newest, failed = ordered.tail(1), ordered.filter(pl.col("result") == FAILED).tail(1)
    titles = {row["job_id"]: (row, "The newest failed attempt") for row in failed.iter_rows(named=True)}
    for row in newest.iter_rows(named=True):
        is_failed = row["job_id"] in titles
        titles = {row["job_id"]: (row, f"The newest attempt{', which failed' if is_failed else ''}"), **titles}
        if is_failed:
            titles[row["job_id"]] = (row, "The newest attempt, which failed")
    return tuple(_waterfall(row, title, steps) for row, title in titles.values())


def _waterfall(row: Mapping[str, Any], title: str, steps: pl.DataFrame) -> Waterfall:
    mine = steps.filter(pl.col("job_id") == row["job_id"]).sort("number").rows(named=True)
    starts = [one["started_at"] for one in mine if one["started_at"] is not None]
    ends = [one["completed_at"] for one in mine if one["completed_at"] is not None]
    began = min([*starts, *([row["started_at"]] if row["started_at"] is not None else [])], default=None)
    span = (max(ends) - began).total_seconds() if ends and began is not None else None
    span = max(span or row["duration_s"] or 1.0, 1.0)
    return Waterfall(
        title=title,
        state=row["conclusion"] or row["status"] or "unknown",
        run=run_words(row["run_number"], row["run_id"]),
        url=row["url"],
        job=row["job"],
        began=began,
        length=length(row["duration_s"]),
        steps=tuple(_bar(one, row["url"], began, span) for one in mine[:MOST_STEPS]),
        left_out=max(len(mine) - MOST_STEPS, 0),
    )


def _bar(step: Mapping[str, Any], url: str | None, began: dt.datetime | None, span: float) -> StepBar:
    started, seconds = step["started_at"], step["duration_s"]
    start = width = None
    if started is not None and began is not None and seconds is not None:
        start = round(min(max((started - began).total_seconds() / span * 100, 0.0), 100.0), 2)
        width = round(min(max(seconds / span * 100, 0.0), 100.0 - start), 2)
    return StepBar(
        name=step["step"] or "?",
        state=step["conclusion"] or step["status"] or "unknown",
        url=line_link(url, step["number"]),
        start=start,
        width=width,
        length=length(seconds),
    )
