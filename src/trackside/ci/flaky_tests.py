"""Flaky tests: those that failed in flaky attempts of jobs, and those that passed when their job tried them again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import msgspec
import polars as pl

from trackside.ci.flake_evidence import Event
from trackside.ci.results import JOB_KEY, rounded
from trackside.ci.same_commit import Proof
from trackside.stats.intervals import wilson

_EXAMPLES: Final = 5


class FlakyTest(msgspec.Struct, frozen=True, kw_only=True):
    """A test that failed for nothing in ``flaky_runs`` runs.

    ``decided_runs`` counts the pairs of run and job of the ``jobs`` it is known to be flaky in that passed or failed.
    ``retried_runs`` are those in which it passed when its job tried it again. ``rate`` is the share of flaky pairs of
    run and job, ``low`` and ``high`` its 95 % Wilson interval; a lower bound, as the logs of jobs that passed are
    seldom read.
    """

    workflow: str
    test: str
    jobs: tuple[str, ...]
    decided_runs: int
    flaky_runs: int
    retried_runs: int
    rate: float
    low: float
    high: float
    last_at: dt.datetime | None
    examples: tuple[Event, ...]


def flaky_tests(flakes: Sequence[Event], runs: pl.DataFrame) -> tuple[FlakyTest, ...]:
    """The tests that the flakes tell of, those with most flaky runs first.

    ``runs`` has one row for each run and job that passed or failed.
    """
    events: dict[tuple[str, str], list[Event]] = {}
    for event in flakes:
        for test in event.tests:
            events.setdefault((event.workflow, test), []).append(event)
    counts = runs.group_by(JOB_KEY).len().iter_rows()
    decided_runs = {(workflow, job): n for workflow, job, n in counts}
    found = [_test(workflow, test, members, decided_runs) for (workflow, test), members in events.items()]
    return tuple(sorted(found, key=lambda test: (-test.flaky_runs, -test.rate, test.workflow, test.test)))


def _test(workflow: str, test: str, events: Sequence[Event], decided_runs: dict[tuple[str, str], int]) -> FlakyTest:
    jobs = tuple(sorted({event.job for event in events}))
    n = sum(decided_runs[workflow, job] for job in jobs)
    flaky = len({(event.run_id, event.job) for event in events})
    low, high = wilson(flaky, n)
    return FlakyTest(
        workflow=workflow,
        test=test,
        jobs=jobs,
        decided_runs=n,
        flaky_runs=flaky,
        retried_runs=len({(event.run_id, event.job) for event in events if event.proof is Proof.RETRY}),
        rate=rounded(flaky / n),
        low=rounded(low),
        high=rounded(high),
        last_at=max((event.at for event in events if event.at is not None), default=None),
        examples=tuple(reversed(events[-_EXAMPLES:])),
    )
