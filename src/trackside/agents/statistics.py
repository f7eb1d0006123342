"""All statistics of agent operations over a window: workflows, agents, jobs, steps, failures, days."""

from __future__ import annotations

from trackside.agents.attempts import attempts_of
from trackside.agents.days import day_rows
from trackside.agents.failed_jobs import failed_jobs, jobless_failures
from trackside.agents.frames import AgentHistory
from trackside.agents.group_records import Statistics
from trackside.agents.groups import agent_rows, all_runs, workflow_rows
from trackside.agents.shown_names import with_shown_names
from trackside.agents.steps import job_rows, slowest_of, step_rows


def statistics_of(history: AgentHistory) -> Statistics:
    """The statistics of every attempt of the history; empty groups where it holds nothing.

    Attempts of runs are what is counted: each one, also where a later one of the same run succeeds. Names are as they
    are shown.
    """
    attempts = attempts_of(history)
    steps = step_rows(attempts)
    began = attempts.runs["began"]
    return Statistics(
        all_runs=all_runs(attempts),
        workflows=with_shown_names(workflow_rows(attempts)),
        agents=with_shown_names(agent_rows(attempts)),
        jobs=with_shown_names(job_rows(attempts)),
        steps=with_shown_names(steps),
        slowest=with_shown_names(slowest_of(steps)),
        failed=with_shown_names(failed_jobs(history, attempts)),
        days=with_shown_names(day_rows(attempts)),
        job_attempts=attempts.jobs.height,
        step_attempts=attempts.steps.height,
        jobless_failures=jobless_failures(history, attempts),
        currency=history.rules.currency,
        window_start=began.min(),  # type: ignore[arg-type]
        window_stop=began.max(),  # type: ignore[arg-type]
    )
