"""Tables of runners: how long jobs wait, on which machines failures concentrate, where the minutes go."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from trackside.ci.minutes import Minutes, RunnerMinutes
from trackside.ci.queueing import PoolWaiting, Waiting
from trackside.ci.runners import Judged, RunnerReport
from trackside.report.ledger import counted
from trackside.site.ci_cells import chance, chance_column, job_cell, minutes_cell, workflow_column
from trackside.site.ci_failing import Paths
from trackside.site.shares import rate_cells, rate_columns, share_cell, share_column
from trackside.site.tables import Cell, Column, Kind, Table, number_cell, state_cell, text_cell, time_cell

MOST_POOLS: Final = 500
MOST_BUCKETS: Final = 1_500
UNKNOWN_POOL: Final = "(unknown)"
_EXAMPLES: Final = 3


def queue_table(waiting: Waiting) -> Table:
    """The pools, the slowest first."""
    return Table(
        key="queue",
        caption="Waiting time by pool, slowest first",
        columns=(
            Column(key="pool", label="Pool"),
            Column(key="jobs", label="Jobs", kind=Kind.NUMBER),
            Column(key="p50", label="p50", unit="min", kind=Kind.NUMBER),
            Column(key="p90", label="p90", unit="min", kind=Kind.NUMBER),
            Column(key="max", label="Longest", unit="min", kind=Kind.NUMBER),
            Column(key="waiting", label="Wait now", kind=Kind.NUMBER, about="As last seen"),
            Column(key="longest", label="Since", unit="min", kind=Kind.NUMBER, about="The oldest that waits now"),
            Column(key="running", label="Run now", kind=Kind.NUMBER, about="As last seen"),
            Column(key="unknown", label="Missing", kind=Kind.NUMBER, about="Jobs whose waiting time is not known"),
        ),
        rows=tuple(_pool(one) for one in waiting.pools[:MOST_POOLS]),
        empty="No job of the window began or waits.",
        order="-p90",
        left_out=max(len(waiting.pools) - MOST_POOLS, 0),
        left_out_why="the slowest are shown, data/ci-queue.json has all",
    )


def _pool(one: PoolWaiting) -> tuple[Cell, ...]:
    return (
        text_cell(one.pool or UNKNOWN_POOL),
        number_cell(one.jobs),
        minutes_cell(one.p50_s),
        minutes_cell(one.p90_s),
        minutes_cell(one.max_s),
        number_cell(one.waiting),
        minutes_cell(one.longest_s),
        number_cell(one.running),
        number_cell(one.unknown),
    )


def buckets_table(waiting: Waiting) -> Table:
    """The waiting time of each pool over time, by when jobs were created; the newest stretch first."""
    found = [(bucket, pool) for pool in waiting.pools for bucket in pool.buckets]
    found.sort(key=lambda one: one[0].start, reverse=True)
    hours = waiting.bucket_s / 3600
    return Table(
        key="queue-time",
        caption=f"Waiting time by pool and {f'{hours:g} hours' if hours != 1 else 'hour'}, newest first",
        columns=(
            Column(key="start", label="From", kind=Kind.TIME, unit="UTC", choices=True),
            Column(key="pool", label="Pool", choices=True),
            Column(key="jobs", label="Jobs", kind=Kind.NUMBER),
            Column(key="p50", label="p50", unit="min", kind=Kind.NUMBER),
            Column(key="p90", label="p90", unit="min", kind=Kind.NUMBER),
            Column(key="max", label="Longest", unit="min", kind=Kind.NUMBER),
        ),
        rows=tuple(
            (
                time_cell(bucket.start),
                text_cell(pool.pool or UNKNOWN_POOL),
                number_cell(bucket.jobs),
                minutes_cell(bucket.p50_s),
                minutes_cell(bucket.p90_s),
                minutes_cell(bucket.max_s),
            )
            for bucket, pool in found[:MOST_BUCKETS]
        ),
        empty="No waiting time is known.",
        order="-start",
        left_out=max(len(found) - MOST_BUCKETS, 0),
        left_out_why="the newest are shown, data/ci-queue.json has all",
    )


_FIGURES: Final = (
    Column(key="pools", label="Pools"),
    Column(key="failed", label="Failed", kind=Kind.NUMBER),
    Column(key="of", label="Of", kind=Kind.NUMBER, about="Attempts of jobs that others ran at the same time too"),
    Column(key="expected", label="Expected", kind=Kind.NUMBER, about="Failures that others would have had"),
    *rate_columns("rate", "Rate"),
    share_column("others", "Others' rate"),
    Column(key="commits", label="Commits", kind=Kind.NUMBER),
    chance_column("q", "q value", "At most this share of what is named so is named by chance"),
)


def suspects_table(report: RunnerReport) -> Table:
    """Runners and pools on which failures concentrate, with what that is told from."""
    kinds = [*(("runner", one) for one in report.runners), *(("pool", one) for one in report.pools)]
    return Table(
        key="suspects",
        caption="Runners and pools on which failures concentrate",
        columns=(
            Column(key="name", label="Runner or pool"),
            Column(key="kind", label="Kind", choices=True),
            *_FIGURES,
            Column(key="examples", label="Newest failures"),
        ),
        rows=tuple(
            (text_cell(one.name), text_cell(kind), *_judged(one), _examples(one)) for kind, one in kinds if one.is_bad
        ),
        empty=_no_suspect(report),
        search=False,
    )


def _no_suspect(report: RunnerReport) -> str:
    compared = [sum(one.p is not None for one in judged) for judged in (report.runners, report.pools)]
    told = f"{counted(compared[0], 'runner')} and {counted(compared[1], 'pool')}"
    if not report.jobs:
        return "No finished job of the window tells its runner: `trackside site build --sync` reads jobs by REST."
    return f"No runner and no pool stands out; {told} could be compared with others on the same jobs."


def _judged(one: Judged) -> tuple[Cell, ...]:
    return (
        text_cell(", ".join(one.pools) or None),
        number_cell(one.compared_failures),
        number_cell(one.compared),
        number_cell(None if one.expected is None else round(one.expected, 1)),
        *rate_cells(one.rate, one.low, one.high),
        share_cell(one.expected_rate),
        number_cell(one.commits),
        Cell(value=one.q, text=chance(one.q)),
    )


def _examples(one: Judged) -> Cell:
    links = [Cell(value=url, text=f"{place}.", url=url) for place, url in enumerate(one.examples[:_EXAMPLES], 1)]
    if not links:
        return Cell(text=None)
    first, *rest = links
    return Cell(value=first.value, text=first.text, url=first.url, items=tuple(rest))


def evidence_table(report: RunnerReport, families: dict[tuple[str, str], tuple[str, str]], paths: Paths) -> Table:
    """What failed on the suspects, beside the same jobs elsewhere."""
    rows = [
        (
            text_cell(one.name),
            job_cell(job.job, families.get((job.workflow, job.job)), paths),
            text_cell(job.workflow),
            number_cell(job.failures),
            number_cell(job.jobs),
            number_cell(job.other_failures),
            number_cell(job.other_jobs),
        )
        for one in report.bad
        for job in one.by_job
    ]
    return Table(
        key="suspect-jobs",
        caption="What failed there, beside the same jobs elsewhere at the same time",
        columns=(
            Column(key="name", label="Runner or pool", choices=True),
            Column(key="job", label="Job"),
            workflow_column(),
            Column(key="failed", label="Failed", kind=Kind.NUMBER),
            Column(key="of", label="Of", kind=Kind.NUMBER),
            Column(key="elsewhere", label="Failed elsewhere", kind=Kind.NUMBER),
            Column(key="of_elsewhere", label="Of", kind=Kind.NUMBER),
        ),
        rows=tuple(rows[:MOST_POOLS]),
        empty="Nothing stands out.",
        search=False,
    )


def runners_table(report: RunnerReport) -> Table:
    """Every runner that could be compared, the smallest q first."""
    judged = [one for one in report.runners if one.p is not None]
    return Table(
        key="runners",
        caption="Runners that could be compared, the least likely by chance first",
        columns=(
            Column(key="name", label="Runner"),
            Column(key="named", label="Named", kind=Kind.STATE, choices=True),
            *_FIGURES,
        ),
        rows=tuple(
            (text_cell(one.name), state_cell("stands out" if one.is_bad else "ok"), *_judged(one))
            for one in judged[:MOST_POOLS]
        ),
        empty="No runner could be compared with others on the same jobs.",
        left_out=max(len(judged) - MOST_POOLS, 0),
        left_out_why="data/ci-runners.json has all",
    )


def pools_table(report: RunnerReport) -> Table:
    """The pools and how many runners they have."""
    return Table(
        key="pools",
        caption="Pools of runners",
        columns=(
            Column(key="pool", label="Pool"),
            Column(key="runners", label="Runners", kind=Kind.NUMBER),
            Column(key="kind", label="Kind", choices=True, about="Ephemeral runners run a job and are gone"),
            Column(key="jobs", label="Jobs", kind=Kind.NUMBER),
            Column(key="failed", label="Failed", kind=Kind.NUMBER),
            share_column("rate", "Rate"),
        ),
        rows=tuple(
            (
                text_cell(one.pool),
                number_cell(one.runners),
                text_cell("ephemeral" if one.ephemeral else "lasting"),
                number_cell(one.jobs),
                number_cell(one.failures),
                share_cell(one.failures / one.jobs if one.jobs else None),
            )
            for one in report.kinds[:MOST_POOLS]
        ),
        empty="No finished job tells its runner.",
        left_out=max(len(report.kinds) - MOST_POOLS, 0),
        left_out_why="data/ci-runners.json has all",
    )


_MINUTES: Final = (
    Column(key="total", label="Minutes", kind=Kind.NUMBER),
    Column(key="passed", label="Passed", kind=Kind.NUMBER),
    Column(key="failed", label="Failed", kind=Kind.NUMBER),
    Column(key="cancelled", label="Cancelled", kind=Kind.NUMBER),
    Column(key="flaky", label="Flaky", kind=Kind.NUMBER),
    Column(key="other", label="Other", kind=Kind.NUMBER),
    share_column("lost", "Lost", "Failed, cancelled and flaky, of all"),
    Column(key="attempts", label="Attempts", kind=Kind.NUMBER),
)


def workflow_minutes_table(minutes: RunnerMinutes) -> Table:
    """Where the minutes went, by workflow."""
    return Table(
        key="minutes",
        caption="Runner minutes by workflow, most first",
        columns=(Column(key="workflow", label="Workflow"), *_MINUTES),
        rows=tuple((text_cell(one.workflow), *_spent(one.minutes)) for one in minutes.workflows[:MOST_POOLS]),
        empty="No job of the window ran for a time that is told.",
        order="-total",
        page_size=10,
        left_out=max(len(minutes.workflows) - MOST_POOLS, 0),
        left_out_why="data/ci-minutes.json has all",
    )


def job_minutes_table(minutes: RunnerMinutes, paths: Paths) -> Table:
    """Where the minutes went, by job."""
    return Table(
        key="job-minutes",
        caption="Runner minutes by job, most first",
        columns=(Column(key="job", label="Job"), workflow_column(), *_MINUTES),
        rows=tuple(
            (job_cell(one.job, (one.workflow, one.job), paths), text_cell(one.workflow), *_spent(one.minutes))
            for one in minutes.jobs[:MOST_POOLS]
        ),
        empty="No job of the window ran for a time that is told.",
        order="-total",
        page_size=10,
        left_out=max(len(minutes.jobs) - MOST_POOLS, 0),
        left_out_why="data/ci-minutes.json has all",
    )


def _spent(one: Minutes) -> Iterable[Cell]:
    spent = (one.total_min, one.passed_min, one.failed_min, one.cancelled_min, one.flaky_min, one.other_min)
    yield from (number_cell(value, f"{value:,.0f}") for value in spent)
    yield share_cell(one.lost_share)
    yield number_cell(one.job_attempts)
