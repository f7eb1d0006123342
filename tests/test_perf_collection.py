"""What values were collected from, where some of them were uploaded and not printed."""

from __future__ import annotations

from typing import Any

import polars as pl

from tests.history_frames import a_history, a_job, a_run
from trackside.perf.collection import Collection, collect

LOGS = pl.DataFrame(schema={"job_id": pl.Int64(), "state": pl.String()})


def _collected(jobs: list[dict[str, Any]], values: list[int]) -> Collection:
    measured = pl.DataFrame({"job_id": [job["job_id"] for job in jobs], "tests": values, "measurements": values})
    return collect(a_history([a_run(1)], jobs), measured, LOGS, lambda name: name.startswith("perf"))


def test_a_job_that_uploaded_its_values_is_not_called_silent() -> None:
    run = a_run(1)
    job, quiet, artifact = a_job(run, "perf"), a_job(run, "perf-other"), a_job(run, "perf", job_id=-7)
    found = _collected([job, quiet, artifact], [0, 0, 12])
    assert found.silent == {"perf-other": 1}
    assert found.jobs.select("job", "values").rows() == [("perf", 12), ("perf-other", 0)]
    assert found.runs[0].jobs == (("perf", "success"), ("perf-other", "success"))


def test_shards_are_not_silent_where_one_of_them_uploaded() -> None:
    run = a_run(1)
    shards = [a_job(run, "perf (0)"), a_job(run, "perf (1)")]
    found = _collected([*shards, a_job(run, "perf", job_id=-7)], [0, 0, 12])
    assert found.silent == {}


def test_an_artifact_of_no_known_job_stands_for_itself() -> None:
    run = a_run(1)
    found = _collected([a_job(run, "perf"), a_job(run, "bench-results", job_id=-7)], [0, 3])
    assert found.silent == {"perf": 1}
    assert found.jobs["job"].to_list() == ["bench-results", "perf"]
