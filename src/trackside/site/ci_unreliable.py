"""Tables of what comes and goes: flaky jobs and tests, outages, failure rates that changed."""

from __future__ import annotations

from typing import Final

from trackside.ci.flake_evidence import Event
from trackside.ci.flake_evidence import Kind as Proven
from trackside.ci.flakiness import Flaky, FlakyJob
from trackside.ci.flaky_tests import FlakyTest
from trackside.ci.outages import Outage
from trackside.ci.rate_changes import Change, RateChange, RateChanges
from trackside.report.ledger import counted
from trackside.site.ci_cells import chance, chance_column, job_cell, run_cell, workflow_column
from trackside.site.ci_failing import Paths
from trackside.site.ci_jobs import Family
from trackside.site.shares import rate_cells, rate_columns, share_cell, share_column
from trackside.site.tables import Cell, Column, Kind, Table, number_cell, state_cell, text_cell, time_cell
from trackside.site.words import words

MOST_FLAKY: Final = 500
SAID: Final = {
    Proven.FLAKE: "nothing but chance is known to tell it from the success",
    Proven.BROKEN: "the job failed on other commits around then: it was broken, not flaky",
    Proven.OUTAGE: "many jobs failed for the same reason in that hour: an outage",
    Proven.RUNNER: "the runner was lost or full, or failures concentrate on it",
    Proven.GATE: "the job only tells that another one failed",
    Proven.UNKNOWN: "nothing ran near it that could tell",
}
"""What a failure was whose commit also passed."""
_NO_TEST: Final = (
    "No flaky test is known. Tests are seen in logs, which `trackside site build --sync --logs failed` reads."
)
_RATE_ABOUT: Final = "Runs with a failure whose commit also passed, of all that passed or failed"


def flaky_table(flaky: Flaky, paths: Paths) -> Table:
    """Flaky jobs, those with most flaky runs first."""
    return Table(
        key="flaky",
        caption="Flaky jobs, most flaky runs first",
        columns=(
            Column(key="job", label="Job"),
            workflow_column(),
            Column(key="stands", label="Stands", kind=Kind.STATE, choices=True),
            Column(key="runs", label="Flaky runs", kind=Kind.NUMBER),
            Column(key="of", label="Of", kind=Kind.NUMBER),
            *rate_columns("rate", "Rate", _RATE_ABOUT),
            Column(key="trend", label="Trend", choices=True, about="The second half of the window beside the first"),
            Column(key="clean", label="Clean commits", kind=Kind.NUMBER, about="In a row since the last flake"),
            Column(key="minutes", label="Minutes lost", kind=Kind.NUMBER),
            Column(key="cause", label="Causes"),
            Column(key="last", label="Last flake", kind=Kind.TIME, unit="UTC"),
            Column(key="failed", label="Failed", kind=Kind.NUMBER, about="The newest proof"),
            Column(key="passed", label="Passed", kind=Kind.NUMBER, about="The same commit"),
        ),
        rows=tuple(_flaky(one, paths) for one in flaky.jobs[:MOST_FLAKY]),
        empty=_no_flake(flaky),
        order="-runs",
        left_out=max(len(flaky.jobs) - MOST_FLAKY, 0),
        left_out_why="those with the most flaky runs are shown, data/ci-flaky.json has all",
    )


def _no_flake(flaky: Flaky) -> str:
    seen = f"{counted(flaky.decided_runs, 'result')} of {counted(flaky.jobs_seen, 'job')}"
    if flaky.repeated:
        return f"No flaky job: {seen}, {flaky.repeated:,} of them attempted more than once."
    return f"No flaky job: {seen}, none attempted more than once. Flakes show where a commit is run again."


def _flaky(one: FlakyJob, paths: Paths) -> tuple[Cell, ...]:
    newest = one.examples[0]
    return (
        job_cell(one.job, (one.workflow, one.family), paths),
        text_cell(one.workflow),
        state_cell(one.recovery.value),
        number_cell(one.flaky_runs),
        number_cell(one.decided_runs),
        *rate_cells(one.rate, one.low, one.high),
        text_cell(one.trend.direction.value),
        number_cell(one.clean_commits),
        number_cell(one.minutes),
        text_cell(", ".join(map(words, one.causes)) or None),
        time_cell(one.last_at),
        run_cell(newest.failed),
        run_cell(newest.passed),
    )


def tests_table(tests: tuple[FlakyTest, ...]) -> Table:
    """Flaky tests, those with most flaky runs first."""
    return Table(
        key="tests",
        caption="Flaky tests, most flaky runs first",
        columns=(
            Column(key="test", label="Test"),
            workflow_column(),
            Column(key="jobs", label="Jobs"),
            Column(key="runs", label="Flaky runs", kind=Kind.NUMBER),
            Column(key="of", label="Of", kind=Kind.NUMBER),
            *rate_columns("rate", "Rate", _RATE_ABOUT),
            Column(key="retried", label="Retried in the job", kind=Kind.NUMBER),
            Column(key="last", label="Last flake", kind=Kind.TIME, unit="UTC"),
        ),
        rows=tuple(_test(one) for one in tests[:MOST_FLAKY]),
        empty=_NO_TEST,
        order="-runs",
        left_out=max(len(tests) - MOST_FLAKY, 0),
        left_out_why="those with the most flaky runs are shown, data/ci-flaky.json has all",
    )


def _test(one: FlakyTest) -> tuple[Cell, ...]:
    newest = one.examples[0] if one.examples else None
    jobs = one.jobs[0] if len(one.jobs) == 1 else f"{one.jobs[0]} and {len(one.jobs) - 1:,} more"
    return (
        text_cell(one.test, None if newest is None else newest.failed.url),
        text_cell(one.workflow),
        text_cell(jobs),
        number_cell(one.flaky_runs),
        number_cell(one.decided_runs),
        *rate_cells(one.rate, one.low, one.high),
        number_cell(one.retried_runs),
        time_cell(one.last_at),
    )


