"""What a sync is asked to do."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

import msgspec

from trackside.history.names import is_workflow, matches_any
from trackside.records.agent_rules import LogBudget
from trackside.records.artifacts import FileRule
from trackside.records.jobs import Job
from trackside.records.runs import RunAttempt

Api = Literal["auto", "rest", "graphql"]
Logs = Literal["none", "new", "failed", "perf", "all"]
Pulls = Literal["all", "list", "none"]
_WITHOUT_JOBS: Final = ("skipped", "startup_failure", "action_required")
PERF_JOBS: Final = ("*perf*", "*bench*")
"""Jobs whose logs hold performance numbers, where no setting says which they are."""


class SyncRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The window and the selection of a sync, and how far it goes.

    ``workflows`` are file names (``pr-test.yml``), paths or names; none means all. ``jobs``: read jobs and steps.
    ``job_globs`` choose the jobs whose logs are read. ``limit`` bounds the newest runs that are looked at,
    ``max_runs_per_workflow`` replaces the window by the newest runs of each workflow. ``pulls``: ``list`` uses the
    list of pull requests only, ``all`` asks for the commits that it does not explain too. ``sweep`` lists the whole
    window again, whatever was listed before. ``runners``: jobs that GraphQL told of are read again, by REST, as it does
    not tell their runners; ``api`` must be rest then. ``log_budget`` bounds the logs of failures that are ``new``.

    ``artifacts`` are the rules of what is downloaded of the artifacts of runs, ``artifact_workflows`` the workflows
    whose runs are asked for theirs; none means all that are selected.
    """

    repo: str
    since: dt.datetime
    until: dt.datetime | None = None
    workflows: tuple[str, ...] = ()
    branch: str | None = None
    event: str | None = None
    job_globs: tuple[str, ...] = ()
    limit: int | None = None
    max_runs_per_workflow: int | None = None
    jobs: bool = True
    logs: Logs = "none"
    perf_jobs: tuple[str, ...] = PERF_JOBS
    log_budget: LogBudget = LogBudget()
    log_cap_bytes: int = 64 * 1024 * 1024
    pulls: Pulls = "all"
    api: Api = "auto"
    sweep: bool = False
    runners: bool = False
    artifacts: tuple[FileRule, ...] = ()
    artifact_workflows: tuple[str, ...] = ()

    @property
    def scope(self) -> str:
        """The name of the list that this asks for: what filters GitHub applies. Empty: the whole repository."""
        return "&".join(f"{key}={value}" for key, value in sorted(self.list_filters.items()))

    @property
    def list_filters(self) -> dict[str, str]:
        """The filters that the list of runs itself takes."""
        return {key: value for key, value in (("branch", self.branch), ("event", self.event)) if value}

    def selects(
        self, *, workflow_file: str | None, workflow_name: str | None, branch: str | None, event: str | None
    ) -> bool:
        """Whether a run belongs to the selection."""
        if (self.branch and branch != self.branch) or (self.event and event != self.event):
            return False
        return not self.workflows or any(is_workflow(name, workflow_file, workflow_name) for name in self.workflows)

    def wants_log(self, job: Job) -> bool:
        """Whether the log of a finished job is asked for."""
        if self.job_globs and not matches_any(job.name, self.job_globs):
            return False
        if job.status != "completed" or job.conclusion == "skipped":
            return False
        if self.logs == "failed":
            return job.conclusion in ("failure", "timed_out")
        if self.logs == "new":
            return job.conclusion in self.log_budget.conclusions
        return self.logs == "all" or (self.logs == "perf" and matches_any(job.name, self.perf_jobs))

    def may_have_artifacts(self, run: RunAttempt) -> bool:
        """Whether a run is asked for its artifacts: it is over, a job of it ran, and a rule may be about it."""
        if not self.artifacts or run.status != "completed" or run.conclusion in _WITHOUT_JOBS:
            return False
        wanted = self.artifact_workflows
        return not wanted or any(is_workflow(name, run.workflow_file, run.workflow_name) for name in wanted)

    def rules_of(self, artifact: str) -> tuple[FileRule, ...]:
        """The rules that are about artifacts of this name."""
        return tuple(rule for rule in self.artifacts if rule.matches(artifact))

    def wants_artifact(self, artifact: str) -> bool:
        """Whether a rule is about artifacts of this name."""
        return bool(self.rules_of(artifact))
