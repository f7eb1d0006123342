"""Which jobs could have measured in which run: listed, run, their log read, and how many values it held."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from trackside.history.frames import History
from trackside.history.names import BarePath, bare_path, stands_in
from trackside.history.outcomes import Outcome
from trackside.perf.points import renamed_kind
from trackside.records.perf_rules import PerfRules

_RAN: Final = (Outcome.PASSED.value, Outcome.FAILED.value, Outcome.OTHER.value)


class Presence(enum.IntEnum):
    """How a job was there in a run."""

    GONE = 0
    """It is not listed."""
    NOT_RUN = 1
    """It, or a job that may stand for it, is listed as skipped or cancelled."""
    NO_LOG = 2
    """It ran, and its log, or that of one of its shards, was not read."""
    NOTHING = 3
    """It ran and its log was read: no value is in it."""
    VALUES = 4
    """It ran and its log was read: values are in it."""


class Attended(NamedTuple):
    """A job in the runs of its workflow, in their order: its presence, and whether it failed."""

    presence: npt.NDArray[np.int8]
    failed: npt.NDArray[np.bool_]


class WorkflowRuns(NamedTuple):
    """The ended runs of a workflow that are watched, oldest first; ``events`` and ``failed`` go beside ``rows``."""

    rows: tuple[dict[str, Any], ...]
    events: npt.NDArray[np.str_]
    failed: npt.NDArray[np.bool_]
    jobs: Mapping[str, Attended]
    skipped: tuple[frozenset[BarePath], ...]

    def attended(self, job: str) -> Attended:
        """How ``job`` was there; a job that a skipped one may stand for was not run."""
        size = len(self.rows)
        own = self.jobs.get(job) or Attended(np.zeros(size, np.int8), np.zeros(size, np.bool_))
        path = bare_path(job)
        absent = np.flatnonzero(own.presence == Presence.GONE)
        replaced = [place for place in absent.tolist() if stands_in(self.skipped[place], path)]
        presence = own.presence.copy()
        presence[replaced] = Presence.NOT_RUN
        return Attended(presence, own.failed)


def watched_runs(history: History) -> pl.DataFrame:
    """The newest attempts of ended runs of the default branch or of a schedule whose jobs are known, oldest first.

    ``place`` counts them within their workflow, from 0.
    """
    mine = pl.col("is_default_line") | (pl.col("event") == "schedule")
    ended = pl.col("outcome").is_in([Outcome.PASSED.value, Outcome.FAILED.value])
    runs = history.runs.filter(mine, ended, "is_latest", "is_read", pl.col("created_at").is_not_null())
    runs = runs.sort("workflow", "created_at", "run_id")
    return runs.with_columns(place=pl.int_range(pl.len(), dtype=pl.Int64).over("workflow"))


def attendance(
    history: History, runs: pl.DataFrame, measured: pl.DataFrame, rules: PerfRules
) -> dict[str, WorkflowRuns]:
    """How the jobs were there in ``runs`` (``watched_runs``), by workflow; a job by its own name and its family's.

    ``measured`` has a row for each job whose log was read: ``job_id`` and ``measurements``.
    """
    jobs = history.whole.jobs.select("run_id", "job_id", "job", "family", "outcome")
    jobs = jobs.join(runs.select("run_id", "workflow", "place"), on="run_id")
    jobs = jobs.join(measured.select("job_id", "measurements"), on="job_id", how="left")
    found = _presences(jobs, rules)
    skipped = _skipped(jobs)
    return {
        str(workflow): _workflow(own, found.get(str(workflow)), skipped.get(str(workflow), {}))
        for (workflow,), own in runs.partition_by("workflow", as_dict=True).items()
    }


def _presences(jobs: pl.DataFrame, rules: PerfRules) -> dict[str, pl.DataFrame]:
    """Of each workflow: ``name`` (job or family), ``place``, ``presence`` and ``failed``, one row for both."""
    both = [jobs.with_columns(name=pl.col(kind)) for kind in ("job", "family")]
    rows = pl.concat(both).unique(["name", "job_id"]).with_columns(name=renamed_kind("job", rules.aliases, "name"))
    ran = pl.col("outcome").is_in(_RAN)
    told = rows.group_by("workflow", "name", "place").agg(
        pl.when(~ran.any())
        .then(Presence.NOT_RUN)
        .when((ran & pl.col("measurements").is_null()).any())
        .then(Presence.NO_LOG)
        .when(pl.col("measurements").filter(ran).sum() > 0)
        .then(Presence.VALUES)
        .otherwise(Presence.NOTHING)
        .alias("presence"),
        (pl.col("outcome") == Outcome.FAILED.value).any().alias("failed"),
    )
    return {str(key): own for (key,), own in told.partition_by("workflow", as_dict=True).items()}


def _skipped(jobs: pl.DataFrame) -> dict[str, dict[int, Sequence[str]]]:
    """The names of the skipped jobs of each workflow's runs, by the place of the run."""
    skipped = jobs.filter(pl.col("outcome") == Outcome.SKIPPED.value)
    found: dict[str, dict[int, Sequence[str]]] = {}
    for workflow, place, names in skipped.group_by("workflow", "place").agg(pl.col("job").unique()).iter_rows():
        found.setdefault(workflow, {})[place] = names
    return found


def _workflow(runs: pl.DataFrame, jobs: pl.DataFrame | None, skipped: Mapping[int, Sequence[str]]) -> WorkflowRuns:
    attended: dict[str, Attended] = {}
    parts = {} if jobs is None else jobs.partition_by("name", as_dict=True)
    for (name,), own in parts.items():
        presence, failed = np.zeros(runs.height, np.int8), np.zeros(runs.height, np.bool_)
        places = own["place"].to_numpy()
        presence[places] = own["presence"].to_numpy()
        failed[places] = own["failed"].to_numpy()
        attended[str(name)] = Attended(presence, failed)
    rows = runs.select("run_id", "run_number", "created_at", "url").to_dicts()
    return WorkflowRuns(
        rows=tuple(rows),
        events=runs["event"].fill_null("").to_numpy(),
        failed=(runs["outcome"] == Outcome.FAILED.value).to_numpy(),
        jobs=attended,
        skipped=tuple(frozenset(bare_path(name) for name in skipped.get(place, ())) for place in range(runs.height)),
    )
