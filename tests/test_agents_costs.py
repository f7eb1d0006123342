"""What jobs cost: the first rate that fits, whole minutes as they are billed, and nothing known where no rate fits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agent_frames import an_agent_history, an_agent_run
from tests.history_frames import a_job
from trackside.agents.costs import rate_of
from trackside.agents.group_records import Statistics
from trackside.agents.statistics import statistics_of
from trackside.records.agent_rules import AgentRules, CostRate

LINUX = CostRate(per_minute=0.01, labels=("ubuntu-*",))
GPU = CostRate(per_minute=0.5, labels=("gpu", "linux"))
ANY = CostRate(per_minute=1.0)


def costs_of(*jobs: tuple[str, float | None, tuple[str, ...] | None], rates: tuple[CostRate, ...]) -> Statistics:
    """The statistics of a run with jobs that ended so, took so many seconds and asked for these labels."""
    run = an_agent_run(0)
    rows: list[dict[str, Any]] = [
        a_job(run, f"job {number}", end, job_id=number, duration_s=seconds)
        for number, (end, seconds, _) in enumerate(jobs)
    ]
    labels = {number: told for number, (_, _, told) in enumerate(jobs) if told is not None}
    return statistics_of(an_agent_history([run], rows, labels=labels, rules=AgentRules(rates=rates, currency="EUR")))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("ubuntu-latest",), LINUX),
        (("Ubuntu-24.04",), LINUX),
        (("self-hosted", "linux", "GPU"), GPU),
        (("gpu",), ANY),
        (("macos-14",), ANY),
        ((), ANY),
        (None, ANY),
    ],
)
def test_the_first_rate_all_of_whose_labels_a_job_has_counts(
    labels: tuple[str, ...] | None, expected: CostRate
) -> None:
    assert rate_of(labels, (LINUX, GPU, ANY)) is expected


def test_of_two_rates_that_fit_the_first_counts() -> None:
    assert rate_of(("ubuntu-latest",), (ANY, LINUX)) is ANY


def test_no_rate_fits_a_job_whose_labels_are_not_told_but_one_for_all() -> None:
    assert rate_of(None, (LINUX, GPU)) is None
    assert rate_of((), (LINUX, GPU)) is None


@pytest.mark.parametrize(("seconds", "minutes"), [(0.0, 1), (1.0, 1), (60.0, 1), (61.0, 2), (600.0, 10)])
def test_each_job_is_billed_by_the_whole_minute_and_runner_minutes_stay_as_they_are(
    seconds: float, minutes: int
) -> None:
    told = costs_of(("success", seconds, ("ubuntu-latest",)), rates=(LINUX,))

    assert told.all_runs.cost == pytest.approx(minutes * 0.01)
    assert told.all_runs.runner_minutes == seconds / 60


def test_two_short_jobs_are_two_minutes() -> None:
    told = costs_of(("success", 10.0, ("ubuntu-latest",)), ("failure", 10.0, ("ubuntu-latest",)), rates=(LINUX,))

    assert told.all_runs.cost == pytest.approx(0.02)


def test_self_hosted_runners_cost_what_they_ran() -> None:
    told = costs_of(("success", 90.0, ("Self-Hosted", "linux", "gpu")), rates=(GPU,))

    assert told.all_runs.cost == pytest.approx(0.75)


def test_where_no_rate_fits_the_cost_is_not_known_and_not_zero() -> None:
    told = costs_of(("success", 60.0, ("macos-14",)), rates=(LINUX,))

    assert (told.all_runs.cost, told.all_runs.jobs_without_rate, told.jobs[0].cost) == (None, 1, None)


def test_without_rates_no_cost_is_told() -> None:
    assert costs_of(("success", 60.0, ("ubuntu-latest",)), rates=()).all_runs.cost is None


def test_a_rate_of_nothing_costs_nothing() -> None:
    told = costs_of(("success", 60.0, ("ubuntu-latest",)), rates=(CostRate(per_minute=0.0),))

    assert told.all_runs.cost == 0.0


def test_jobs_without_a_rate_are_counted_beside_the_cost_of_the_others() -> None:
    told = costs_of(("success", 60.0, ("ubuntu-latest",)), ("success", 60.0, None), rates=(LINUX,))

    assert (told.all_runs.cost, told.all_runs.jobs_without_rate, told.currency) == (0.01, 1, "EUR")


@pytest.mark.parametrize(("end", "seconds"), [("skipped", None), (None, None), (None, 500.0), ("success", None)])
def test_what_did_not_run_or_is_not_over_costs_nothing_yet(end: Any, seconds: float | None) -> None:
    told = costs_of((end, seconds, ("ubuntu-latest",)), rates=(LINUX,))

    assert (told.all_runs.cost, told.all_runs.jobs_without_rate, told.all_runs.runner_minutes) == (None, 0, 0.0)


def test_costs_of_workflows_agents_and_jobs_add_up_to_that_of_all() -> None:
    runs = [
        an_agent_run(0, agent="claude"),
        an_agent_run(1, workflow="Nightly"),
        an_agent_run(2, agent="codex"),
        an_agent_run(3, agent="codex", agent_role="triggered_by"),
    ]
    jobs = [a_job(run, name) for run in runs for name in ("unit", "lint")]
    labels = {job["job_id"]: ("ubuntu-latest",) for job in jobs}

    told = statistics_of(an_agent_history(runs, jobs, labels=labels, rules=AgentRules(rates=(LINUX,))))

    assert told.all_runs.cost == pytest.approx(0.8)
    assert {row.name: row.cost for row in told.workflows} == {"PR Test": 0.6, "Nightly": 0.2}
    assert {row.name: row.cost for row in told.agents} == {"claude": 0.2, "codex": 0.2, None: 0.2}
    assert sum(row.cost or 0.0 for row in told.jobs) == pytest.approx(0.8)
