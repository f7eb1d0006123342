"""The steps of one attempt of a job over its time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

from trackside.ci.failed_attempts import line_link
from trackside.ci.results import FAILED
from trackside.site.durations import length
from trackside.site.run_words import run_words
from trackside.site.waterfalls import Bar, Waterfall, place
from trackside.site.words import words

MOST_STEPS: Final = 100


def waterfalls(attempts: pl.DataFrame, steps: pl.DataFrame) -> tuple[Waterfall, ...]:
    """The newest attempt of a job whose steps are known, and the newest that failed where that is another one."""
    known = attempts.join(steps.select("job_id").unique(), on="job_id", how="semi", maintain_order="left")
    ordered = known.sort(pl.coalesce("started_at", "created_at", "run_created_at"), "job_id", nulls_last=False)
    newest, failed = ordered.tail(1), ordered.filter(pl.col("result") == FAILED).tail(1)
    return tuple(_both(newest.rows(named=True), failed.rows(named=True), steps))


def _both(
    newest: Sequence[Mapping[str, Any]], failed: Sequence[Mapping[str, Any]], steps: pl.DataFrame
) -> Iterator[Waterfall]:
    for row in newest:
        yield _waterfall(row, f"The newest attempt{', which failed' if row['result'] == FAILED else ''}", steps)
    drawn = {row["job_id"] for row in newest}
    yield from (_waterfall(row, "The newest failed attempt", steps) for row in failed if row["job_id"] not in drawn)


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
        bars=tuple(_bar(one, row["url"], began, span) for one in mine[:MOST_STEPS]),
        left_out=max(len(mine) - MOST_STEPS, 0),
    )


def _bar(step: Mapping[str, Any], url: str | None, began: dt.datetime | None, span: float) -> Bar:
    left, width = place(step["started_at"], step["duration_s"], began, span)
    state = step["conclusion"] or step["status"] or "unknown"
    return Bar(
        name=step["step"] or "?",
        state=state,
        left=left,
        width=width,
        length=length(step["duration_s"]),
        note=None if state == "success" else words(state),
        url=line_link(url, step["number"]),
    )
