"""How right the verdicts are: made-up weeks of CI in which every failure has a known reason.

``python benchmarks/ci_verdict_accuracy.py`` writes the section "Verdicts" of docs/accuracy.md. The rules and their
numbers were frozen before, and the seeds are used nowhere else.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec
import polars as pl

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.accuracy_page import write_section  # noqa: E402
from benchmarks.ci_histories import make_history  # noqa: E402
from trackside.ci.findings import Verdict  # noqa: E402
from trackside.ci.verdicts import judge_failures  # noqa: E402
from trackside.history.frames import FAILURE_COLUMNS, History  # noqa: E402
from trackside.history.outcomes import Outcome  # noqa: E402

TITLE: Final = "## Verdicts"
SEEDS: Final = range(840_000, 840_020)
TRUTH: Final = {
    "broken": Verdict.CODE,
    "pull": Verdict.CODE,
    "flaky": Verdict.FLAKY,
    "runner": Verdict.RUNNER,
    "outage": Verdict.INFRASTRUCTURE,
    "blip": Verdict.INFRASTRUCTURE,
}
"""What each planted reason ought to be called."""
WORDS: Final = {
    "broken": "job broken on main (met by pull requests too)",
    "pull": "breakage of a pull request",
    "flaky": "flake",
    "runner": "bad runner",
    "outage": "outage of installs",
    "blip": "lone failure of a download",
}
_CAUSES: Final = {
    "broken": ("test", "test", "build", "crash", "accuracy"),
    "pull": ("test", "test", "build", "lint"),
    "flaky": ("test", "test", "timeout", "gpu_memory", "crash"),
    "runner": ("gpu_fault", "disk_full", "runner_lost"),
    "outage": ("dependency", "dependency", "network"),
    "blip": ("network", "rate_limit"),
}
TEXT: Final = """\
{title}

Made by `python benchmarks/ci_verdict_accuracy.py`. Two weeks of a repository with some thirty jobs are made up {weeks}
times: jobs that break on main for hours or days, pull requests that break jobs, jobs that fail by chance, outages of
installs, lone failures of a download, a bad runner, re-runs at once and after the fix. Every failed attempt has a known
reason. Logs are rough: one in ten is not there, one in ten shows boilerplate only, one in seven of the failures of
tests has an error that others have too, and causes vary within a reason. The rules and their numbers
(`src/trackside/ci/attempt_verdicts.py`) were frozen before; the seeds are used nowhere else. Counted are failed
attempts.

{with_logs}

{without}

