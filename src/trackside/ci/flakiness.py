"""Flaky jobs and tests: how often they fail for nothing, whether it gets worse or stopped, and what it costs."""

from __future__ import annotations

import datetime as dt
import enum
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import polars as pl

from trackside.ci.flake_evidence import Event, Evidence, Kind, gather_evidence
from trackside.ci.flaky_tests import FlakyTest, flaky_tests
from trackside.ci.outages import Outage
from trackside.ci.results import JOB_KEY, Span, rounded, span_of
from trackside.ci.same_commit import Proof
from trackside.history.frames import History
from trackside.stats.exact_tests import fisher_greater
from trackside.stats.intervals import wilson

P_TREND: Final = 0.05
"""A trend is told where its one-sided chance is at most this."""
RECOVERED: Final = 0.05
"""Recovered: the chance of so many commits in a row without a flake, at the rate before, is at most this;"""
RECOVERING: Final = 0.5
"""recovering: at most this."""
_EXAMPLES: Final = 5


class Direction(enum.StrEnum):
    """The second half of the window beside the first."""

    RISING = "rising"
    """More flakes than chance allows."""
    FALLING = "falling"
    """Fewer flakes than chance allows."""
    STEADY = "steady"
    """No difference that chance would not make; with few runs that says little."""


class Recovery(enum.StrEnum):
    """Whether it may have stopped; it is not known that anybody mended it."""

    ACTIVE = "active"
    """There was a flake of late."""
    RECOVERING = "recovering"
    """Some commits in a row had none: as likely mended as not."""
    RECOVERED = "recovered"
    """So many commits in a row had none that chance would hardly do it."""


class Half(msgspec.Struct, frozen=True, kw_only=True):
    """One half of the window: decided runs of the job, and those with a flake."""

    runs: int
    flaky_runs: int


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """The two halves of the window; ``p_rising`` and ``p_falling`` are one-sided (Fisher)."""

    direction: Direction
    first_half: Half
    second_half: Half
    p_rising: float
    p_falling: float


class FlakyJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that failed for nothing in ``flaky_runs`` of ``decided_runs`` runs (of all lines) that passed or failed.

    ``rate`` is their share, ``low`` and ``high`` its 95 % Wilson interval. It is a lower bound: a failure that nobody
    ran again is not counted. ``reruns``, ``siblings`` and ``retries`` count flaky runs by proof; ``set_aside`` counts
    failures on commits that passed which are not flakes. ``clean_commits`` counts commits in a row, since the last
    flake, on which the job passed or failed without one. ``minutes`` are runner minutes of the flaky attempts and of
    their re-runs. ``run_ids`` are the flaky runs; ``flakes`` counts the failures in them, of which ``examples`` are the
    newest.
    """

    workflow: str
    job: str
    family: str
    shard: str | None
    category: str | None
    decided_runs: int
    flaky_runs: int
    flaky_attempts: int
    flakes: int
    run_ids: tuple[int, ...]
    commits: int
    rate: float
    low: float
    high: float
    reruns: int
    siblings: int
    retries: int
    set_aside: dict[str, int]
    causes: dict[str, int]
    tests: tuple[str, ...]
    trend: Trend
    recovery: Recovery
    clean_commits: int
    minutes: float
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    examples: tuple[Event, ...]


class Flaky(msgspec.Struct, frozen=True, kw_only=True):
    """Flaky jobs and tests, those with most flaky runs first, and what looked like flakes and is none.

    ``decided_runs`` counts pairs of run and job that passed or failed, ``jobs_seen`` the jobs. ``set_aside`` are
    failures on commits that passed which are not called flakes, ``not_flakes`` counts them by kind. ``repeated``
    counts pairs of run and job that were attempted more than once: without any nothing can be seen. ``test_files``
    counts jobs whose log told of single test files.
    """

    repo: str
    span: Span
    jobs_seen: int
    decided_runs: int
    repeated: int
    test_files: int
    jobs: tuple[FlakyJob, ...]
    tests: tuple[FlakyTest, ...]
    not_flakes: dict[str, int]
    set_aside: tuple[Event, ...]
    outages: tuple[Outage, ...]
    bad_runners: tuple[str, ...]
    job_ids: tuple[int, ...]

    @property
    def unrecovered(self) -> tuple[FlakyJob, ...]:
        """The jobs whose flakes have not stopped for sure."""
        return tuple(job for job in self.jobs if job.recovery is not Recovery.RECOVERED)


def find_flaky(history: History) -> Flaky:
    """The flaky jobs and tests of a history. ``job_ids`` of the result are those of the failed attempts."""
    evidence = gather_evidence(history)
    flakes = evidence.of_kind(Kind.FLAKE)
    aside = tuple(event for event in evidence.events if event.kind is not Kind.FLAKE)
    runs = _runs(evidence.decided)
    return Flaky(
        repo=history.repo,
        span=span_of(history),
        jobs_seen=runs.select(JOB_KEY).n_unique() if runs.height else 0,
        decided_runs=runs.height,
        repeated=runs.filter(pl.col("attempts") > 1).height,
        test_files=history.test_files["job_id"].n_unique(),
        jobs=_jobs([event for event in flakes if event.is_of_job], aside, runs, evidence),
        tests=flaky_tests(flakes, runs),
        not_flakes={kind.value: n for kind in Kind if (n := sum(event.kind is kind for event in aside))},
        set_aside=aside,
        outages=evidence.outages,
        bad_runners=evidence.bad_runners,
        job_ids=tuple(event.job_id for event in flakes if event.proof is not Proof.RETRY),
    )


def _runs(over: pl.DataFrame) -> pl.DataFrame:
    """One row for each run and job that passed or failed."""
    told = ("family", "shard", "category", "sha", "run_created_at")
    return over.group_by("run_id", *JOB_KEY).agg(
        *(pl.col(name).first() for name in told),
        pl.col("at").min(),
        pl.col("run_attempt").n_unique().alias("attempts"),
    )


def _jobs(
    flakes: Sequence[Event], aside: Sequence[Event], runs: pl.DataFrame, evidence: Evidence
) -> tuple[FlakyJob, ...]:
    events: dict[tuple[str, str], list[Event]] = {}
    for event in flakes:
        events.setdefault((event.workflow, event.job), []).append(event)
    others = Counter((event.workflow, event.job, event.kind.value) for event in aside)
    wanted = pl.DataFrame(sorted(events), schema=dict.fromkeys(JOB_KEY, pl.String()), orient="row")
    of_job = runs.join(wanted, on=JOB_KEY, how="semi").partition_by(JOB_KEY, as_dict=True)
    middle = evidence.decided.select(pl.col("at").min() + (pl.col("at").max() - pl.col("at").min()) / 2).item()
    found = [_job(members, of_job[key], middle, others) for key, members in events.items()]
    return tuple(sorted(found, key=lambda job: (-job.flaky_runs, -job.rate, job.workflow, job.job)))


def _job(
    events: Sequence[Event], runs: pl.DataFrame, middle: dt.datetime | None, others: Counter[tuple[str, str, str]]
) -> FlakyJob:
    row = runs.sort("at", "run_id", nulls_last=False).row(-1, named=True)
    flaky = {event.run_id for event in events}
    proofs = Counter(proof for _, proof in {(event.run_id, event.proof) for event in events})
    low, high = wilson(len(flaky), runs.height)
    recovery, clean = _recovery(events, runs)
    return FlakyJob(
        workflow=row["workflow"],
        job=row["job"],
        family=row["family"],
        shard=row["shard"],
        category=row["category"],
        decided_runs=runs.height,
        flaky_runs=len(flaky),
        flaky_attempts=sum(event.proof is not Proof.RETRY for event in events),
        flakes=len(events),
        run_ids=tuple(sorted(flaky)),
        commits=len({event.failed.sha for event in events}),
        rate=rounded(len(flaky) / runs.height),
        low=rounded(low),
        high=rounded(high),
        reruns=proofs[Proof.RERUN],
        siblings=proofs[Proof.SIBLING],
        retries=proofs[Proof.RETRY],
        set_aside={kind.value: n for kind in Kind if (n := others[row["workflow"], row["job"], kind.value])},
        causes=dict(Counter(event.cause for event in events if event.cause).most_common()),
        tests=tuple(dict.fromkeys(test for event in events for test in event.tests)),
        trend=_trend(runs, flaky, middle),
        recovery=recovery,
        clean_commits=clean,
        minutes=_minutes(events),
        first_at=events[0].at,
        last_at=events[-1].at,
        examples=tuple(reversed(events[-_EXAMPLES:])),
    )


def _trend(runs: pl.DataFrame, flaky: set[int], middle: dt.datetime | None) -> Trend:
    late = (pl.col("at") >= middle).fill_null(value=False)
    first, second = (
        Half(runs=part.height, flaky_runs=part.filter(pl.col("run_id").is_in(list(flaky))).height)
        for part in (runs.filter(~late), runs.filter(late))
    )
    one, other = ((half.flaky_runs, half.runs - half.flaky_runs) for half in (first, second))
    rising, falling = fisher_greater(*other, *one), fisher_greater(*one, *other)
    return Trend(
        direction=Direction.RISING
        if rising <= P_TREND
        else Direction.FALLING
        if falling <= P_TREND
        else Direction.STEADY,
        first_half=first,
        second_half=second,
        p_rising=rounded(rising),
        p_falling=rounded(falling),
    )


def _recovery(events: Sequence[Event], runs: pl.DataFrame) -> tuple[Recovery, int]:
    """How it stands, and how many commits in a row had no flake since the last one."""
    last = max((event.at for event in events if event.at is not None), default=None)
    if last is None:
        return Recovery.ACTIVE, 0
    flaky = {event.failed.sha for event in events}
    begun = runs.group_by("sha").agg(pl.col("at").min())
    clean = begun.filter((pl.col("at") > last) & ~pl.col("sha").is_in(list(flaky))).height
    before = runs.filter(pl.col("at") <= last).height
    rate = len({event.run_id for event in events}) / max(before, 1)
    chance = (1 - min(rate, 1.0)) ** clean
    if clean and chance <= RECOVERED:
        return Recovery.RECOVERED, clean
    return (Recovery.RECOVERING if clean and chance <= RECOVERING else Recovery.ACTIVE), clean


def _minutes(events: Iterable[Event]) -> float:
    """Runner minutes: in each run those from its first flaky attempt on, and those of tries within jobs."""
    runs: dict[int, float] = {}
    jobs: dict[int, float] = {}
    for event in events:
        if event.proof is Proof.RETRY:
            jobs[event.job_id] = event.minutes
        else:
            runs[event.run_id] = max(runs.get(event.run_id, 0.0), event.minutes)
    return round(sum(runs.values()) + sum(jobs.values()), 1)