def events_table(events: tuple[Event, ...], most: int, more: int = 0) -> Table:
    """Failures whose commit also passed, the newest first, with what each was; ``more`` are not among ``events``."""
    ordered = sorted(events, key=lambda one: (one.at is not None, one.at, one.job_id), reverse=True)
    return Table(
        key="proofs",
        caption="Failures whose commit also passed, newest first",
        columns=(
            Column(key="at", label="Failed at", kind=Kind.TIME, unit="UTC"),
            Column(key="kind", label="Taken for", choices=True),
            Column(key="proof", label="Proof", choices=True),
            Column(key="failed", label="Failed", kind=Kind.NUMBER),
            Column(key="passed", label="Passed", kind=Kind.NUMBER),
            Column(key="line", label="Branch"),
            Column(key="cause", label="Cause", choices=True),
            Column(key="tests", label="Tests"),
            Column(key="runner", label="Runner"),
        ),
        rows=tuple(_event(one) for one in ordered[:most]),
        empty="No failure of this job is known whose commit also passed.",
        order="-at",
        search=False,
        left_out=max(len(ordered) - most, 0) + more,
        left_out_why="the newest are shown, and the newest flakes of each matrix index",
    )


def _event(one: Event) -> tuple[Cell, ...]:
    more = f"and {len(one.tests) - 3} more" if len(one.tests) > 3 else None
    return (
        time_cell(one.at),
        text_cell(one.kind.value, note=SAID[one.kind]),
        text_cell(one.proof.value),
        run_cell(one.failed),
        run_cell(one.passed),
        text_cell(one.line),
        Cell(value=one.cause, text=None if one.cause is None else words(one.cause)),
        text_cell(", ".join(one.tests[:3]) or None, note=more),
        text_cell(one.runner_name),
    )


def outages_table(outages: tuple[Outage, ...]) -> Table:
    """Hours in which many jobs failed for one reason."""
    return Table(
        key="outages",
        caption="Outages: hours in which many jobs of several commits failed for one reason",
        columns=(
            Column(key="reason", label="Reason", choices=True),
            Column(key="pool", label="Pool"),
            Column(key="first", label="From", kind=Kind.TIME, unit="UTC"),
            Column(key="last", label="To", kind=Kind.TIME, unit="UTC"),
            Column(key="failures", label="Failures", kind=Kind.NUMBER),
            share_column("share", "Share", "Of all attempts that ended then"),
            Column(key="jobs", label="Jobs", kind=Kind.NUMBER),
            Column(key="commits", label="Commits", kind=Kind.NUMBER),
        ),
        rows=tuple(
            (
                text_cell(words(one.reason), one.example_url),
                text_cell(one.pool or "all pools"),
                time_cell(one.first_at),
                time_cell(one.last_at),
                number_cell(one.failures),
                share_cell(one.share),
                number_cell(one.jobs),
                number_cell(one.commits),
            )
            for one in outages[:MOST_FLAKY]
        ),
        empty="No outage in the window.",
        search=False,
        left_out=max(len(outages) - MOST_FLAKY, 0),
        left_out_why="the first are shown",
    )


def rates_table(rates: RateChanges, families: dict[tuple[str, str], Family], paths: Paths) -> Table:
    """Jobs that fail more or less often than before, beyond chance; ``families`` tells the page of a job's name."""
    changed = [*rates.of(Change.RISE), *rates.of(Change.FALL)]
    return Table(
        key="rates",
        caption=f"Changed failure rates, of {counted(rates.tested, 'job')} that ran often enough to tell",
        columns=(
            Column(key="job", label="Job"),
            workflow_column(),
            Column(key="change", label="Change", kind=Kind.STATE, choices=True),
            *rate_columns("before", "Before"),
            Column(key="of_before", label="Of", kind=Kind.NUMBER),
            *rate_columns("now", "Now"),
            Column(key="of_now", label="Of", kind=Kind.NUMBER),
            chance_column("q", "q value", "At most this share of what is named so is named by chance"),
            Column(key="first", label="First failure"),
        ),
        rows=tuple(_rate(one, families, paths) for one in changed[:MOST_FLAKY]),
        empty=_no_change(rates),
        search=False,
        left_out=max(len(changed) - MOST_FLAKY, 0),
        left_out_why="data/ci-rates.json has all",
    )


def _no_change(rates: RateChanges) -> str:
    if not rates.tested:
        return f"No job ran often enough to tell whether its failure rate changed ({counted(rates.untested, 'job')})."
    return f"None of {counted(rates.tested, 'job')} fails more or less often than before, beyond chance."


def _rate(one: RateChange, families: dict[tuple[str, str], Family], paths: Paths) -> tuple[Cell, ...]:
    rises = one.change is Change.RISE
    q = one.q_rise if rises else one.q_fall
    return (
        job_cell(one.job, families.get((one.workflow, one.job)), paths),
        text_cell(one.workflow),
        Cell(value="fails more" if rises else "fails less", text="fails more" if rises else "fails less"),
        *rate_cells(one.earlier.rate, one.earlier.low, one.earlier.high),
        number_cell(one.earlier.results),
        *rate_cells(one.later.rate, one.later.low, one.later.high),
        number_cell(one.later.results),
        Cell(value=q, text=chance(q)),
        Cell(value=one.first_failed_url, text="failure" if one.first_failed_url else None, url=one.first_failed_url),
    )
