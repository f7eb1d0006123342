"""The table of all jobs of the window, which leads to their pages."""

from __future__ import annotations

from typing import Final

import polars as pl
from markupsafe import Markup

from trackside.ci.results import FAILED, PASSED, decided
from trackside.report.ledger import counted
from trackside.site.ci_cells import minutes_cell, workflow_column
from trackside.site.ci_jobs import FAMILY_KEY, CiJob, CiResults, Family
from trackside.site.ci_pictures import strip
from trackside.site.marks import mark_of, tone_of
from trackside.site.shares import rate_cells, rate_columns
from trackside.site.tables import Cell, Column, Kind, Table, number_cell, state_cell, text_cell, time_cell

MOST_JOBS: Final = 1_000
_STRIP: Final = 10


def jobs_table(found: CiResults) -> Table:
    """Every job with how it stands, the worst first."""
    strips = _strips(found)
    return Table(
        key="jobs",
        caption=f"{_counted(found)}; broken and flaky ones first",
        columns=(
            Column(key="job", label="Job"),
            workflow_column(),
            Column(key="category", label="Category", choices=True),
            Column(key="stands", label="Stands", kind=Kind.STATE, choices=True, about="On the default branch"),
            Column(
                key="strip",
                label="Newest results",
                kind=Kind.MARKUP,
                about="Of all branches, oldest to newest",
            ),
            Column(key="failed", label="Failed", kind=Kind.NUMBER),
            Column(key="of", label="Of", kind=Kind.NUMBER, about="Results: one for each run and matrix index"),
            *rate_columns("rate", "Rate"),
            Column(key="p50", label="p50", unit="min", kind=Kind.NUMBER, about="Duration of what passed"),
            Column(key="last", label="Last run", kind=Kind.TIME, unit="UTC"),
        ),
        rows=tuple(_row(job, strips.get(job.key)) for job in found.jobs[:MOST_JOBS]),
        empty="No job is known in the window.",
        left_out=max(len(found.jobs) - MOST_JOBS, 0),
        left_out_why="those that failed, and then the newest, are shown",
    )


def _counted(found: CiResults) -> str:
    """``176 jobs (30 names without matrix indices)``: other figures of the page count each index."""
    jobs = found.attempts.select("workflow", "job").unique().height
    told = counted(jobs, "job")
    return told if jobs == len(found.jobs) else f"{told} with matrix indices ({counted(len(found.jobs), 'name')})"


def _row(job: CiJob, results: Markup | None) -> tuple[Cell, ...]:
    note = f"{job.shards} matrix indices" if job.shards > 1 else None
    return (
        text_cell(job.family, job.path, note=note),
        text_cell(job.workflow),
        text_cell(job.category),
        state_cell(job.standing.value),
        Cell(markup=results),
        number_cell(job.failed),
        number_cell(job.results),
        *rate_cells(job.rate, job.low, job.high),
        minutes_cell(job.p50_s),
        time_cell(job.last_at, job.last_url),
    )


def _strips(found: CiResults) -> dict[Family, Markup]:
    """The newest runs in which each job passed or failed, each at the worst of its matrix indices."""
    worst = pl.when((pl.col("result") == FAILED).any()).then(pl.lit(FAILED)).otherwise(pl.lit(PASSED))
    runs = decided(found.results).group_by([*FAMILY_KEY, "run_id"], maintain_order=True).agg(worst.alias("state"))
    newest = runs.group_by(FAMILY_KEY, maintain_order=True).agg(pl.col("state").tail(_STRIP))
    return {
        (workflow, family): strip([(tone_of(state), mark_of(state)) for state in states])
        for workflow, family, states in newest.iter_rows()
    }
