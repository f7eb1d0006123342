"""Bands of detail and aggregates: what is kept of a run, and sums that are exact when they are rolled up."""

from __future__ import annotations

import datetime as dt
from itertools import chain
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agent_frames import a_step, an_agent_history, an_agent_run
from tests.history_frames import START, a_job
from trackside.agents.bands import (
    ERROR_SHARE,
    LEAST_ERROR_S,
    Aggregate,
    aggregates_of,
    detail_of,
    merged_aggregates,
    quantile_s,
)
from trackside.agents.frames import AgentHistory
from trackside.agents.group_records import Outcomes
from trackside.agents.statistics import statistics_of
from trackside.records.agent_rules import Bands

KEYS = ["run_id", "run_attempt"]


def details(history: AgentHistory, bands: Bands) -> list[str]:
    return detail_of(history, bands)["detail"].to_list()


def timed(*seconds: float) -> Aggregate:
    """The aggregate of the runs that took so long."""
    history = an_agent_history([an_agent_run(number, duration_s=one) for number, one in enumerate(seconds)])
    return aggregates_of(history, history.runs)[0]


def test_bands_are_half_open_the_newest_run_is_number_one() -> None:
    history = an_agent_history([an_agent_run(number) for number in range(60)])

    told = details(history, Bands())

    assert told == ["aggregate"] * 10 + ["summary"] * 40 + ["full"] * 10


@pytest.mark.parametrize(("number", "expected"), [(10, "full"), (11, "summary"), (50, "summary"), (51, "aggregate")])
def test_the_ends_of_the_bands_belong_to_one_of_them(number: int, expected: str) -> None:
    history = an_agent_history([an_agent_run(place) for place in range(60)])

    assert details(history, Bands())[60 - number] == expected


def test_bands_can_be_set() -> None:
    history = an_agent_history([an_agent_run(number) for number in range(4)])

    assert details(history, Bands(full=1, summary=3)) == ["aggregate", "summary", "summary", "full"]
    assert details(history, Bands(full=0, summary=0)) == ["aggregate"] * 4


def test_what_failed_keeps_its_steps_longer() -> None:
    ends = ["failure", "timed_out", "startup_failure", "cancelled", "success", "failure"]
    history = an_agent_history([an_agent_run(number, end) for number, end in enumerate(ends)])

    assert details(history, Bands(full=0, summary=0, failed=5)) == [
        "aggregate", "full", "full", "aggregate", "aggregate", "full",
    ]  # fmt: skip


def test_each_workflow_has_its_own_bands_and_attempts_count_each() -> None:
    runs = [
        an_agent_run(0, workflow="CI"),
        an_agent_run(1, workflow="Nightly"),
        an_agent_run(2, "failure", workflow="CI"),
        an_agent_run(2, workflow="CI", run_attempt=2),
    ]

    assert details(an_agent_history(runs), Bands(full=1, summary=2, failed=0)) == [
        "aggregate", "full", "summary", "full",
    ]  # fmt: skip


def test_a_run_whose_creation_is_not_told_is_the_oldest() -> None:
    runs = [{**an_agent_run(1), "created_at": None}, an_agent_run(0)]

    assert details(an_agent_history(runs), Bands(full=1, summary=1, failed=0)) == ["aggregate", "full"]


def test_no_run_is_no_detail() -> None:
    told = detail_of(an_agent_history([]), Bands())

    assert (told.height, told.columns) == (0, ["run_id", "run_attempt", "detail"])
    assert aggregates_of(an_agent_history([]), told) == ()


def test_an_aggregate_counts_adds_up_and_sorts_by_length() -> None:
    history = an_agent_history(
        [
            an_agent_run(0, duration_s=0.0),
            an_agent_run(1, "failure", duration_s=1.0),
            an_agent_run(2, "skipped", duration_s=1.0),
            an_agent_run(3, None, duration_s=9.0),
        ]
    )

    assert aggregates_of(history, history.runs) == (
        Aggregate(
            workflow="PR Test",
            file=".github/workflows/pr-test.yml",
            outcomes=Outcomes(total=4, success=1, failure=1, skipped=1, in_progress=1),
            n=2,
            total_ms=1000,
            max_ms=1000,
            buckets=((0, 1), (1, 1)),
        ),
    )


