"""Flaky jobs and tests, and what only looked like it: tables, JSON document, CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import msgspec

from trackside.ci.flake_evidence import Event, Kind
from trackside.ci.flakiness import Flaky, FlakyJob
from trackside.ci.flaky_tests import FlakyTest
from trackside.ci.outages import Outage
from trackside.report.ledger import counted
from trackside.report.sections import Cell, Section, percent, section_csv

FLAKY_VERSION: Final = 1
_CSV: Final = (
    "level", "workflow", "name", "jobs", "category", "flaky_runs", "decided_runs", "rate", "low", "high",
    "flaky_attempts", "commits", "by_rerun", "by_sibling_run", "by_retry", "trend", "p_rising", "p_falling",
    "recovery", "clean_commits", "minutes", "first_at", "last_at", "causes", "example_failed_url", "example_passed_url",
)  # fmt: skip
_SAID: Final = {
    Kind.BROKEN: "the job failed on other commits around then: it was broken, not flaky",
    Kind.OUTAGE: "many jobs failed for the same reason in that hour: an outage",
    Kind.RUNNER: "the runner was lost or full, or failures concentrate on it",
    Kind.GATE: "the job only tells that another one failed",
    Kind.UNKNOWN: "nothing ran near it that could tell",
}


class FlakyDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``trackside ci flaky --format json`` prints; times are ISO 8601 in UTC."""

    schema_version: int
    repository: str
    flaky: Flaky


def flaky_json(flaky: Flaky) -> str:
    """A FlakyDocument in ASCII, so that no character of it acts on a terminal."""
    document = FlakyDocument(schema_version=FLAKY_VERSION, repository=flaky.repo, flaky=flaky)
    return json.dumps(msgspec.to_builtins(document), indent=2)


def flaky_csv(flaky: Flaky) -> str:
    """One row for each flaky job, then one for each flaky test; several values in a cell are joined with ``; ``."""
    return section_csv(_CSV, [*map(_job_row, flaky.jobs), *map(_test_row, flaky.tests)])


def flaky_sections(flaky: Flaky, top: int) -> Iterator[Section]:
    """Flaky jobs, flaky tests, what was set aside, and outages; at most ``top`` rows each."""
    yield Section(
        title="Flaky jobs",
        headings=("Job", "Flaky Runs", "Of", "Rate", "95 %", "Trend", "Stands", "Clean Commits", "Minutes", "Why"),
        rows=tuple(_job(one) for one in flaky.jobs[:top]),
        notes=tuple(_notes(flaky, top)),
    )
    if flaky.jobs:
        yield Section(
            title="Newest proof",
            headings=("Job", "Proof", "Failed", "Passed"),
            rows=tuple((_name(one), *_proof(one.examples[0])) for one in flaky.jobs[:top]),
        )
    if flaky.tests:
        yield Section(
            title="Flaky tests",
            headings=("Test", "Jobs", "Flaky Runs", "Of", "Rate", "95 %", "Retried In Job", "Newest"),
            rows=tuple(_test(one) for one in flaky.tests[:top]),
            notes=("A test is seen in logs: --logs failed reads those of failed jobs.",),
        )
    yield from _aside(flaky)


def _job(one: FlakyJob) -> tuple[Cell, ...]:
    why = ", ".join(one.causes) or None
    return (
        _name(one), one.flaky_runs, one.decided_runs, percent(one.rate), _interval(one.low, one.high),
        one.trend.direction.value, one.recovery.value, one.clean_commits, one.minutes, why,
    )  # fmt: skip


def _name(one: FlakyJob) -> str:
    return f"{one.workflow} / {one.job}"


def _interval(low: float, high: float) -> str:
    return f"{low * 100:.1f}-{high * 100:.1f} %"


def _proof(event: Event) -> tuple[Cell, ...]:
    return (event.proof.value, event.failed.url, event.passed.url)


def _test(one: FlakyTest) -> tuple[Cell, ...]:
    jobs = one.jobs[0] if len(one.jobs) == 1 else f"{one.jobs[0]} and {len(one.jobs) - 1} more"
    rate, interval = percent(one.rate), _interval(one.low, one.high)
    return (one.test, jobs, one.flaky_runs, one.decided_runs, rate, interval, one.retried_runs, one.last_at)


def _notes(flaky: Flaky, top: int) -> Iterator[str]:
    seen = (
        f"{counted(flaky.decided_runs, 'result')} of {counted(flaky.jobs_seen, 'job')} (a job that passed or failed "
        f"in a run), {flaky.repeated:,} of them attempted more than once"
    )
    if not flaky.jobs:
        yield f"No flaky job in the window: {seen}."
        if not flaky.repeated:
            yield "Flakes show where a commit is run again; a longer window with --since 30d may hold such runs."
        return
    yield (
        f"Of {seen}. Rate: runs with a failure whose commit also passed, of all that passed or failed, with the 95 % "
        "interval (Wilson). A lower bound: a failure that nobody ran again is not counted."
    )
    yield (
        "Trend: the second half of the window beside the first (one-sided, 5 %). Recovered: so many commits in a row "
        "without a flake that its earlier rate would allow it in one of 20 cases; recovering: in every second."
    )
    yield "Minutes: runner minutes of the flaky attempts and of their re-runs."
    if len(flaky.jobs) > top:
        yield f"Not listed: {counted(len(flaky.jobs) - top, 'job')}; --top or --format json shows them."


def _aside(flaky: Flaky) -> Iterator[Section]:
    if flaky.not_flakes:
        yield Section(
            title="Passed on the same commit, but no flake",
            headings=("Kind", "Failures", "Why"),
            rows=tuple((kind, count, _SAID[Kind(kind)]) for kind, count in flaky.not_flakes.items()),
            notes=(f"Failures concentrate on {', '.join(flaky.bad_runners)}.",) if flaky.bad_runners else (),
        )
    if flaky.outages:
        yield Section(
            title="Outages",
            headings=("From", "To", "Reason", "Pool", "Failed", "Of", "Share", "Jobs", "Commits", "Example"),
            rows=tuple(_outage(one) for one in flaky.outages),
        )


def _outage(one: Outage) -> tuple[Cell, ...]:
    return (
        one.first_at, one.last_at, one.reason, one.pool or "all", one.failures, one.attempts, percent(one.share),
        one.jobs, one.commits, one.example_url,
    )  # fmt: skip


def _job_row(one: FlakyJob) -> tuple[Cell, ...]:
    newest = one.examples[0]
    return (
        "job", one.workflow, one.job, one.job, one.category, one.flaky_runs, one.decided_runs, one.rate, one.low,
        one.high, one.flaky_attempts, one.commits, one.reruns, one.siblings, one.retries, one.trend.direction.value,
        one.trend.p_rising, one.trend.p_falling, one.recovery.value, one.clean_commits, one.minutes, one.first_at,
        one.last_at, "; ".join(f"{cause} {n}" for cause, n in one.causes.items()), newest.failed.url, newest.passed.url,
    )  # fmt: skip


def _test_row(one: FlakyTest) -> tuple[Cell, ...]:
    newest = one.examples[0]
    unknown = (None,) * 5
    return (
        "test", one.workflow, one.test, "; ".join(one.jobs), None, one.flaky_runs, one.decided_runs, one.rate, one.low,
        one.high, None, None, None, None, one.retried_runs, *unknown, None, None, one.last_at, None,
        newest.failed.url, newest.passed.url,
    )  # fmt: skip
