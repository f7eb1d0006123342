"""Workflows under another name: what failed last under the old one does not stay broken."""

from __future__ import annotations

import pytest

from tests.history_frames import a_history, a_job, a_run
from trackside.ci.streaks import find_streaks


def test_a_job_of_a_workflow_that_was_given_another_name_is_gone_under_the_old_one() -> None:
    file = ".github/workflows/ci.yml"
    named = {1: "CI", 2: "CI", 3: "CI v2", 4: "CI v2"}
    runs = [
        a_run(number, "failure" if number == 2 else "success", workflow=name, workflow_file=file)
        for number, name in named.items()
    ]
    found = find_streaks(a_history(runs, [a_job(run, "build", run["conclusion"]) for run in runs]))
    [streak] = found.gone

    assert found.broken == ()
    assert (streak.workflow, streak.runs_without) == ("CI", 2)
    assert streak.ended_by is not None
    assert streak.ended_by.run_number == 3


@pytest.mark.parametrize("file", [None, "dynamic/dependabot/dependabot-updates"])
def test_workflows_that_run_under_many_names_at_once_do_not_end_each_other(file: str | None) -> None:
    runs = [a_run(number, workflow=name, workflow_file=file) for number, name in enumerate(("pip", "npm", "npm"), 1)]
    jobs = [a_job(run, "update", "failure" if run is runs[0] else "success") for run in runs]

    [streak] = find_streaks(a_history(runs, jobs)).broken
    assert streak.workflow == "pip"
