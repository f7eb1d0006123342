"""Tables of the page of one job: its attempts, the verdicts on it, its runners."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trackside.ci.results import RunLink
from trackside.report.ci_causes_report import whose_code
from trackside.site.addresses import commit_url
from trackside.site.ci_cells import minutes_cell, run_cell, sha_cell
from trackside.site.ci_job_facts import MOST_ATTEMPTS, MOST_FAILED, JobPage
from trackside.site.shares import rate_cells, rate_columns
from trackside.site.tables import Cell, Column, Kind, Table, number_cell, state_cell, text_cell, time_cell
from trackside.site.words import words
from trackside.stats.intervals import wilson

_MOST_RUNNERS: Final = 50
_MOST_VERDICTS: Final = 30


def attempts_table(page: JobPage, home: str) -> Table:
    """The newest attempts of the job, of all lines."""
    has_shards = page.job.shards > 1
    return Table(
        key="attempts",
        caption="Attempts, newest first",
        columns=(
            Column(key="began", label="Began", kind=Kind.TIME, unit="UTC", choices=True),
            Column(key="outcome", label="Outcome", kind=Kind.STATE, choices=True),
            *((Column(key="shard", label="Matrix index", choices=True),) if has_shards else ()),
            Column(key="run", label="Run", kind=Kind.NUMBER),
            Column(key="attempt", label="Attempt", kind=Kind.NUMBER),
            Column(key="event", label="Event", choices=True),
            Column(key="line", label="Branch"),
            Column(key="commit", label="Commit"),
            Column(key="pull", label="Pull request", kind=Kind.NUMBER),
            Column(key="duration", label="Duration", unit="min", kind=Kind.NUMBER),
            Column(key="queue", label="Queue", unit="min", kind=Kind.NUMBER),
            Column(key="runner", label="Runner"),
            Column(key="cause", label="Cause", choices=True),
        ),
        rows=tuple(_attempt(row, home, has_shards=has_shards) for row in page.attempts),
        empty="No attempt of this job is in the window.",
        order="-began",
        left_out=page.job.attempts - len(page.attempts),
        left_out_why=f"the newest {MOST_ATTEMPTS} and the newest {MOST_FAILED} that failed are shown",
    )


def _attempt(row: Mapping[str, Any], home: str, *, has_shards: bool) -> tuple[Cell, ...]:
    began = row["started_at"] or row["created_at"] or row["run_created_at"]
    number = row["pull_number"]
    pull = Cell() if number is None else Cell(value=number, text=f"#{number}", url=f"{home}/pull/{number}")
    step = f"step {row['failed_step']}" if row["failed_step"] else None
    cause = row["cause"]
    return (
        time_cell(began),
        state_cell(row["conclusion"] or row["status"] or "unknown", row["url"]),
        *((text_cell(row["shard"]),) if has_shards else ()),
        run_cell(_link(row)),
        number_cell(row["run_attempt"]),
        text_cell(row["event"]),
        text_cell(row["line"]),
        sha_cell(row["sha"], commit_url(home, row["sha"])),
        pull,
        minutes_cell(row["duration_s"]),
        minutes_cell(row["queue_s"]),
        text_cell(row["runner_name"] or None),
        Cell(value=cause, text=None if cause is None else words(cause), note=step if cause else None),
    )


def _link(row: Mapping[str, Any]) -> RunLink:
    return RunLink(run_id=row["run_id"], run_number=row["run_number"], url=row["run_url"])


def verdicts_table(page: JobPage) -> Table:
    """Where the failures of each line come from, and why that is said."""
    return Table(
        key="verdicts",
        caption="Verdicts by branch, the default branch first",
        columns=(
            Column(key="line", label="Branch"),
            *((Column(key="job", label="Job"),) if page.job.shards > 1 else ()),
            Column(key="verdict", label="Verdict", choices=True),
            Column(key="failures", label="Failures", kind=Kind.NUMBER),
            Column(key="row", label="In a row now", kind=Kind.NUMBER, about="Failed runs that the line ends with"),
            Column(key="why", label="Why", sortable=False),
            Column(key="newest", label="Newest", kind=Kind.TIME, unit="UTC"),
        ),
        rows=tuple(
            (
                text_cell(one.line),
                *((text_cell(one.job),) if page.job.shards > 1 else ()),
                Cell(value=one.verdict.value, text=whose_code(one)),
                number_cell(one.failures),
                number_cell(one.broken_runs),
                text_cell(" ".join(one.evidence) or None, note="; ".join(one.missing) or None),
                time_cell(one.newest.at, one.newest.url),
            )
            for one in page.verdicts[:_MOST_VERDICTS]
        ),
        empty="No failure of this job was judged in the window.",
        page_size=5,
        search=False,
        left_out=max(len(page.verdicts) - _MOST_VERDICTS, 0),
        left_out_why="what is broken and fails most is shown, data/ci-causes.json has all",
    )


def runners_of_job_table(page: JobPage) -> Table:
    """How the job fared on each runner."""
    return Table(
        key="runners",
        caption="Runners that ran it, most failures first",
        columns=(
            Column(key="runner", label="Runner"),
            Column(key="pool", label="Pool", choices=True),
            Column(key="failed", label="Failed", kind=Kind.NUMBER),
            Column(key="of", label="Of", kind=Kind.NUMBER),
            *rate_columns("rate", "Rate"),
            Column(key="p50", label="p50", unit="min", kind=Kind.NUMBER, about="Duration of what passed"),
            Column(key="last", label="Last", kind=Kind.TIME, unit="UTC"),
        ),
        rows=tuple(_runner(row) for row in page.runners[:_MOST_RUNNERS]),
        empty="No attempt tells its runner.",
        order="-failed",
        page_size=10,
        search=False,
        left_out=max(len(page.runners) - _MOST_RUNNERS, 0),
        left_out_why="those with the most failures are shown",
    )


def _runner(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    failed, decided = row["failed"], row["decided"]
    rate = rate_cells(failed / decided, *wilson(failed, decided)) if decided else rate_cells(None, None, None)
    suspect = "failures concentrate on it" if row["is_bad"] else None
    return (
        text_cell(row["runner_name"], note=suspect, tone="bad" if suspect else None),
        text_cell(row["pool"]),
        number_cell(failed),
        number_cell(decided),
        *rate,
        minutes_cell(row["p50_s"]),
        time_cell(row["last_at"]),
    )
