"""What the analyses of agent operations start from: run attempts with their agents, jobs, and steps."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from trackside.history.frames import RUN_COLUMNS, History, empty_frame
from trackside.records.agent_rules import AgentRules
from trackside.records.attribution import Attribution

_TIME: Final = pl.Datetime("us", "UTC")

AGENT_RUN_COLUMNS: Final = pl.Schema(
    {
        **RUN_COLUMNS,
        "source": pl.String(),
        "workflow_id": pl.Int64(),
        "triggering_actor": pl.String(),
        "actor_id": pl.Int64(),
        "triggering_actor_id": pl.Int64(),
        "head_repository": pl.String(),
        "commit_message": pl.String(),
        "commit_email": pl.String(),
        "committer": pl.String(),
        "committer_email": pl.String(),
        "pull_numbers": pl.List(pl.Int64()),
        "last_merged_pull": pl.Int64(),
        "issue_numbers": pl.List(pl.Int64()),
        "issue_source": pl.String(),
        "agent": pl.String(),
        "agent_role": pl.String(),
        "agent_source": pl.String(),
        "agent_confidence": pl.Float64(),
        "queue_s": pl.Float64(),
        "active_s": pl.Float64(),
        "jobs": pl.Int64(),
    }
)
"""One row for each attempt of a run, in the order of ``History.runs``, with its columns first; times UTC.

``source`` is a ``records.runs.Source``: of one that is ``jobs`` the start and the end were worked out from its jobs.
``pull_numbers`` are the pull requests that the run is of, the best first; empty for a run of the default branch that no
pull request brought. ``last_merged_pull`` is, for a run on the default branch, the pull request that its commit was
merged by, as the store knows or as the subject of the commit says. ``issue_source`` is a
``records.attribution.LinkSource``, null where there is no issue. The agent columns are those of
``records.attribution.Attribution``. ``queue_s`` is from the creation of the attempt to the start of its first job
that was not skipped, never negative; ``active_s`` the sum of the durations of its jobs, null until the attempt is over;
``jobs`` how many it has, skipped ones too. These three are null where its jobs are not in the store.
"""

STEP_COLUMNS: Final = pl.Schema(
    {
        "job_id": pl.Int64(),
        "run_id": pl.Int64(),
        "run_attempt": pl.Int64(),
        "workflow": pl.String(),
        "job": pl.String(),
        "number": pl.Int64(),
        "step": pl.String(),
        "status": pl.String(),
        "conclusion": pl.String(),
        "started_at": _TIME,
        "completed_at": _TIME,
        "duration_s": pl.Float64(),
    }
)
"""One row for each step of the jobs in ``AgentHistory.history.jobs``, by job and number; ``workflow`` and ``job`` are
those of its job. ``duration_s`` is null where it was skipped or is not over."""


ARTIFACT_COLUMNS: Final = pl.Schema(
    {
        "artifact_id": pl.Int64(),
        "run_id": pl.Int64(),
        "name": pl.String(),
        "state": pl.String(),
        "created_at": _TIME,
        "size_bytes": pl.Int64(),
    }
)
"""One row for each artifact of a run that a list named, downloaded or not: ``size_bytes`` is that of its ZIP, ``state``
a ``records.artifacts.ArtifactState``."""


class AgentHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a repository's runs in a window, with their agents.

    ``runs`` has the columns AGENT_RUN_COLUMNS, ``steps`` STEP_COLUMNS; jobs are ``history.jobs``. ``labels`` are those
    of each job, by job id, where they are told. ``attributions`` holds every signal, by (run_id, run_attempt).
    ``artifacts`` has the columns ARTIFACT_COLUMNS; without a row where artifacts are not asked for.
    """

    history: History
    runs: pl.DataFrame
    steps: pl.DataFrame
    labels: dict[int, tuple[str, ...]] = {}
    attributions: dict[tuple[int, int], Attribution] = {}
    artifacts: pl.DataFrame = msgspec.field(default_factory=lambda: empty_frame(ARTIFACT_COLUMNS))
    rules: AgentRules = AgentRules()
