"""Which runs and jobs a report is about."""

from __future__ import annotations

import datetime as dt

import msgspec
import polars as pl

from trackside.history.names import is_workflow, matches_any
from trackside.store.store import Store


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Runs of ``repo`` created from ``since`` (None: ever) to ``until`` (None: now), both included.

    ``workflows`` are files, paths or names, none means all; ``jobs`` are globs of job names. ``limit`` keeps the
    newest so many runs of what else is selected. ``run_id`` is one run, whatever its age. ``ignored`` are workflows
    that are left out; one that ``workflows`` names too is not.
    """

    repo: str
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    workflows: tuple[str, ...] = ()
    branch: str | None = None
    event: str | None = None
    jobs: tuple[str, ...] = ()
    limit: int | None = None
    run_id: int | None = None
    ignored: tuple[str, ...] = ()

    def runs(self, runs: pl.LazyFrame) -> pl.LazyFrame:
        """The rows of the table ``runs`` that are of the repository, in the window, of the branch and the event."""
        wanted = [same_repository(self.repo)]
        if self.run_id is not None:
            wanted.append(pl.col("run_id") == self.run_id)
        if self.since is not None:
            wanted.append(pl.col("created_at") >= self.since)
        if self.until is not None:
            wanted.append(pl.col("created_at") <= self.until)
        if self.branch:
            wanted.append(pl.col("head_branch") == self.branch)
        if self.event:
            wanted.append(pl.col("event") == self.event)
        return runs.filter(*wanted)

    def chosen(self, runs: pl.DataFrame) -> pl.DataFrame:
        """Of those the rows of the workflows, and of the newest runs where there is a limit."""
        if self.workflows or self.ignored:
            names = runs.select("workflow_file", "workflow_name").unique()
            mine = [row for row in names.iter_rows() if self._wants_workflow(*row)]
            kept = pl.DataFrame(mine, schema=names.schema, orient="row")
            runs = runs.join(kept, on=["workflow_file", "workflow_name"], how="semi", nulls_equal=True)
        if self.limit is not None:
            # By id, as a sync chooses them: else a run at the edge would be wanted and never read.
            newest = runs.select(pl.col("run_id").unique().sort()).tail(self.limit)
            runs = runs.join(newest, on="run_id", how="semi")
        return runs

    def _wants_workflow(self, file: str | None, name: str | None) -> bool:
        if self.workflows:
            return any(is_workflow(wanted, file, name) for wanted in self.workflows)
        return not any(is_workflow(ignored, file, name) for ignored in self.ignored)

    def wants_job(self, name: str) -> bool:
        """Whether a job of this name is selected."""
        return not self.jobs or matches_any(name, self.jobs)


def same_repository(repo: str) -> pl.Expr:
    """Whether a row is of ``repo``, in any spelling of its name."""
    return pl.col("repo").str.to_lowercase() == repo.lower()


def known_names(store: Store, repo: str) -> dict[str, list[str]]:
    """The workflows (files, else names), branches and events of the runs of ``repo`` in the store, sorted."""
    runs = store.newest("runs").filter(same_repository(repo))
    file = pl.col("workflow_file").str.split("/").list.last()
    told = runs.select(
        workflow=pl.coalesce(file, "workflow_name"), branch=pl.col("head_branch"), event=pl.col("event")
    ).collect(engine="streaming")
    return {name: told[name].drop_nulls().unique().sort().to_list() for name in told.columns}
