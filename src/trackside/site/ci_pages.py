"""The pages of CI: the first one, and one for each job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

import msgspec

from trackside.ci.rate_changes import RateChanges
from trackside.report.ci_causes_report import ungrouped_notes, verdict_notes
from trackside.report.ledger import counted
from trackside.site.addresses import commit_url
from trackside.site.ci_cards import ci_cards, job_cards
from trackside.site.ci_data import ci_data
from trackside.site.ci_failing import failing_table, fixed_table, groups_table, lines_table
from trackside.site.ci_grid import GRID_RUNS, workflow_grids
from trackside.site.ci_job_facts import JobPage, JobPages
from trackside.site.ci_job_tables import attempts_table, runners_of_job_table, verdicts_table
from trackside.site.ci_jobs import MOST_JOB_PAGES, CiJob, CiResults, ci_results
from trackside.site.ci_jobs_table import jobs_table
from trackside.site.ci_machines import (
    UNKNOWN_POOL,
    buckets_table,
    evidence_table,
    job_minutes_table,
    pools_table,
    queue_table,
    runners_table,
    suspects_table,
    workflow_minutes_table,
)
from trackside.site.ci_pictures import queue_chart
from trackside.site.ci_trends import category_trends, parts_table, trends_table
from trackside.site.ci_unreliable import events_table, flaky_table, outages_table, rates_table, tests_table
from trackside.site.facts import CiFacts, SiteFacts
from trackside.site.new_groups import new_groups
from trackside.site.pages import NAMES, Page, Section
from trackside.site.run_words import run_label
from trackside.site.shares import interval

_STYLES: Final = ("ci.css",)
_SCRIPTS: Final = ("ci.js",)
_MOST_EVENTS: Final = 30
_MOST_QUEUES: Final = 6


def ci_pages(facts: SiteFacts) -> Iterator[Page]:
    """The first page of this part, and those below it."""
    if facts.ci is None:
        yield _page(Section.CI.value, "ci_none.html.j2", NAMES[Section.CI], {})
        return
    found = ci_results(facts.ci)
    yield _page(Section.CI.value, "ci.html.j2", NAMES[Section.CI], _values(facts, facts.ci, found))
    pages = JobPages(facts.ci, found, facts.until)
    for job in found.jobs:
        if job.path is not None:
            yield _job_page(facts, job.path, pages.page(job))


def _page(path: str, template: str, title: str, values: Mapping[str, Any]) -> Page:
    return Page(
        path=path,
        template=template,
        title=title,
        section=Section.CI,
        values=values,
        styles=_STYLES,
        scripts=_SCRIPTS,
    )


def _values(facts: SiteFacts, ci: CiFacts, found: CiResults) -> dict[str, Any]:
    names = ci.history.jobs.select("workflow", "job", "family").unique().rows()
    families = {(workflow, job): (workflow, family) for workflow, job, family in names}
    trends, new = category_trends(found), new_groups(ci, facts.until)
    return {
        "cards": ci_cards(ci, facts.until),
        "grids": workflow_grids(ci, found),
        "grid_runs": GRID_RUNS,
        "line": ci.streaks.default_branch,
        "failing": failing_table(ci.streaks, ci.verdicts, found.paths, facts.home),
        "fixed": fixed_table(ci.streaks, found.paths, facts.home),
        "other_lines": lines_table(ci.streaks.other_lines),
        "flaky": flaky_table(ci.flaky, found.paths),
        "tests": tests_table(ci.flaky.tests),
        "outages": outages_table(ci.flaky.outages),
        "not_flakes": ci.flaky.not_flakes,
        "groups": groups_table(ci.groups, new, facts.home),
        "new": new,
        "group_notes": tuple(ungrouped_notes(ci.groups)),
        "verdict_notes": tuple(verdict_notes(ci.verdicts)),
        "looked_at": ci.looked_at,
        "rates": rates_table(ci.rates, families, found.paths),
        "rates_note": _rates_note(ci.rates),
        "waiting": ci.waiting,
        "queue": queue_table(ci.waiting),
        "queue_time": buckets_table(ci.waiting),
        "queue_charts": _queue_charts(ci),
        "suspects": suspects_table(ci.runners),
        "suspect_jobs": evidence_table(ci.runners, families, found.paths),
        "runners": runners_table(ci.runners),
        "pools": pools_table(ci.runners),
        "runner_report": ci.runners,
        "trends": trends_table(trends),
        "parts": parts_table(trends),
        "trend_hours": trends.hours,
        "minutes": ci.minutes,
        "workflow_minutes": workflow_minutes_table(ci.minutes),
        "job_minutes": job_minutes_table(ci.minutes, found.paths),
        "jobs": jobs_table(found),
        "most_pages": MOST_JOB_PAGES,
        "counted": counted,
    }


def _rates_note(rates: RateChanges) -> str:
    if rates.split_at is None:
        return ""
    return f"Runs from {rates.split_at:%Y-%m-%d %H:%M} UTC on beside those before it."


def _queue_charts(ci: CiFacts) -> tuple[tuple[str, Any, str], ...]:
    """The slowest pools over time, as (pool, picture, the same in words)."""
    shown: list[tuple[str, Any, str]] = []
    for pool in ci.waiting.pools:
        if len(pool.buckets) > 1 and len(shown) < _MOST_QUEUES:
            name = pool.pool or UNKNOWN_POOL
            picture = queue_chart(pool.buckets, ci.waiting.bucket_s, f"Waiting time of {name} over time, p50 and p90")
            shown.append((name, picture, counted(pool.jobs, "job")))
    return tuple(shown)


def _job_page(facts: SiteFacts, path: str, page: JobPage) -> Page:
    job: CiJob = page.job
    values = {
        "told": page,
        "job": job,
        "cards": tuple(job_cards(page)),
        "attempts": attempts_table(page, facts.home),
        "verdicts": verdicts_table(page),
        "events": events_table(page.events, _MOST_EVENTS, page.events_left_out),
        "runners": runners_of_job_table(page),
        "counted": counted,
        "commit": partial(commit_url, facts.home),
        "run_label": run_label,
        "interval": interval,
    }
    trail = ((NAMES[Section.CI], Section.CI.value),)
    page_of_job = _page(path, "ci_job.html.j2", job.family, values)
    return msgspec.structs.replace(page_of_job, trail=trail, newest=page.newest_at)


__all__ = ["ci_data", "ci_pages"]