def test_only_the_runs_that_are_named_are_in_an_aggregate() -> None:
    runs = [an_agent_run(number, run_attempt=attempt) for number in range(2) for attempt in (1, 2)]
    jobs = [a_job(run, "unit (3)") for run in runs]
    history = an_agent_history(runs, jobs, [a_step(job, 1, "Run tests") for job in jobs])
    keys = pl.DataFrame({"run_id": [1000, 1000], "run_attempt": [2, 2]})

    told = aggregates_of(history, keys)

    assert [(one.job, one.step, one.outcomes.total) for one in told] == [
        ("unit", None, 1), ("unit", "Run tests", 1), (None, None, 1),
    ]  # fmt: skip


def test_a_quantile_of_nothing_is_not_known() -> None:
    history = an_agent_history([an_agent_run(0, None)])

    assert quantile_s(aggregates_of(history, history.runs)[0], 0.5) is None


def test_nothing_merged_is_nothing() -> None:
    assert merged_aggregates([]) == ()


SECONDS = st.one_of(st.integers(0, 400_000), st.floats(0, 1e7, allow_subnormal=False).map(lambda one: round(one, 3)))


@settings(max_examples=150, deadline=None)
@given(st.lists(SECONDS, min_size=1, max_size=40), st.floats(0, 1))
def test_a_quantile_of_the_histogram_is_within_its_stated_error(seconds: list[float], share: float) -> None:
    exact = float(np.quantile(seconds, share))

    told = quantile_s(timed(*seconds), share)

    assert told is not None
    assert abs(told - exact) <= max(ERROR_SHARE * exact, LEAST_ERROR_S) * (1 + 1e-9)


ENDS = st.sampled_from(["success", "failure", "cancelled", "skipped", None])
PARTS = st.lists(st.tuples(ENDS, SECONDS, st.sampled_from(["CI", "Nightly"]), st.integers(0, 2)), max_size=16)


def world(told: list[tuple[Any, ...]]) -> AgentHistory:
    runs, jobs, steps = [], [], []
    for number, (end, seconds, workflow, _) in enumerate(told):
        run = an_agent_run(number, end, workflow=workflow, duration_s=seconds, created_at=START + dt.timedelta(number))
        job = a_job(run, f"unit ({number % 3})", end, duration_s=seconds)
        runs.append(run)
        jobs.append(job)
        steps += [a_step(job, place, f"step {place}", end, duration_s=seconds) for place in (1, 2)]
    return an_agent_history(runs, jobs, steps)


@settings(max_examples=60, deadline=None)
@given(PARTS)
def test_merging_aggregates_is_the_aggregate_of_the_union(told: list[tuple[Any, ...]]) -> None:
    history = world(told)
    part = pl.Series([place for *_, place in told], dtype=pl.Int64)
    parts = [aggregates_of(history, history.runs.filter(part == place)) for place in range(3)]

    merged = merged_aggregates(chain.from_iterable(parts))

    assert merged == aggregates_of(history, history.runs)
    assert merged == merged_aggregates(chain.from_iterable(reversed(parts)))
    assert merged_aggregates([*merged_aggregates([*parts[0], *parts[1]]), *parts[2]]) == merged


@settings(max_examples=30, deadline=None)
@given(PARTS)
def test_aggregates_and_what_is_kept_add_up_to_the_statistics(told: list[tuple[Any, ...]]) -> None:
    history = world(told)
    detail = detail_of(history, Bands(full=1, summary=2, failed=3))

    parts = [aggregates_of(history, rows) for rows in detail.partition_by("detail")]

    every = merged_aggregates(chain.from_iterable(parts))
    statistics = statistics_of(history)
    whole = {(one.workflow, one.job, one.step): one for one in every}
    expected: dict[tuple[str | None, str | None, str | None], Outcomes] = {
        (row.name, None, None): row.outcomes for row in statistics.workflows
    }
    expected.update({(row.workflow, row.job, None): row.outcomes for row in statistics.jobs})
    expected.update({(row.workflow, row.job, row.step): row.outcomes for row in statistics.steps})
    assert {key: one.outcomes for key, one in whole.items()} == expected
    for row in statistics.steps:
        one = whole[row.workflow, row.job, row.step]
        assert one.n == row.run.n
        assert one.total_ms / 1000 == pytest.approx(row.run.total_s, abs=0.01)


def test_details_are_in_the_order_of_the_history() -> None:
    runs = [an_agent_run(number) for number in (3, 1, 2)]

    assert detail_of(an_agent_history(runs), Bands()).select(KEYS).rows() == [(1003, 1), (1001, 1), (1002, 1)]