Right of the told: of those that got a verdict other than unknown, how many got the right one. Without logs only
retries, runners and hours tell something; the rest stays unknown on purpose. The made-up weeks are simpler than the
world: their errors name what caused them more often than real ones do."""
Counts = Counter[tuple[str, Verdict]]


def main() -> None:
    """Measures, and writes the section into the page."""
    write_section(section())


def section() -> str:
    """The section in Markdown, measured now."""
    return TEXT.format(
        title=TITLE,
        weeks=len(SEEDS),
        with_logs="\n".join(_table("With logs (`--logs failed`)", measure(SEEDS, logs=True))),
        without="\n".join(_table("Without logs", measure(SEEDS, logs=False))),
    )


def measure(seeds: range, *, logs: bool) -> Counts:
    """Failed attempts by planted reason and verdict."""
    counts: Counts = Counter()
    for seed in seeds:
        history, reasons = world(seed, logs=logs)
        found = judge_failures(history).attempts
        counts.update((reason, found[job_id]) for job_id, reason in reasons.items() if job_id in found)
    return counts


def world(seed: int, *, logs: bool) -> tuple[History, dict[int, str]]:
    """A made-up history with rough logs, and the reason of each failed attempt by job id."""
    history, truth = make_history(seed, logs=logs)
    rng = random.Random(f"rough {seed}")
    reasons = dict(truth.reasons)
    jobs = _with_blips(history.jobs, reasons, rng)
    told = {row["job_id"]: row for row in history.failures.iter_rows(named=True)}
    failed = jobs.filter(pl.col("outcome") == Outcome.FAILED.value)
    rows = [_failure(row, told.get(row["job_id"]), reasons, rng, logs=logs) for row in failed.iter_rows(named=True)]
    failures = pl.DataFrame(rows, schema=FAILURE_COLUMNS)
    return msgspec.structs.replace(history, jobs=jobs, failures=failures), reasons


def _with_blips(jobs: pl.DataFrame, reasons: dict[int, str], rng: random.Random) -> pl.DataFrame:
    """One in 400 jobs that passed failed to download something instead, where it ran in a first attempt."""
    passed = jobs.filter((pl.col("outcome") == Outcome.PASSED.value) & (pl.col("run_attempt") == 1))["job_id"]
    struck = [job_id for job_id in passed if rng.random() < 1 / 400]
    reasons.update(dict.fromkeys(struck, "blip"))
    is_struck = pl.col("job_id").is_in(struck)
    return jobs.with_columns(
        pl.when(is_struck).then(pl.lit("failure")).otherwise("conclusion").alias("conclusion"),
        pl.when(is_struck).then(pl.lit(Outcome.FAILED.value)).otherwise("outcome").alias("outcome"),
        pl.when(is_struck).then(pl.lit("Download models")).otherwise("failed_step").alias("failed_step"),
    )


def _failure(
    job: dict[str, Any], told: dict[str, Any] | None, reasons: dict[int, str], rng: random.Random, *, logs: bool
) -> dict[str, Any]:
    """Why the log says that a job failed: rough, and the same for the same error."""
    reason = reasons[job["job_id"]]
    if not logs or (told is None and reason != "blip"):
        guess = "dependency" if reason == "outage" else "network" if reason == "blip" else "test"
        return {"job_id": job["job_id"], "cause": guess, "source": "steps", "context": [], "tests": []}
    owner = f"pull {job['line']}" if reason == "pull" else f"{reason} {job['job']}"
    cause = random.Random(f"cause {owner}").choice(_CAUSES[reason])
    line, fingerprint = f"{cause} of {owner}", f"{cause} {owner}"
    if rng.random() < 0.1:
        cause, line, fingerprint = "other", "##[error]Process completed with exit code 1.", "exit"
    elif cause == "test" and rng.random() < 1 / 7:
        line, fingerprint = "AssertionError: False is not true", f"same for all in {job['job']}"
    return {
        "job_id": job["job_id"], "cause": cause, "source": "log", "rule": "made up", "line_text": line,
        "line_number": 7, "context": [line], "test": None, "tests": [], "fingerprint": fingerprint,
        "observed_at": job["completed_at"],
    }  # fmt: skip


def _table(title: str, counts: Counts) -> list[str]:
    headings = " | ".join(verdict.value for verdict in Verdict)
    lines = [
        f"| {title}: planted | failed attempts | {headings} | right of the told |",
        "|---" * (len(Verdict) + 3) + "|",
    ]
    for reason in TRUTH:
        row = Counter({verdict: counts[reason, verdict] for verdict in Verdict})
        lines.append(_row(WORDS[reason], row, row[TRUTH[reason]]))
    total = Counter({verdict: sum(counts[reason, verdict] for reason in TRUTH) for verdict in Verdict})
    return [*lines, _row("**all**", total, sum(counts[reason, right] for reason, right in TRUTH.items()))]


def _row(words: str, row: Counter[Verdict], right: int) -> str:
    failures, told = sum(row.values()), sum(row.values()) - row[Verdict.UNKNOWN]
    cells = " | ".join(f"{row[verdict]:,}" for verdict in Verdict)
    share = f"{right / told:.1%}" if told else "–"
    return f"| {words} | {failures:,} | {cells} | {share} |"


if __name__ == "__main__":
    main()
