"""The grid of jobs by runs: what became of each job in the newest runs of the default branch."""

from __future__ import annotations

from typing import Final

import pytest

from tests.ci_sites import a_morning, a_site, ci_files, ci_of
from tests.history_frames import a_history, a_job, a_run
from tests.html_pages import Page
from trackside.site.ci_grid import GRID_ROWS, GRID_RUNS, MOST_GRIDS, Grid, workflow_grids
from trackside.site.ci_jobs import ci_results
from trackside.site.facts import CiFacts

MORNING: Final = a_morning()


def grid_of(ci: CiFacts, workflow: str) -> Grid:
    return next(grid for grid in workflow_grids(ci, ci_results(ci)).grids if grid.workflow == workflow)


def states(grid: Grid, name: str) -> list[str | None]:
    row = next(row for row in grid.rows if row.name == name)
    return [None if cell is None else cell.state for cell in row.cells]


def test_the_grid_shows_each_job_in_the_newest_runs_of_the_default_branch_the_newest_first() -> None:
    grid = grid_of(MORNING, "PR Test")

    assert [run.label for run in grid.runs] == [f"#{number}" for number in range(10, 0, -1)]
    assert [row.name for row in grid.rows] == ["build", "unit", "old"]
    assert states(grid, "build") == ["failed"] * 3 + ["passed"] * 7
    assert states(grid, "unit") == ["passed"] * 6 + ["flaky"] + ["passed"] * 3
    assert states(grid, "old") == [None] * 9 + ["passed"]
    assert [run.cell.state for run in grid.runs] == ["failed"] * 3 + ["passed"] * 7


def test_a_cell_leads_to_the_page_of_the_worst_job_and_says_what_happened() -> None:
    grid = grid_of(MORNING, "PR Test")
    failed = grid.rows[0].cells[0]
    retried = grid.rows[1].cells[6]
    jobs = {(row["run_number"], row["job"], row["run_attempt"]): row["url"] for row in MORNING.history.jobs.to_dicts()}

    assert failed is not None
    assert retried is not None
    assert failed.url == jobs[10, "build", 1]
    assert failed.words == "failed (build), run #10"
    assert retried.url in (jobs[4, "unit (1)", 2], jobs[4, "unit (0)", 1])
    assert retried.words == "passed after a failed attempt, run #4"


def test_days_stand_over_as_many_columns_as_they_have_runs() -> None:
    runs = [a_run(number) for number in (1, 2, 20, 21, 22)]
    grid = grid_of(ci_of(a_history(runs, [a_job(run, "unit") for run in runs])), "PR Test")

    assert grid.days == (("2026-06-02", 3), ("2026-06-01", 2))


@pytest.mark.parametrize(
    ("conclusions", "state", "words"),
    [
        (("success", "failure", "success"), "failed", "1 of 3 failed"),
        (("success", "timed_out", "failure"), "failed", "2 of 3 failed"),
        (("success", None, "success"), "in_progress", "not over"),
        (("success", "cancelled", "success"), "passed", "2 of 3 passed"),
        (("cancelled", "skipped", "cancelled"), "cancelled", "cancelled"),
        (("skipped", "skipped", "neutral"), "skipped", "skipped"),
    ],
)
def test_a_cell_is_all_matrix_indices_at_the_worst_of_them(
    conclusions: tuple[str | None, ...], state: str, words: str
) -> None:
    run = a_run(1)
    jobs = [a_job(run, f"unit ({shard})", conclusion) for shard, conclusion in enumerate(conclusions)]
    cell = grid_of(ci_of(a_history([run], jobs)), "PR Test").rows[0].cells[0]

    assert cell is not None
    assert (cell.state, cell.words) == (state, f"{words}, run #1")


def test_a_grid_counts_the_runs_and_jobs_that_it_leaves_out() -> None:
    runs = [a_run(number) for number in range(GRID_RUNS + 5)]
    jobs = [a_job(run, f"job-{place}") for run in runs[-2:] for place in range(GRID_ROWS + 3)]
    grid = grid_of(ci_of(a_history(runs, jobs)), "PR Test")

    assert (len(grid.runs), grid.runs_seen) == (GRID_RUNS, GRID_RUNS + 5)
    assert (len(grid.rows), grid.left_out) == (GRID_ROWS, 3)


def test_workflows_without_a_grid_are_named_and_those_with_broken_jobs_stand_first() -> None:
    runs = [a_run(number, workflow=f"Workflow {number:02d}") for number in range(MOST_GRIDS + 2)]
    jobs = [a_job(run, "unit", "failure" if run is runs[-1] else "success") for run in runs]
    ci = ci_of(a_history(runs, jobs))
    found = workflow_grids(ci, ci_results(ci))

    assert found.grids[0].workflow == f"Workflow {MOST_GRIDS + 1:02d}"
    assert found.left_out == (f"Workflow {MOST_GRIDS - 1:02d}", f"Workflow {MOST_GRIDS:02d}")
    assert Page(ci_files(a_site(ci))["ci.html"].decode()).text.count("2 more workflows of main without a grid") == 1
