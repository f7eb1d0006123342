"""Each failure on a commit that also passed: a flake, or something that struck the job from outside."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from trackside.ci.gates import find_gates
from trackside.ci.neighbours import Surroundings, began_at, neighbours_of
from trackside.ci.outages import FAILURES, FAMILIES, INFRASTRUCTURE, SHARE, Outage, find_outages, reason_of
from trackside.ci.results import JOB_KEY, PASSED, RunLink, attempts, decided, link_of
from trackside.ci.runners import RunnerReport, judge_runners
from trackside.ci.same_commit import Pair, Proof, pairs_of
from trackside.history.frames import History
from trackside.records.failures import Cause, FileOutcome

RUNNER_CAUSES: Final = (Cause.RUNNER_LOST, Cause.DISK_FULL)
"""Causes that are the machine's."""


class Kind(enum.StrEnum):
    """What a failure was whose job also passed on the same commit."""

    FLAKE = "flake"
    """Nothing but chance is known to tell it from the success."""
    BROKEN = "broken"
    """The job failed on other commits too at that time: it was broken, and mended before it ran again."""
    OUTAGE = "outage"
    """It was one of many jobs that failed for the same reason in that hour, or in its run on a commit that is good."""
    RUNNER = "runner"
    """The runner was lost or full, or it is one on which failures concentrate."""
    GATE = "gate"
    """The job only tells that another job of its run failed."""
    UNKNOWN = "unknown"
    """Nothing ran near it that could tell whether the job was broken then."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One failure on a commit that also passed. ``at`` is when the attempt began.

    ``failed`` and ``passed`` link to the pages of the two attempts; with proof ``retry`` they are one and the same.
    ``tests`` are those that failed in it, as far as a log told. ``is_of_job`` is False where only a test is flaky: it
    passed when it was tried again, and the job failed for something else. ``minutes`` is what the failed attempt and
    the attempts of the job after it in its run took; for a retry in the job the tries before the last one, where they
    are timed.
    """

    workflow: str
    job: str
    job_id: int
    run_id: int
    line: str | None
    at: dt.datetime | None
    kind: Kind
    proof: Proof
    failed: RunLink
    passed: RunLink
    cause: str | None = None
    failed_step: str | None = None
    tests: tuple[str, ...] = ()
    runner_name: str | None = None
    minutes: float = 0.0
    is_of_job: bool = True


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All such failures in the order of time, the outages of the window, and the decided attempts they are among."""

    events: tuple[Event, ...]
    outages: tuple[Outage, ...]
    bad_runners: tuple[str, ...]
    decided: pl.DataFrame

    def of_kind(self, kind: Kind) -> tuple[Event, ...]:
        """The events of one kind."""
        return tuple(event for event in self.events if event.kind is kind)


def gather_evidence(history: History, *, runners: RunnerReport | None = None) -> Evidence:
    """What the history shows of failures on commits that also passed, and of test files that were tried again.

    ``runners`` are judged where they are not at hand. Where only some jobs were asked for, all are looked at to tell
    what their failures were.
    """
    asked, history = history.asked_for, history.whole
    rows = attempts(history)
    outages, struck = find_outages(rows)
    over = decided(rows).with_columns(at=began_at())
    pairs = pairs_of(rows.with_columns(reason=reason_of()))
    bad = [one.name for one in (runners or judge_runners(history)).runners if one.is_bad] if pairs else []
    gates = find_gates(rows) if pairs else frozenset()
    judge = _Judge(over, pairs, frozenset(struck.to_list()), frozenset(bad), gates)
    events = [judge.event(pair) for pair in pairs]
    events += _retries(history, over.filter(~pl.col("job_id").is_in(struck.implode())))
    if asked is not None:
        events = [event for event in events if (event.workflow, event.job) in asked]
        wanted = pl.DataFrame(sorted(asked), schema=dict.fromkeys(JOB_KEY, pl.String()), orient="row")
        over = over.join(wanted, on=JOB_KEY, how="semi", maintain_order="left")
    return Evidence(
        events=tuple(sorted(events, key=lambda event: (event.at is None, event.at, event.job_id))),
        outages=outages,
        bad_runners=tuple(sorted(bad)),
        decided=over,
    )


class _Judge:
    """Says of each pair what its failure was."""

    def __init__(
        self,
        over: pl.DataFrame,
        pairs: Sequence[Pair],
        struck: Collection[int],
        bad_runners: Collection[str],
        gates: Collection[tuple[str, str]],
    ) -> None:
        self._struck, self._bad_runners, self._gates = {*struck, *_failed_together(pairs, over)}, bad_runners, gates
        jobs = {(pair.failed["workflow"], pair.failed["job"]) for pair in pairs}
        wanted = pl.DataFrame(sorted(jobs), schema=dict.fromkeys(JOB_KEY, pl.String()), orient="row")
        near = over.join(wanted, on=JOB_KEY, how="semi")
        self._neighbours = neighbours_of(near)
        ids = pl.Series([pair.failed["run_id"] for pair in pairs], dtype=pl.Int64).unique()
        runs = near.filter(pl.col("run_id").is_in(ids.implode()) & pl.col("duration_s").is_not_null())
        self._durations: dict[tuple[Any, ...], list[tuple[int, float]]] = {}
        for run_id, workflow, job, number, seconds in runs.select(
            "run_id", *JOB_KEY, "run_attempt", "duration_s"
        ).rows():
            self._durations.setdefault((run_id, workflow, job), []).append((number, seconds))

    def event(self, pair: Pair) -> Event:
        failed = pair.failed
        tests = dict.fromkeys([*([failed["test"]] if failed["test"] else []), *(failed["tests"] or [])])
        return Event(
            workflow=failed["workflow"],
            job=failed["job"],
            job_id=failed["job_id"],
            run_id=failed["run_id"],
            line=failed["line"],
            at=failed["at"],
            kind=self._kind(pair),
            proof=pair.proof,
            failed=link_of(failed, page="url"),
            passed=link_of(pair.passed, page="url"),
            cause=failed["cause"],
            failed_step=failed["failed_step"],
            tests=tuple(tests),
            runner_name=failed["runner_name"],
            minutes=self._minutes(failed),
        )

    def _kind(self, pair: Pair) -> Kind:
        failed = pair.failed
        if (failed["workflow"], failed["job"]) in self._gates:
            return Kind.GATE
        if failed["job_id"] in self._struck:
            return Kind.OUTAGE
        if failed["cause"] in RUNNER_CAUSES or failed["runner_name"] in self._bad_runners:
            return Kind.RUNNER
        near = self._neighbours.get((failed["workflow"], failed["job"]))
        around = Surroundings.UNKNOWN if near is None else near.around(failed, pair.passed["at"])
        kinds = {Surroundings.BROKEN: Kind.BROKEN, Surroundings.UNKNOWN: Kind.UNKNOWN}
        return kinds.get(around, Kind.FLAKE)

    def _minutes(self, failed: dict[str, Any]) -> float:
        times = self._durations.get((failed["run_id"], failed["workflow"], failed["job"]), ())
        return round(sum(seconds for number, seconds in times if number >= failed["run_attempt"]) / 60, 2)


def _failed_together(pairs: Iterable[Pair], over: pl.DataFrame) -> set[int]:
    """The failed attempts that many jobs of their run attempt share a reason with, all on a commit that passed.

    Many are as many as in an outage, and where only the step is the same as large a share of the attempt's jobs.
    """
    attempt = ["run_id", "run_attempt"]
    jobs = {(run_id, number): n for run_id, number, n in over.group_by(attempt).len().iter_rows()}
    together: dict[tuple[int, int, str], list[dict[str, Any]]] = {}
    for pair in pairs:
        row = pair.failed
        for shared in {row["reason"], row["failed_step"]} - {None} if row["reason"] else ():
            together.setdefault((row["run_id"], row["run_attempt"], shared), []).append(row)
    struck: set[int] = set()
    for (run_id, number, shared), rows in together.items():
        least = FAILURES if shared in INFRASTRUCTURE else max(FAILURES, SHARE * jobs[run_id, number])
        if len(rows) >= least and len({row["family"] for row in rows}) >= FAMILIES:
            struck |= {row["job_id"] for row in rows}
    return struck


def _retries(history: History, over: pl.DataFrame) -> list[Event]:
    """Jobs in which a test file passed when it was tried again; one event a job."""
    again = history.test_files.filter((pl.col("attempts") > 1) & (pl.col("outcome") == FileOutcome.PASSED.value))
    files = again.group_by("job_id").agg(
        pl.col("file").sort().unique(maintain_order=True).alias("files"),
        ((pl.col("attempts") - 1) * pl.col("elapsed_s")).sum().alias("lost_s"),
    )
    return [_retry(row) for row in over.join(files, on="job_id").iter_rows(named=True)]


def _retry(row: dict[str, Any]) -> Event:
    page = link_of(row, page="url")
    return Event(
        workflow=row["workflow"],
        job=row["job"],
        job_id=row["job_id"],
        run_id=row["run_id"],
        line=row["line"],
        at=row["at"],
        kind=Kind.FLAKE,
        proof=Proof.RETRY,
        failed=page,
        passed=page,
        tests=tuple(row["files"]),
        runner_name=row["runner_name"],
        minutes=round((row["lost_s"] or 0.0) / 60, 2),
        is_of_job=row["result"] == PASSED,
    )
