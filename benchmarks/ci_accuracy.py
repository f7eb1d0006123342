"""How right streaks, flakes and changed rates are, on made-up histories whose truth is known.

``python benchmarks/ci_accuracy.py`` writes the section "Broken, flaky, changed" of docs/accuracy.md. Its seeds
are used nowhere else: the rules were set on seeds below 7600 and left alone before these figures were taken.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.accuracy_page import write_section  # noqa: E402
from benchmarks.ci_histories import START, Truth, make_history  # noqa: E402
from trackside.ci.flake_evidence import Kind  # noqa: E402
from trackside.ci.flakiness import find_flaky  # noqa: E402
from trackside.ci.rate_changes import Change, find_rate_changes  # noqa: E402
from trackside.ci.streaks import find_streaks  # noqa: E402
from trackside.history.frames import (  # noqa: E402
    FAILURE_COLUMNS,
    JOB_COLUMNS,
    RUN_COLUMNS,
    TEST_FILE_COLUMNS,
    History,
)
from trackside.report.ledger import counted  # noqa: E402

SEEDS: Final = range(7700, 7740)
RATE_SEEDS: Final = range(7800, 7900)
JOBS, RUNS, EARLY = 60, 200, 150
RISES: Final = ((0.02, 0.20), (0.05, 0.20), (0.05, 0.30), (0.10, 0.30))
_KINDS: Final = (Kind.FLAKE.value, *(kind.value for kind in Kind if kind is not Kind.FLAKE))
_REASONS: Final = ("flaky", "broken", "pull", "outage", "runner")
Counts = Counter[str]


def count(seeds: Sequence[int], *, logs: bool) -> tuple[Counts, Counter[tuple[str, str]]]:
    """What was planted and what was told of it; and for each failure on a commit that passed, truth against kind."""
    counts: Counts = Counter()
    kinds: Counter[tuple[str, str]] = Counter()
    for seed in seeds:
        history, truth = make_history(seed, logs=logs)
        counts += _streaks(history, truth)
        flaky = find_flaky(history)
        called = {job.job for job in flaky.jobs}
        counts += Counter(
            planted=len(truth.flaky),
            called_right=len(called & truth.flaky.keys()),
            called_wrong=len(called - truth.flaky.keys()),
            runners=truth.bad_runner is not None,
            runners_right=truth.bad_runner in flaky.bad_runners,
            runners_wrong=len(set(flaky.bad_runners) - {truth.bad_runner}),
        )
        kinds.update((truth.reasons[job_id], Kind.FLAKE.value) for job_id in flaky.job_ids)
        kinds.update((truth.reasons[event.job_id], event.kind.value) for event in flaky.set_aside)
    return counts, kinds


def _streaks(history: History, truth: Truth) -> Counts:
    counts: Counts = Counter()
    told = {streak.job: streak for streak in find_streaks(history).broken}
    for job, run_id in truth.first_bad.items():
        kind = "moved" if truth.moved[job] else "stayed"
        exact = job in told and told[job].first_bad.run_id == run_id
        counts += Counter({kind: 1, f"{kind}_told": job in told, f"{kind}_exact": exact})
    for name, streak in told.items():
        if name not in truth.first_bad:
            counts["false_one" if streak.failed_runs == 1 else "false_more"] += 1
    return counts


def rates(rise: tuple[float, float] | None) -> Counts:
    """How often a rise of one job of JOBS is told, and how many rises of the others, over RATE_SEEDS."""
    counts: Counts = Counter()
    for seed in RATE_SEEDS:
        rng = np.random.default_rng(seed)
        chance = np.tile(rng.uniform(0, 0.1, JOBS), (RUNS, 1))
        if rise is not None:
            chance[:EARLY, 0], chance[EARLY:, 0] = rise
        told = {one.job for one in find_rate_changes(_history(rng.random((RUNS, JOBS)) < chance)).of(Change.RISE)}
        others = told - ({"job 0"} if rise else set())
        counts += Counter(histories=1, told="job 0" in told and rise is not None, false=len(others), any=bool(others))
    return counts


def _history(failed: np.ndarray) -> History:
    """A run an hour on main; ``failed`` says of each run and job whether it failed."""
    runs, jobs = failed.shape
    run_id = np.repeat(np.arange(runs), jobs)
    created = pl.Series(run_id * 3_600_000_000).cast(pl.Duration("us")) + pl.lit(START)
    names = np.char.add("job ", np.tile(np.arange(jobs), runs).astype(str))
    frame = pl.DataFrame({"run_id": run_id, "name": names, "failed": failed.ravel()}).with_columns(
        run_created_at=created, started_at=created, job_id=pl.int_range(pl.len()), run_attempt=pl.lit(1)
    )
    told = frame.select(
        "run_id", "name", "run_created_at", "started_at", "job_id", "run_attempt", job="name", family="name",
        outcome=pl.when("failed").then(pl.lit("failed")).otherwise(pl.lit("passed")), is_ignored=pl.lit(value=False),
        workflow=pl.lit("PR Test"), line=pl.lit("main"), is_default_line=pl.lit(value=True),
    )  # fmt: skip
    rest = [pl.lit(None, dtype).alias(name) for name, dtype in JOB_COLUMNS.items() if name not in told.columns]
    rows = told.with_columns(rest).select(pl.col(name).cast(dtype) for name, dtype in JOB_COLUMNS.items())
    ends = rows.group_by("run_id").agg(created_at=pl.col("run_created_at").first())
    others = [pl.lit(None, dtype).alias(name) for name, dtype in RUN_COLUMNS.items() if name not in ends.columns]
    return History(
        repo="octo/engine",
        runs=ends.with_columns(others).select(pl.col(name).cast(dtype) for name, dtype in RUN_COLUMNS.items()),
        jobs=rows,
        failures=pl.DataFrame(schema=FAILURE_COLUMNS),
        test_files=pl.DataFrame(schema=TEST_FILE_COLUMNS),
        default_branch="main",
    )


def section() -> Iterator[str]:
    """The section in lines."""
    with_logs, kinds_with = count(SEEDS, logs=True)
    without, kinds_without = count(SEEDS, logs=False)
    yield HEAD.format(histories=len(SEEDS))
    yield "| | with logs | without |"
    yield "|---|---|---|"
    both = (with_logs, without)
    for title, got, of in (
        ("broken at the end: told as broken", "stayed_told moved_told", "stayed moved"),
        ("first bad run exactly right, breakage in one shard", "stayed_exact", "stayed"),
        ("first bad run exactly right, breakage that moved between shards", "moved_exact", "moved"),
        ("flaky jobs: found", "called_right", "planted"),
        ("jobs called flaky that are", "called_right", "called_right called_wrong"),
        ("bad runners: found", "runners_right", "runners"),
    ):
        yield f"| {title} | {' | '.join(_share(_sum(one, got), _sum(one, of)) for one in both)} |"
    for title, name in (
        ("told as broken after a single failed run that was a flake, an outage or a runner", "false_one"),
        ("the same after two or more of them in a row", "false_more"),
        ("runners named that are not bad", "runners_wrong"),
    ):
        yield f"| {title} | {' | '.join(f'{one[name]:,}' for one in both)} |"
    for words, kinds in (("with logs", kinds_with), ("without logs", kinds_without)):
        yield from _table(words, kinds)
    yield from _rates()


def _table(words: str, kinds: Counter[tuple[str, str]]) -> Iterator[str]:
    yield ""
    yield f"Failures on commits that also passed, {words}: what they were (rows) and what they were called (columns)."
    yield ""
    yield f"| | {' | '.join(_KINDS)} |"
    yield f"|---|{'---|' * len(_KINDS)}"
    for reason in _REASONS:
        if not any(kinds[reason, kind] for kind in _KINDS):
            continue
        yield f"| {WORDS[reason]} | {' | '.join(f'{kinds[reason, kind]:,}' for kind in _KINDS)} |"
    broken = sum(kinds[reason, Kind.FLAKE.value] for reason in ("broken", "pull"))
    yield ""
    yield f"Broken and called flaky: {broken:,}."


def _rates() -> Iterator[str]:
    null = rates(None)
    yield ""
    yield (
        f"Changed rates: {JOBS} jobs, {EARLY} runs before and {RUNS - EARLY} after, each job with a rate of its own "
        f"between 0 and 10 %. Without any change a rise was told in {null['any']:,} of {null['histories']:,} histories "
        f"({counted(null['false'], 'job')} of {null['histories'] * JOBS:,}). With one job that rises:"
    )
    yield ""
    yield "| from | to | told | other jobs told |"
    yield "|---|---|---|---|"
    for rise in RISES:
        found = rates(rise)
        told = _share(found["told"], found["histories"])
        yield f"| {rise[0]:.0%} | {rise[1]:.0%} | {told} | {found['false']:,} of {found['histories'] * (JOBS - 1):,} |"


def _sum(counts: Counts, names: str) -> int:
    return sum(counts[name] for name in names.split())


def _share(got: int, of: int) -> str:
    return f"{got:,} of {of:,} ({got / of:.1%})" if of else "-"


WORDS: Final = {
    "flaky": "flake",
    "broken": "broken on main",
    "pull": "broken by the pull request",
    "outage": "outage",
    "runner": "bad runner",
}
HEAD: Final = """\
## Broken, flaky, changed

Made by `python benchmarks/ci_accuracy.py`: {histories} made-up histories of two weeks, about 600 runs and 30 jobs each,
read once with the logs of nine in ten failures and once without any. Planted: jobs broken on main at random times
(mended or not), breakage that moves between shards, a job that never passed, a rename, a job that vanishes, flaky jobs
(2 to 20 %), two outages of up to three hours, a runner that fails a quarter of its jobs, pull requests that break jobs
by themselves; runs are cancelled, skipped and run again up to 26 hours later. Pull requests run with main as it is when
they are run, so that a re-run after a fix passes on the same commit, and one in five with older code. Such histories
are tidier than real ones: the figures show that the rules do what they say, not how a repository behaves. The rules
were set on other seeds.

A first bad run is told wrongly where an outage or a bad runner failed the run just before it and, without logs, where
one shard is mended at the very run at which another breaks. A flake that is called broken, an outage or a runner is
lost to the rate, which is why that is a lower bound; it is the price of not calling a broken test flaky. Jobs are
called flaky wrongly where a bad runner is not found, or an outage is too small to be one.
"""


if __name__ == "__main__":
    write_section("\n".join(section()))
