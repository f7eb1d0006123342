"""The frame of run attempts: outcomes, branch lines, pull requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import polars as pl

from trackside.history.frames import RUN_COLUMNS
from trackside.history.outcomes import outcome_of

PULL_EVENTS: Final = ("pull_request", "pull_request_target")
BROUGHT_BY: Final = ("push", "merge_group")
"""Events of the default branch whose commit a pull request may have brought."""


class Pulls(NamedTuple):
    """What is known of pull requests: rows of the tables ``pulls`` and ``commit_pulls``."""

    pulls: pl.DataFrame
    commits: pl.DataFrame


def runs_frame(
    rows: pl.DataFrame, read: pl.DataFrame, repo: str, default_branch: str | None, pulls: Pulls
) -> pl.DataFrame:
    """The run attempts with the columns ``frames.RUN_COLUMNS``, by time and id; ``rows`` are those of the table.

    ``read`` are the keys of attempts whose jobs are in the store.
    """
    told = rows.with_columns(
        workflow=pl.coalesce("workflow_name", "workflow_file", pl.lit("?")),
        outcome=outcome_of(pl.col("status"), pl.col("conclusion")),
        is_latest=pl.col("run_attempt") == pl.col("run_attempt").max().over("run_id"),
        branch="head_branch",
        sha="head_sha",
        author="head_commit_author",
        title="display_title",
        url="html_url",
        **_line(repo, default_branch),
    )
    found = told.join(_pull_of(told, repo, pulls), on=["run_id", "run_attempt"], how="left")
    found = found.join(read.with_columns(is_read=True), on=["run_id", "run_attempt"], how="left")
    found = found.with_columns(
        pl.col("is_read").fill_null(value=False), started_at=pl.coalesce("run_started_at", "created_at")
    )
    return found.select(RUN_COLUMNS.keys()).cast(RUN_COLUMNS).sort("created_at", "run_id", "run_attempt")


def guess_default_branch(told: str | None, runs: pl.DataFrame, pulls: pl.DataFrame) -> str | None:
    """The default branch: as ``told``, else where scheduled runs run, else what most pull requests aim at.

    None where nothing tells it.
    """
    if told:
        return told
    scheduled = runs.filter(pl.col("event") == "schedule")["head_branch"].drop_nulls()
    for candidates in (scheduled, pulls["base_branch"].drop_nulls()):
        if len(candidates):
            return str(
                candidates.value_counts(sort=True).sort("count", candidates.name, descending=[True, False])[0, 0]
            )
    pushed = set(runs.filter(pl.col("event") == "push")["head_branch"].drop_nulls())
    return next((name for name in ("main", "master") if name in pushed), None)


def _line(repo: str, default_branch: str | None) -> dict[str, pl.Expr]:
    """The branch line, and whether it is the default one.

    A pull request of a fork that is gone has no head repository: it is never on the default line.
    """
    owner = pl.col("head_repository").str.split("/").list.first()
    is_home = pl.col("head_repository").str.to_lowercase() == repo.lower()
    began_here = pl.col("head_repository").is_null() & ~pl.col("event").is_in(PULL_EVENTS)
    home = is_home.fill_null(value=False) | began_here.fill_null(value=True)
    branch = pl.col("head_branch")
    foreign = pl.concat_str([owner.fill_null("?"), branch], separator=":")
    return {
        "line": pl.when(home).then(branch).otherwise(foreign),
        "is_default_line": home & (branch == pl.lit(default_branch)).fill_null(value=False),
    }


def _pull_of(told: pl.DataFrame, repo: str, pulls: Pulls) -> pl.DataFrame:
    """``pull_number`` and ``pull_url`` of each attempt for which they are known."""
    known = KnownPulls(pulls)
    columns = ("run_id", "run_attempt", "event", "is_default_line", "sha", "branch", "head_repository", "pull_numbers")
    rows = [
        (row["run_id"], row["run_attempt"], number, known.url(number))
        for row in told.select(columns).iter_rows(named=True)
        if (number := known.number_of(row, repo)) is not None
    ]
    schema = {"run_id": pl.Int64, "run_attempt": pl.Int64, "pull_number": pl.Int64, "pull_url": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").unique(["run_id", "run_attempt"], keep="first")


class KnownPulls:
    """Pull requests by number, by head and by the commits that belong to them.

    A run is asked about by the columns ``event``, ``is_default_line``, ``sha``, ``branch``, ``head_repository`` and
    ``pull_numbers`` (those that GitHub named with it).
    """

    def __init__(self, pulls: Pulls) -> None:
        self._pulls = {row["number"]: row for row in pulls.pulls.iter_rows(named=True)}
        self._of_commit: Mapping[str, Sequence[int]] = dict(pulls.commits.select("sha", "numbers").iter_rows())
        self._of_head: dict[tuple[str, str], list[int]] = {}
        self._merged_as: dict[str, int] = {}
        for number, row in sorted(self._pulls.items()):
            if row["head_sha"]:
                head = (row["head_sha"], (row["head_repository"] or "").lower())
                self._of_head.setdefault(head, []).append(number)
            if row["merged_at"] is not None and row["merge_commit_sha"]:
                self._merged_as[row["merge_commit_sha"]] = number

    def number_of(self, run: Mapping[str, Any], repo: str) -> int | None:
        """The pull request that the run is of, or that brought its commit; None where none is known."""
        return next(iter(self.numbers_of(run, repo)), None)

    def numbers_of(self, run: Mapping[str, Any], repo: str) -> tuple[int, ...]:
        """All of them, the best first: those with its commit, else those that it names, else those of its commit.

        A run of the default branch has the one that brought its commit, and only where that is what started it.
        """
        sha = run["sha"] or ""
        if run["is_default_line"]:
            brought = self.brought(sha) if run["event"] in BROUGHT_BY else None
            return () if brought is None else (brought,)
        named, same_head = run["pull_numbers"] or (), self._of_head.get((sha, _head(run, repo)), ())
        # What a run names may only share its branch; of several with its commit, what it names is open.
        both = [number for number in same_head if number in named]
        for numbers in (both, same_head, named, self._of_commit.get(sha, ())):
            if numbers:
                best = self._best_first(numbers, run)
                return (*best, *self._best_first(set(same_head) - set(best), run))
        return ()

    def url(self, number: int) -> str | None:
        """The page of a pull request, where it is known."""
        row = self._pulls.get(number)
        return None if row is None else row["html_url"]

    def brought(self, sha: str) -> int | None:
        """The pull request that was merged as this commit, or the one merged pull request that holds it."""
        if sha in self._merged_as:
            return self._merged_as[sha]
        asked = self._of_commit.get(sha, ())
        merged = [number for number in asked if (row := self._pulls.get(number)) and row["merged_at"] is not None]
        return merged[0] if len(merged) == 1 else asked[0] if len(asked) == 1 else None

    def _best_first(self, numbers: Iterable[int], run: Mapping[str, Any]) -> list[int]:
        """Those with the branch of the run, then the others; what was opened first before others."""
        return sorted(numbers, key=lambda one: (not self._has_branch(one, run["branch"]), one))

    def _has_branch(self, number: int, branch: str | None) -> bool:
        row = self._pulls.get(number)
        return row is not None and row["head_branch"] == branch


def _head(run: Mapping[str, Any], repo: str) -> str:
    return str(run["head_repository"] or repo).lower()
