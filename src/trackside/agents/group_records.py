"""What is told of a group of runs, jobs or steps: outcomes that add up, times, trend, runner minutes and cost."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

import msgspec

DENOMINATOR: Final = "success + failure + timed_out + startup_failure"
"""What a success rate is a share of; cancelled, skipped and unfinished ones tell nothing of success."""
FEW: Final = 3
"""From so many values on quantiles tell something."""


class Outcomes(msgspec.Struct, frozen=True, kw_only=True):
    """Counts that add up to ``total``. ``other`` are conclusions and statuses that are new to us."""

    total: int = 0
    success: int = 0
    failure: int = 0
    timed_out: int = 0
    startup_failure: int = 0
    cancelled: int = 0
    skipped: int = 0
    action_required: int = 0
    neutral: int = 0
    stale: int = 0
    in_progress: int = 0
    queued: int = 0
    waiting: int = 0
    requested: int = 0
    pending: int = 0
    other: int = 0


class SuccessRate(msgspec.Struct, frozen=True, kw_only=True):
    """A share with its Wilson interval (95 %); ``rate``, ``low`` and ``high`` from 0 to 1, None where ``n`` is 0."""

    successes: int = 0
    n: int = 0
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    denominator: str = DENOMINATOR


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """How long things took. ``is_few`` says that ``n`` is below FEW. Without a value all but ``n`` are None."""

    n: int = 0
    p50_s: float | None = None
    p90_s: float | None = None
    max_s: float | None = None
    mean_s: float | None = None
    total_s: float = 0.0
    is_few: bool = True


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """The later half of the window beside the earlier one, by time: medians in seconds, or success rates from 0 to 1.

    ``direction`` is ``unknown`` where either half has fewer than FEW values, and ``flat`` where the difference is too
    small to matter or may be chance: ``q_value``, which is ``p_value`` over all groups of its table (Benjamini and
    Hochberg), is above 0.05.
    """

    direction: Literal["up", "down", "flat", "unknown"] = "unknown"
    before: float | None = None
    after: float | None = None
    before_n: int = 0
    after_n: int = 0
    p_value: float | None = None
    q_value: float | None = None


class GroupRow(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts of runs: all, those of a workflow, or those in which an agent worked. ``name`` is None for unattributed.

    Every attempt counts: one that succeeds does not take away the failure of the one before it. ``run`` are times of
    attempts that are over and did run, from start to end; ``queue`` from creation to the start of the first job;
    ``active`` the sum of the jobs. ``runner_minutes`` are those of its jobs as they ran, None where no job of it is
    known; ``unread`` counts the attempts that are over and whose jobs are not in the store. ``cost`` is an estimate in
    the currency of the settings, None where no rate fits any of its jobs; ``jobs_without_rate`` ran and are not in it.

    ``roles`` counts all attempts that are attributed, by the role of the agent; those of an agent's row in which it did
    not work (``ran``) are in ``roles``, ``sources`` and the confidences only. ``sources`` counts how agents were told.
    """

    name: str | None
    file: str | None = None
    outcomes: Outcomes
    success: SuccessRate
    run: Times
    queue: Times
    active: Times
    duration_trend: Trend = Trend()
    success_trend: Trend = Trend()
    runner_minutes: float | None = None
    unread: int = 0
    cost: float | None = None
    jobs_without_rate: int = 0
    roles: dict[str, int] = {}
    sources: dict[str, int] = {}
    confidence_min: float | None = None
    confidence_max: float | None = None
    last_run_at: dt.datetime | None = None


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts of a job of a workflow, all its matrix indices together: ``run`` from start to end, ``queue`` before."""

    workflow: str
    job: str
    outcomes: Outcomes
    success: SuccessRate
    run: Times
    queue: Times
    duration_trend: Trend = Trend()
    runner_minutes: float = 0.0
    cost: float | None = None
    jobs_without_rate: int = 0


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts of a step of a job. ``share`` is its time over that of all steps of its workflow, from 0 to 1."""

    workflow: str
    job: str
    step: str
    outcomes: Outcomes
    success: SuccessRate
    run: Times
    share: float | None = None
    duration_trend: Trend = Trend()


class FailedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A failed job of a run attempt: its first failed step, and all; None and empty where the runner was lost.

    ``agent`` is that of its run, whatever part it had in it (``agent_role``).
    """

    run_id: int
    run_attempt: int
    job_id: int
    workflow: str
    job: str
    conclusion: str
    failed_step: str | None
    failed_step_number: int | None
    failed_steps: tuple[str, ...]
    failed_at: dt.datetime | None
    url: str | None
    agent: str | None = None
    agent_role: str | None = None
    cause: str | None = None


class DayRow(msgspec.Struct, frozen=True, kw_only=True):
    """Runs of a workflow (``step`` None) or a step of these runs, by the day, UTC, on which the attempt of the run
    began; a day without is no row, and runs whose start is not told are on no day."""

    day: dt.date
    workflow: str
    job: str | None = None
    step: str | None = None
    outcomes: Outcomes
    success: SuccessRate
    run: Times


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """All groups of a window. ``all_runs`` holds every attempt of a run; ``workflows`` add up to it, ``jobs`` to
    ``job_attempts``, ``steps`` to ``step_attempts``, and ``agents`` to it together with the attempts in which an agent
    had another role than ``ran``.

    ``workflows`` by count, ``agents`` by count with unattributed last, ``jobs`` by runner minutes, ``steps`` by share.
    ``slowest`` are the steps of each workflow with the largest share, at most 5 each, steps with too few values left
    out, the workflow whose steps took the most time first. ``failed`` the newest
    first; ``jobless_failures`` counts attempts that failed without any job, such as those of an invalid workflow file.
    ``days`` by workflow, job, step and day. The window is from the first start of an attempt to the last.
    """

    all_runs: GroupRow
    workflows: tuple[GroupRow, ...] = ()
    agents: tuple[GroupRow, ...] = ()
    jobs: tuple[JobRow, ...] = ()
    steps: tuple[StepRow, ...] = ()
    slowest: tuple[StepRow, ...] = ()
    failed: tuple[FailedJob, ...] = ()
    days: tuple[DayRow, ...] = ()
    job_attempts: int = 0
    step_attempts: int = 0
    jobless_failures: int = 0
    currency: str = "USD"
    window_start: dt.datetime | None = None
    window_stop: dt.datetime | None = None
