"""Gathers what is known around each failed attempt of a history."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

import polars as pl

from trackside.ci.clues import MACHINES, SERVICES, Clues, JobKey, Kin, Row, same_error
from trackside.ci.failed_attempts import telling_fingerprint
from trackside.ci.flake_evidence import Evidence, Kind
from trackside.ci.gates import find_gates
from trackside.ci.job_runs import JobRuns
from trackside.ci.main_breakage import MainBreakage
from trackside.ci.neighbours import REACH, began_at
from trackside.ci.outages import Outage, find_outages
from trackside.ci.results import FAILED, JOB_KEY, attempts, decided, run_results
from trackside.ci.runners import RunnerReport
from trackside.ci.stretches import Stretch, stretches_of, tracks_of
from trackside.history.frames import JOB_COLUMNS, History
from trackside.records.failures import Source

TOGETHER: Final = dt.timedelta(hours=1)
"""Failures of services no further apart than this are looked at together."""
_OF_RUN: Final = ("line", "sha", "run_created_at")
_TOLD: Final = (
    "job_id", "run_id", "run_attempt", "run_number", "run_url", "run_created_at", "url", "workflow", "job", "family",
    "line", "is_default_line", "pull_number", "sha", "runner_name", "pool", "failed_step", "failed_step_number", "at",
    "ended_at", "cause", "source", "fingerprint", "test", "line_text", "line_number",
    "truncated",
)  # fmt: skip
_NO_RUNS: Final = JobRuns(pl.DataFrame(schema={name: JOB_COLUMNS[name] for name in _OF_RUN} | {"result": pl.String}))
_NO_BREAKAGE: Final = MainBreakage(())


def gather_clues(history: History, evidence: Evidence, runners: RunnerReport) -> tuple[list[Clues], frozenset[JobKey]]:
    """The clues of each failed attempt of a job that is not ignored, in the order of time; and the gates.

    Gates, jobs that only say whether others passed, are left out.
    """
    told = history.failures.select("job_id", "line_text", "line_number", "truncated").unique("job_id", keep="first")
    ended = pl.coalesce("completed_at", "started_at", "created_at", "run_created_at")
    asked, history = history.asked_for, history.whole
    rows = attempts(history).join(told, on="job_id", how="left")
    rows = rows.with_columns(telling_fingerprint(), at=began_at(), ended_at=ended)
    gates = find_gates(rows)
    room = _Room(rows, evidence, runners)
    failed = [row for row in room.failed if asked is None or (row["workflow"], row["job"]) in asked]
    return [room.clues(row) for row in failed if (row["workflow"], row["job"]) not in gates], gates


class _Room:
    """Everything that an attempt is compared with; ``failed`` are the failed attempts."""

    def __init__(self, rows: pl.DataFrame, evidence: Evidence, runners: RunnerReport) -> None:
        failed = rows.filter(pl.col("result") == FAILED).sort("at", "job_id", nulls_last=True)
        self.failed = failed.select(_TOLD).rows(named=True)
        self._outages, struck = find_outages(rows)
        self._struck = frozenset(struck.to_list())
        self._bad = {one.name: one for one in runners.runners if one.is_bad}
        self._events = {event.job_id: event for event in evidence.events}
        flakes = [event for event in evidence.events if event.kind is Kind.FLAKE and event.is_of_job]
        self._flakes = Counter((event.workflow, event.job) for event in flakes)
        results = _results_of_failing_jobs(rows)
        self._stretches = _stretches(results)
        self._of_run = {
            (*one.track, row["run_id"]): one
            for found in self._stretches.values()
            for one in found
            for row in one.failures
        }
        self._main = {key: MainBreakage(found) for key, found in self._stretches.items()}
        narrow = results.select(*JOB_KEY, *_OF_RUN, "result")
        self._runs = {
            (workflow, job): JobRuns(part)
            for (workflow, job), part in narrow.partition_by(JOB_KEY, as_dict=True).items()
        }
        self._machines = _machines(self.failed)
        self._services = _services(self.failed)
        self._again = Counter((row["workflow"], row["job"], row["line"], row["fingerprint"]) for row in self.failed)
        self._kin = self._kinship()

    def clues(self, row: Row) -> Clues:
        key = (row["workflow"], row["job"])
        stretch = self._of_run.get((*key, row["line"], row["run_id"]))
        runs = self._runs.get(key, _NO_RUNS)
        inside = 0 if stretch is None else len(stretch.failures)
        others = runs.total - inside
        machine = (row["pool"], row["cause"])
        return Clues(
            row=row,
            outage=self._outage_of(row),
            runner=self._bad.get(row["runner_name"]),
            on_runner=self._machines[*machine, row["runner_name"]],
            on_pool=self._machines[*machine, None],
            event=self._events.get(row["job_id"]),
            stretch=stretch,
            alike=() if stretch is None else tuple(one for one in stretch.failures if same_error(one, row)),
            kin=self._kin.get((*key, row["fingerprint"])),
            on_main=self._on_main(row),
            again=self._again[*key, row["line"], row["fingerprint"]],
            fellows=self._fellows(row),
            passed_elsewhere=runs.passed_elsewhere(row["at"], row["line"], REACH),
            runs_elsewhere=runs.on_other_commits(row["sha"]),
            flakes=self._flakes[key],
            chance=(runs.failed - inside) / others if others > 0 else 0.0,
        )

    def _outage_of(self, row: Row) -> Outage | None:
        """The outage that it is part of, by its cause; one that is told only by the name of a step is none here."""
        at = row["ended_at"]
        if row["job_id"] not in self._struck or at is None:
            return None
        fitting = (one for one in self._outages if one.reason == row["cause"] and one.pool in (None, row["pool"]))
        return next((one for one in fitting if one.first_at <= at <= one.last_at), None)

    def _on_main(self, row: Row) -> Stretch | None:
        """The stretch on the default line that shows its error at its time.

        A branch that began while main was broken stays so until it takes the fix in, for which it has a day.
        """
        at = row["at"]
        if row["is_default_line"] or at is None:
            return None
        return self._main.get((row["workflow"], row["job"]), _NO_BREAKAGE).shown_at(at, row)

    def _fellows(self, row: Row) -> tuple[int, int, int]:
        found = self._services.get(row["cause"])
        if found is None or row["at"] is None or row["source"] != Source.LOG.value:
            return (0, 0, 0)
        times, rows = found
        near = rows[bisect_left(times, row["at"] - TOGETHER) : bisect_right(times, row["at"] + TOGETHER)]
        return len(near), len({one["family"] for one in near}), len({one["line"] for one in near})

    def _kinship(self) -> dict[tuple[str, str, str], Kin]:
        sightings: defaultdict[tuple[str, str, str], list[Row]] = defaultdict(list)
        for row in self.failed:
            if row["fingerprint"] is not None:
                sightings[row["workflow"], row["job"], row["fingerprint"]].append(row)
        return {key: self._kin_of(key[:2], key[2], rows) for key, rows in sightings.items()}

    def _kin_of(self, key: JobKey, fingerprint: str, rows: list[Row]) -> Kin:
        times = [row["run_created_at"] for row in rows if row["run_created_at"] is not None]
        between = self._runs.get(key, _NO_RUNS).between(min(times), max(times)) if times else (0, 0)
        events = (self._events.get(row["job_id"]) for row in rows)
        found = [
            sum(one["fingerprint"] == fingerprint for one in stretch.failures)
            for stretch in self._stretches.get(key, ())
        ]
        return Kin(
            commits=frozenset(row["sha"] for row in rows if row["sha"]),
            lines=frozenset(row["line"] for row in rows),
            runners=Counter(row["runner_name"] for row in rows if row["runner_name"]),
            proofs=sum(event is not None and event.kind is Kind.FLAKE for event in events),
            episodes=sum(runs > 0 for runs in found),
            longest=max(found, default=0),
            decided_runs=between[0],
            failed_runs=between[1],
        )


def _results_of_failing_jobs(rows: pl.DataFrame) -> pl.DataFrame:
    """The decided results of runs of jobs that ever failed, in the order of the runs."""
    failing = rows.filter(pl.col("result") == FAILED).select(JOB_KEY).unique()
    results = run_results(rows.join(failing, on=JOB_KEY, how="semi", maintain_order="left"))
    told = [*JOB_KEY, "line", "is_default_line", "run_id", "run_number", "run_created_at", "run_url", "sha", "result",
            "runner_name", "cause", "fingerprint", "test"]  # fmt: skip
    return decided(results).select(told)


def _stretches(results: pl.DataFrame) -> dict[JobKey, list[Stretch]]:
    found: defaultdict[JobKey, list[Stretch]] = defaultdict(list)
    track = [*JOB_KEY, "line"]
    failing = results.filter(pl.col("result") == FAILED).select(track).unique()
    rows_of = results.join(failing, on=track, how="semi", nulls_equal=True, maintain_order="left")
    for one, rows in tracks_of(rows_of.iter_rows(named=True)).items():
        if one.job is not None:
            found[one.workflow, one.job] += stretches_of(one, rows)
    return found


def _machines(failed: Iterable[Row]) -> Counter[tuple[str | None, str | None, str | None]]:
    """Failures that may be a machine's: by pool, cause and runner, and by pool and cause in all (runner None)."""
    causes = {cause.value for cause in MACHINES}
    counts: Counter[tuple[str | None, str | None, str | None]] = Counter()
    for row in failed:
        if row["cause"] in causes and row["source"] == Source.LOG.value and row["runner_name"]:
            counts[row["pool"], row["cause"], row["runner_name"]] += 1
            counts[row["pool"], row["cause"], None] += 1
    return counts


def _services(failed: Iterable[Row]) -> dict[str, tuple[list[dt.datetime], list[Row]]]:
    """The failures that lie with a service, as logs told them, by cause and time."""
    found: dict[str, list[Row]] = {cause.value: [] for cause in SERVICES}
    for row in failed:
        if row["cause"] in found and row["source"] == Source.LOG.value and row["at"] is not None:
            found[row["cause"]].append(row)
    ordered = {cause: sorted(rows, key=lambda row: (row["at"], row["job_id"])) for cause, rows in found.items()}
    return {cause: ([row["at"] for row in rows], rows) for cause, rows in ordered.items()}
