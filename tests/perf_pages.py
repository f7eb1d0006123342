"""Pages of the performance monitor for tests: a busy repository, and one whose every name tries to run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
import polars as pl

from tests.history_frames import HOUR, START, a_history, a_job, a_run
from tests.perf_frames import a_measurements, a_value
from trackside.history.frames import History
from trackside.perf.change_records import Changes
from trackside.perf.changes import find_changes
from trackside.perf.points import points_frame
from trackside.perf.silence import Silence, find_silent
from trackside.records.perf_rules import PerfRules
from trackside.report.perf_facts import PerfFacts
from trackside.report.perf_page import perf_page

METRICS = {
    "output_throughput_token_s": (153.0, "tok/s", "higher", True),
    "median_ttft_ms": (86.4, "ms", "lower", True),
    "median_tpot_ms": (6.31, "ms", "lower", False),
    "p99_e2e_latency_ms": (10_240.0, "ms", "lower", False),
    "accept_length": (2.87, None, "higher", False),
    "gsm8k_score": (0.912, None, "higher", False),
    "successful_requests": (500.0, None, "neither", False),
}
TESTS = ("test_bs1_default", "test_online_latency_default", "test_offline_throughput_default")
POINTS = """() => Bokeh.documents.flatMap((each) => each.roots()).map((plot) => plot.renderers
    .map((each) => each.data_source).find((each) => each.name === "points").data)"""
"""Asks a page in a browser for the columns of the points that its charts show."""
FACTS = PerfFacts(
    repo="octo/engine",
    default_branch="main",
    since=START,
    until=START + dt.timedelta(days=30),
    made_at=START + dt.timedelta(days=30),
    runs=300,
    jobs=2_400,
    logs={"ready": 2_388, "expired": 9, "missing": 3},
    watched=("PR Test", "performance-test-*"),
)


class Measured(msgspec.Struct, frozen=True):
    """What a page is made of."""

    history: History
    points: pl.DataFrame
    changes: Changes
    silence: Silence

    def page(self, facts: PerfFacts = FACTS) -> str:
        return perf_page(self.points, facts, changes=self.changes, silence=self.silence)


def a_busy_repository(
    jobs: int = 4, runs: int = 120, metrics: int = len(METRICS), tests: int = len(TESTS), **names: str
) -> Measured:
    """Runs in bursts with a quiet week, half of them of pull requests, on two pools.

    The first job has a step down at 70 %, the second a step up at half, the third drifts, the last stops at 80 %.
    """
    rng = np.random.default_rng(7)
    made = [_run(number, runs, names) for number in range(runs)]
    rows, listed = [], []
    for number, run in enumerate(made):
        for place in range(jobs):
            if place == jobs - 1 and number > 0.8 * runs:
                continue
            job = _job(run, place, number, names)
            listed.append(job)
            rows += list(_values(job, place, number / runs, rng, metrics, tests, names))
    history = a_history(made, listed)
    points = points_frame(history, a_measurements(rows), PerfRules())
    counted = (
        pl.DataFrame(rows)
        .group_by("job_id")
        .agg(tests=pl.col("test").n_unique().cast(pl.Int64), measurements=pl.len().cast(pl.Int64))
    )
    silence = find_silent(history, points, counted, PerfRules())
    return Measured(history=history, points=points, changes=find_changes(history, points), silence=silence)


def _run(number: int, runs: int, names: Mapping[str, str]) -> dict[str, Any]:
    quiet = dt.timedelta(days=7) if number > runs * 0.35 else dt.timedelta()
    at = START + number * 4 * HOUR + (number % 5) * HOUR / 3 + quiet
    told: dict[str, Any] = {"created_at": at, "title": names.get("title", f"Speed up path {number} of the scheduler")}
    told |= {"author": names.get("author", ("Alice", "Bob", "Chen Wei")[number % 3])}
    if number % 2:
        told |= {"branch": names.get("branch", f"topic-{number}"), "line": f"octo:topic-{number}"}
        told |= {
            "pull_number": 4_000 + number,
            "pull_url": names.get("url", f"https://github.com/octo/engine/pull/{4_000 + number}"),
        }
    if "url" in names:
        told["url"] = names["url"]
    return a_run(number, **told)


def _job(run: Mapping[str, Any], place: int, number: int, names: Mapping[str, str]) -> dict[str, Any]:
    failed = number % 17 == 5
    pool = "1-gpu-h100" if number % 3 else "1-gpu-h200"
    told: dict[str, Any] = {"pool": names.get("pool", pool), "runner_name": names.get("runner", f"{pool}-{number % 2}")}
    job_id = number * 100 + place + 1
    told["url"] = names.get("url", f"{run['url']}/job/{job_id}")
    name = names.get("job", f"performance-test-{place}-gpu")
    return a_job(run, name, "failure" if failed else "success", job_id=job_id, **told)


def _values(
    job: Mapping[str, Any],
    place: int,
    at: float,
    rng: np.random.Generator,
    metrics: int,
    tests: int,
    names: Mapping[str, str],
) -> Iterator[dict[str, Any]]:
    for kind, test in enumerate(TESTS[:tests]):
        for metric, (level, unit, better, established) in list(METRICS.items())[:metrics]:
            noise = rng.normal(0, 0.007)
            own = level * (1 + 0.3 * place + 0.1 * kind) * _shape(place, kind, better, at) * (1 + noise)
            own *= 1.012 if str(job["pool"]).endswith("h200") else 1.0
            told: dict[str, Any] = {"test": names.get("test", test), "metric": names.get("metric", metric)}
            told |= {"unit": names.get("unit", unit), "better": better, "is_established": established}
            if job["outcome"] == "failed" and kind == 0:
                yield a_value(job, own * 0.93, **told, is_final=False, test_outcome="failed")
                told |= {"try_number": 2}
            yield a_value(job, round(own, 4), **told, test_outcome="failed" if job["outcome"] == "failed" else "passed")


def _shape(place: int, kind: int, better: str, at: float) -> float:
    good = 1 if better == "higher" else -1
    if better == "neither" or kind == 2:
        return 1.0
    if place == 0:
        return 1 - good * (0.04 if kind else 0.031) * (at >= 0.7)
    if place == 1:
        return 1 + good * 0.06 * (at >= 0.5)
    if place == 2:
        return 1 - 0.03 * at
    return 1.0


HOSTILE = "<svg/onload=window.pwned=1>\"'</script><script>window.pwned=2</script><!--\u202eevil{{7*7}}"


def a_hostile_repository() -> Measured:
    """Every name is an attack, and every address leads elsewhere."""
    names = dict.fromkeys(("job", "test", "metric", "title", "author", "branch", "pool", "runner", "unit"), HOSTILE)
    return a_busy_repository(1, 60, 1, 1, **names, url="javascript:window.pwned=3")


def hostile_facts() -> PerfFacts:
    return msgspec.structs.replace(FACTS, default_branch=HOSTILE, watched=(HOSTILE,), logs={HOSTILE: 2})
