"""Failures of a job on a commit on which it also passed."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import polars as pl

from trackside.ci.neighbours import began_at
from trackside.ci.results import FAILED, JOB_KEY, PASSED, decided

_ONE_COMMIT: Final = [*JOB_KEY, "sha"]
_UNTOLD: Final = (
    "name", "status", "completed_at", "failed_steps", "run_conclusion", "title", "author", "actor", "branch",
    "runner_group", "event", "run_url", "category", "conclusion", "outcome",
)  # fmt: skip
"""Columns that nobody asks a pair for; there may be many pairs."""


class Proof(enum.StrEnum):
    """How the same code showed that it works."""

    RERUN = "rerun"
    """Another attempt of the same run passed."""
    SIBLING = "sibling"
    """Another run of the workflow on the same commit passed."""
    RETRY = "retry"
    """The job tried the test file again, and then it passed."""


class Pair(NamedTuple):
    """A failed attempt and the one that passed on the same commit: rows of ``attempts`` with ``at``."""

    failed: dict[str, Any]
    passed: dict[str, Any]
    proof: Proof


def pairs_of(rows: pl.DataFrame) -> list[Pair]:
    """Every failed attempt among the rows of ``attempts`` whose job passed on its commit, each once.

    Runs are compared only where the family of the job had as many shards in both: with another number a shard holds
    other tests. Nor are they where the error of the failed one shows up in another shard of the run that passed.
    """
    rows = rows.filter(pl.col("sha").is_not_null())
    shards = rows.group_by("run_id", "workflow", "family").agg(pl.col("job").n_unique().alias("shards"))
    over = decided(rows).with_columns(at=began_at())
    ends = pl.col("result")
    both = over.group_by(_ONE_COMMIT).agg(mixed=(ends == FAILED).any() & (ends == PASSED).any()).filter("mixed")
    mixed = over.join(both, on=_ONE_COMMIT, how="semi").join(shards, on=["run_id", "workflow", "family"])
    elsewhere = _marks_of_families(over.join(mixed.select("run_id").unique(), on="run_id", how="semi"))
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in mixed.drop(_UNTOLD, strict=False).sort("at", "job_id", nulls_last=True).iter_rows(named=True):
        groups.setdefault((row["workflow"], row["job"], row["sha"]), []).append(row)
    return [pair for members in groups.values() for pair in _pairs(members, elsewhere)]


Marks = dict[tuple[int, str, str], dict[str, frozenset[str]]]


def _pairs(members: Sequence[dict[str, Any]], elsewhere: Marks) -> Iterator[Pair]:
    passes = [row for row in members if row["result"] == PASSED]
    for failed in members:
        if failed["result"] != FAILED:
            continue
        own = [row for row in passes if row["run_id"] == failed["run_id"]]
        if own:
            later = [row for row in own if row["run_attempt"] > failed["run_attempt"]]
            yield Pair(failed, (later or own)[0], Proof.RERUN)
            continue
        others = [row for row in passes if row["shards"] == failed["shards"] and not _moved(failed, row, elsewhere)]
        if others:
            yield Pair(failed, min(others, key=lambda row: _apart(failed, row)), Proof.SIBLING)


def _apart(failed: dict[str, Any], passed: dict[str, Any]) -> tuple[float, int]:
    known = failed["at"] is not None and passed["at"] is not None
    return (abs((passed["at"] - failed["at"]).total_seconds()) if known else float("inf"), passed["job_id"])


def _moved(failed: dict[str, Any], passed: dict[str, Any], elsewhere: Marks) -> bool:
    marks = frozenset(mark for mark in (failed["fingerprint"], failed["test"]) if mark)
    family = elsewhere.get((passed["run_id"], passed["workflow"], passed["family"]), {})
    return any(marks & others for job, others in family.items() if job != failed["job"])


def _marks_of_families(rows: pl.DataFrame) -> Marks:
    """The fingerprints and tests that failed in each job, for each run and family."""
    marks: Marks = {}
    failed = rows.filter(pl.col("result") == FAILED)
    for row in failed.select("run_id", "workflow", "family", "job", "fingerprint", "test").iter_rows(named=True):
        found = frozenset(mark for mark in (row["fingerprint"], row["test"]) if mark)
        jobs = marks.setdefault((row["run_id"], row["workflow"], row["family"]), {})
        jobs[row["job"]] = jobs.get(row["job"], frozenset()) | found
    return marks
