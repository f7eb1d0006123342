"""The pages of CI for tests: facts of literal histories, and the files of their pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from tests.history_frames import HOUR, START, a_failure, a_history, a_job, a_run
from tests.perf_pages import HOSTILE
from tests.site_samples import ADDRESSES
from trackside.agents.frames import STEP_COLUMNS
from trackside.ci.flakiness import find_flaky
from trackside.ci.groups import group_failures
from trackside.ci.minutes import runner_minutes
from trackside.ci.queueing import waiting_times
from trackside.ci.rate_changes import find_rate_changes
from trackside.ci.results import span_of
from trackside.ci.runners import judge_runners
from trackside.ci.streaks import find_streaks
from trackside.ci.verdicts import judge_failures
from trackside.history.frames import History, empty_frame
from trackside.site.ci_pages import ci_data, ci_pages
from trackside.site.facts import CiFacts, SiteFacts
from trackside.site.pages import SCRIPTS, STYLES, asset, render

HOME: Final = "https://github.com/octo/engine"
UNTIL: Final = START + 20 * HOUR
Row = Mapping[str, Any]


def ci_of(history: History, steps: Iterable[Row] = (), last_report_at: dt.datetime | None = None) -> CiFacts:
    """What the analyses find in a history."""
    flaky = find_flaky(history)
    rows = [dict(step) for step in steps]
    return CiFacts(
        history=history,
        span=span_of(history),
        streaks=find_streaks(history),
        flaky=flaky,
        verdicts=judge_failures(history),
        groups=group_failures(history, last_report_at=last_report_at),
        waiting=waiting_times(history, UNTIL),
        runners=judge_runners(history),
        rates=find_rate_changes(history),
        minutes=runner_minutes(history, flaky.job_ids),
        steps=pl.DataFrame(rows, schema=STEP_COLUMNS) if rows else empty_frame(STEP_COLUMNS),
    )


def a_site(ci: CiFacts | None) -> SiteFacts:
    """A site with nothing but CI; without that, where it is None."""
    return SiteFacts(repo="octo/engine", home=HOME, since=START, until=UNTIL, ci=ci, version="1.0")


def ci_files(facts: SiteFacts) -> dict[str, bytes]:
    """The files of CI alone, by path: pages, data, and the scripts and styles that the pages name."""
    pages = list(ci_pages(facts))
    names = {*STYLES, *SCRIPTS, *(name for page in pages for name in (*page.styles, *page.scripts))}
    return {
        **{page.path: render(page, facts).encode() for page in pages},
        **{f"data/{name}": content for name, content in ci_data(facts)},
        **{f"assets/{name}": asset(name) for name in names},
    }


def write_site(facts: SiteFacts, folder: Path) -> Path:
    """Writes the files of CI; returns the first page."""
    for name, content in ci_files(facts).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / "ci.html"


def a_step(job: Row, number: int, name: str, conclusion: str | None = "success", **told: Any) -> dict[str, Any]:
    """A step of ``job`` of a minute, ``number`` minutes after the job began."""
    began = job["started_at"] + dt.timedelta(minutes=number - 1)
    row = {
        **{key: job[key] for key in ("job_id", "run_id", "run_attempt", "workflow", "job")},
        "number": number,
        "step": name,
        "status": "completed",
        "conclusion": conclusion,
        "started_at": began,
        "completed_at": began + dt.timedelta(minutes=1),
        "duration_s": 60.0,
    }
    return {**row, **told}


def a_morning() -> CiFacts:
    """Ten runs on main and one of a pull request.

    ``build`` fails in the last three; ``unit (1)`` failed in run 4 and passed when it was tried again; ``unit (0)``
    always passes; ``lint`` is of another workflow, and ``old`` was in the first run only.
    """
    runs, jobs, failures = [], [], []
    for number in range(1, 11):
        bad = number >= 8
        run = a_run(number, "failure" if bad else "success", is_latest=number != 4)
        runs.append(run)
        build = a_job(run, "build", "failure" if bad else "success", category="build", queue_s=60.0 * number)
        jobs += [build, a_job(run, "unit (0)", category="unit", duration_s=300.0)]
        jobs.append(
            a_job(run, "unit (1)", "failure" if number == 4 else "success", category="unit", is_latest=number != 4)
        )
        if bad:
            failures.append(a_failure(build, "build", line_text="nvcc fatal: no such file", fingerprint="b" * 16))
        if number == 1:
            jobs.append(a_job(run, "old", pool="cpu"))
        if number == 4:
            failures.append(a_failure(jobs[-1], "test", fingerprint="f" * 16))
            again = a_run(number, run_attempt=2)
            runs.append(again)
            jobs.append(a_job(again, "unit (1)", category="unit"))
    lint = a_run(11, workflow="Lint", workflow_file=".github/workflows/lint.yml")
    pull = a_run(12, branch="alice/change", pull_number=7)
    runs += [lint, pull]
    jobs += [a_job(lint, "lint", runner_name=None, pool=None), a_job(pull, "unit (0)", "cancelled", category="unit")]
    newest = next(job for job in jobs if job["run_number"] == 10 and job["job"] == "build")
    sound = next(job for job in jobs if job["run_number"] == 10 and job["job"] == "unit (0)")
    steps = [
        a_step(newest, 1, "Set up job"),
        a_step(newest, 5, "Run tests", "failure"),
        a_step(newest, 6, "Clean up", "skipped", started_at=None, completed_at=None, duration_s=None),
        a_step(sound, 1, "Set up job"),
    ]
    return ci_of(a_history(runs, jobs, failures=failures, logs={"ready": 4}), steps)


def a_hostile_morning() -> CiFacts:
    """The same in small, with an attack in every text and every address elsewhere."""
    runs, jobs, failures, steps = [], [], [], []
    texts = dict.fromkeys(("workflow", "title", "author", "actor", "event"), HOSTILE)
    for number in range(1, 7):
        bad, url = number >= 4, ADDRESSES[number % len(ADDRESSES)]
        run = a_run(number, "failure" if bad else "success", url=url, sha=HOSTILE, pull_number=7, pull_url=url, **texts)
        attempt = 1 if number != 5 else 2
        own = {"job": HOSTILE, "category": HOSTILE, "runner_name": HOSTILE, "pool": HOSTILE, "url": url}
        shown = {"failed_step": HOSTILE, "conclusion": "failure" if bad else "success"}
        job = {**a_job(run, f"{HOSTILE} ({number % 2})", **own), **shown, "run_attempt": attempt}
        job["outcome"] = "failed" if bad else "passed"
        runs.append(run)
        jobs.append(job)
        steps.append(a_step(job, 1, HOSTILE, HOSTILE))
        if bad:
            told = dict.fromkeys(("line_text", "test", "fingerprint", "rule"), HOSTILE)
            failures.append(a_failure(job, context=[HOSTILE, HOSTILE], tests=[HOSTILE], **told))
    return ci_of(a_history(runs, jobs, failures=failures), steps, last_report_at=START)
