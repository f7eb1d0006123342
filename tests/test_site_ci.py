"""The first page of CI: its figures are those of the analyses, its links lead where they say."""

from __future__ import annotations

import json
import re
from typing import Final

import msgspec
import polars as pl

from tests.ci_sites import HOME, UNTIL, a_hostile_morning, a_morning, a_site, ci_files, ci_of
from tests.history_frames import HOUR, START, a_failure, a_history, a_job, a_run
from tests.html_pages import Page
from tests.site_samples import ADDRESSES
from trackside.ci.recent_failures import newest_failures
from trackside.ci.streaks import ALL_LINES, find_streaks
from trackside.report.ci_causes_report import causes_json
from trackside.report.ci_flaky_report import flaky_json
from trackside.report.ci_minutes_report import minutes_json
from trackside.report.ci_queue_report import queue_json
from trackside.report.ci_rates_report import rates_json
from trackside.report.ci_runners_report import runners_json
from trackside.report.ci_streaks_report import streaks_json
from trackside.site.ci_cards import ci_cards, default_success
from trackside.site.ci_failing import failing_table, fixed_table, groups_table
from trackside.site.ci_grid import Grid, workflow_grids
from trackside.site.ci_job_facts import JobPages
from trackside.site.ci_jobs import MOST_JOB_PAGES, Standing, ci_results, job_path
from trackside.site.ci_machines import buckets_table, queue_table, suspects_table
from trackside.site.ci_trends import category_trends, trends_table
from trackside.site.ci_unreliable import flaky_table
from trackside.site.facts import CiFacts
from trackside.site.home_cards import home_cards
from trackside.site.new_groups import new_groups, new_groups_card
from trackside.site.tables import Table

MORNING: Final = a_morning()
PATHS: Final = ci_results(MORNING).paths


def column(table: Table, key: str) -> list[object]:
    place = [one.key for one in table.columns].index(key)
    return [row[place].value for row in table.rows]


def urls(table: Table, key: str) -> list[str | None]:
    place = [one.key for one in table.columns].index(key)
    return [row[place].url for row in table.rows]


def texts(table: Table, key: str) -> list[str | None]:
    place = [one.key for one in table.columns].index(key)
    return [row[place].text for row in table.rows]


def grid_of(ci: CiFacts, workflow: str) -> Grid:
    return next(grid for grid in workflow_grids(ci, ci_results(ci)).grids if grid.workflow == workflow)


def cards_of(ci: CiFacts) -> dict[str, tuple[str, str]]:
    return {card.label: (card.value, card.basis) for card in ci_cards(ci, UNTIL)}


def test_a_workflow_that_fails_without_jobs_is_broken_and_has_a_grid_of_its_runs() -> None:
    runs = [a_run(number, "startup_failure", duration_s=None) for number in (1, 2)]
    ci = ci_of(a_history(runs))

    assert [run.cell.state for run in grid_of(ci, "PR Test").runs] == ["failed", "failed"]
    assert texts(failing_table(ci.streaks, ci.verdicts, {}, HOME), "job") == ["the workflow itself"]
    assert cards_of(ci)["Broken now"] == (
        "1", "1 workflow that failed without jobs; no job passed or failed on main, 2 runs, 2026-06-01"
    )  # fmt: skip


def test_the_cards_tell_what_the_analyses_found() -> None:
    cards = cards_of(MORNING)

    assert cards["Broken now"] == ("1", "of 5 jobs on main, 11 runs, 2026-06-01")
    assert cards["Flaky jobs"] == ("1", "1 not recovered; of 5 jobs")
    assert cards["New failure groups"] == (
        "unknown",
        "The window is too short to tell what is new: trackside sync --since 30d brings a longer one; "
        "of 2 groups of 4 failed attempts of jobs.",
    )
    assert cards["Success rate"] == ("72.7 %", "8 of 11 runs of main; 95 % 43.4–90.3 %")
    assert cards["Jobs known"] == ("100.0 %", "jobs of 13 of 13 run attempts; logs of 4 of 4 failed attempts")


def test_the_queue_card_is_over_all_pools_and_names_the_slowest() -> None:
    waited = MORNING.history.jobs.filter(pl.col("outcome") != "skipped")["queue_s"]
    value, basis = cards_of(MORNING)["Queue p90"]

    slowest = MORNING.waiting.pools[0]
    assert value == f"{(waited.quantile(0.9, 'linear') or 0) / 60:.1f} min"
    assert basis == f"p50 30 s of {len(waited)} jobs; slowest pool {slowest.pool}: {(slowest.p90_s or 0) / 60:.1f} min"


def test_no_decided_run_is_no_success_rate() -> None:
    found = default_success(a_history([a_run(1, "cancelled")]))

    assert (found.decided, found.rate) == (0, None)
    assert cards_of(ci_of(a_history([a_run(1, "cancelled")])))["Success rate"][0] == "unknown"


def test_jobs_that_were_only_cancelled_leave_broken_and_flaky_unknown() -> None:
    run = a_run(1, "cancelled")
    cards = cards_of(ci_of(a_history([run], [a_job(run, "build", "cancelled")])))

    assert cards["Broken now"] == (
        "unknown", "No job passed or failed on the default branch in the window: run trackside sync."
    )  # fmt: skip
    assert cards["Flaky jobs"] == ("unknown", "no job passed or failed in the window")


def test_run_attempts_whose_jobs_are_not_known_are_told_and_never_as_all() -> None:
    history = a_history([a_run(number) for number in range(2_000)])
    cards = cards_of(ci_of(msgspec.structs.replace(history, unread=1)))

    assert cards["Jobs known"] == ("99.9 %", "jobs of 1,999 of 2,000 run attempts")


def test_new_groups_are_counted_since_the_last_report() -> None:
    failures = MORNING.history.failures.to_dicts()
    runs, jobs = MORNING.history.runs.to_dicts(), MORNING.history.jobs.to_dicts()
    ci = ci_of(a_history(runs, jobs, failures=failures), last_report_at=START.replace(hour=14))
    table = groups_table(ci.groups, new_groups(ci, UNTIL), HOME)

    assert cards_of(ci)["New failure groups"] == (
        "1", "of 2 groups of 4 failed attempts of jobs; not known to the report of 2026-06-01 14:00 UTC"
    )  # fmt: skip
    assert column(table, "new") == ["new", "known"]
    assert column(table, "fingerprint") == ["b" * 16, "f" * 16]


def a_week_with_a_new_error() -> CiFacts:
    """A run a day for eight days with an old error in the first two, and a new one in the last; no report before."""
    day = 24 * HOUR
    runs = [a_run(number, "failure", created_at=START + number * day) for number in range(8)]
    jobs = [a_job(run, "build", "failure", completed_at=run["created_at"] + HOUR) for run in runs]
    names = {0: "a", 1: "a", 7: "b"}
    failures = [a_failure(jobs[place], "build", fingerprint=name * 16) for place, name in names.items()]
    return ci_of(a_history(runs, jobs, failures=failures))


def test_home_and_ci_say_the_same_of_new_groups_and_of_what_is_broken() -> None:
    for ci in (a_week_with_a_new_error(), MORNING, ci_of(a_history([]))):
        until = START + 8 * 24 * HOUR
        site = msgspec.structs.replace(a_site(ci), until=until)
        here = {card.label: (card.value, card.basis, card.tone) for card in ci_cards(ci, until)}
        home = {card.label: (card.value, card.basis, card.tone) for card in home_cards(site)}
        for label in ("New failure groups", "Broken now"):
            assert here[label] == home[label], label


def test_what_the_window_shows_first_at_its_end_is_marked_new_where_no_report_was_made_before() -> None:
    ci, until = a_week_with_a_new_error(), START + 8 * 24 * HOUR
    table = groups_table(ci.groups, new_groups(ci, until), HOME)

    assert ci.groups.last_report_at is None
    assert column(table, "new") == ["new", "known"]
    assert column(table, "fingerprint") == ["b" * 16, "a" * 16]
    assert table.caption == "Failure groups, new ones first"
    found = ci_results(ci)
    page = JobPages(ci, found, until).page(found.jobs[0])
    assert {one.fingerprint: one.is_new for one in page.errors if one.fingerprint} == {"b" * 16: True, "a" * 16: False}


def test_groups_have_no_mark_where_it_cannot_be_told_whether_they_are_new() -> None:
    table = groups_table(MORNING.groups, new_groups(MORNING, UNTIL), HOME)

    assert "new" not in [one.key for one in table.columns]
    assert table.caption == "Failure groups, the most failures first"


def test_logs_that_nobody_read_leave_it_unknown_what_is_new() -> None:
    run = a_run(1, "failure")
    ci = ci_of(a_history([run], [a_job(run, "build", "failure")]), last_report_at=START)

    assert cards_of(ci)["New failure groups"] == (
        "unknown", "No log of 1 failed attempt of jobs was read: trackside sync --logs failed downloads them."
    )  # fmt: skip


def test_nothing_new_among_logs_of_which_some_were_not_read_is_not_called_good() -> None:
    ci = a_week_with_a_new_error()
    card = new_groups_card(new_groups(ci, START + 30 * 24 * HOUR), "#groups")

    assert (card.value, card.tone) == ("0", "")
    assert card.basis.startswith("of 2 groups of 8 failed attempts of jobs, 5 without a log; first seen in the 24 h")


def test_failing_jobs_stand_with_their_streak_last_success_cause_and_verdict() -> None:
    table = failing_table(MORNING.streaks, MORNING.verdicts, PATHS, HOME)
    (streak,) = MORNING.streaks.broken

    assert column(table, "job") == ["build"]
    assert urls(table, "job") == [job_path(("PR Test", "build"))]
    assert column(table, "failed") == [streak.failed_runs] == [3]
    assert texts(table, "since") == ["2026-06-01 16:00"]
    assert urls(table, "since") == [f"{HOME}/actions/runs/1008"]
    assert texts(table, "good") == ["2026-06-01 15:00"]
    assert urls(table, "commit") == [streak.range.compare_url]
    assert column(table, "cause") == ["build"]
    assert texts(table, "verdict") == ["code of the default branch"]
    assert urls(table, "newest") == [streak.last_bad.url]


def test_single_failures_that_passed_since_are_counted_not_listed_as_fixed() -> None:
    conclusions = ["failure", "failure", "success", "failure", "success"]
    runs = [a_run(number) for number in range(len(conclusions))]
    once = [a_job(run, "once", one) for run, one in zip(runs[2:], conclusions[2:], strict=True)]
    twice = [a_job(run, "twice", one) for run, one in zip(runs[:3], conclusions[:3], strict=True)]
    table = fixed_table(find_streaks(a_history(runs, [*once, *twice])), {}, HOME)

    assert column(table, "job") == ["twice"]
    assert table.left_out == 1


def test_flaky_jobs_stand_with_their_rate_and_the_newest_proof() -> None:
    table = flaky_table(MORNING.flaky, PATHS)
    (flaky,) = MORNING.flaky.jobs

    assert column(table, "job") == ["unit (1)"]
    assert urls(table, "job") == [job_path(("PR Test", "unit"))]
    assert flaky.rate == 0.1
    assert (column(table, "rate"), texts(table, "rate")) == ([10.0], ["10.0"])
    assert texts(table, "rate-interval") == ["1.8–40.4 %"]
    assert urls(table, "failed") == [flaky.examples[0].failed.url]
    assert urls(table, "passed") == [flaky.examples[0].passed.url]


def test_waiting_times_are_those_of_the_analysis_in_minutes() -> None:
    table = queue_table(MORNING.waiting)

    assert column(table, "pool") == [pool.pool or "(not told)" for pool in MORNING.waiting.pools]
    assert column(table, "p90") == [round((pool.p90_s or 0) / 60, 1) for pool in MORNING.waiting.pools]
    assert sum(map(int, map(str, column(buckets_table(MORNING.waiting), "jobs")))) == MORNING.waiting.jobs


def test_runners_on_which_failures_concentrate_are_named_with_the_figures_that_say_so() -> None:
    runs = [a_run(number) for number in range(60)]
    jobs = [
        a_job(run, "unit", "failure" if run["run_number"] % 3 == 0 else "success",
              runner_name=f"gpu-{run['run_number'] % 3}", runner_group="own")
        for run in runs
    ]  # fmt: skip
    ci = ci_of(a_history(runs, jobs))
    table = suspects_table(ci.runners)
    (bad,) = ci.runners.bad

    assert column(table, "name") == [bad.name] == ["gpu-0"]
    assert column(table, "failed") == [bad.compared_failures]
    assert column(table, "expected") == [round(bad.expected or 0, 1)]
    assert column(table, "q") == [bad.q]
    assert urls(table, "examples") == [bad.examples[0]]


def test_categories_count_each_result_once_in_the_part_of_the_window_it_is_of() -> None:
    trends = category_trends(ci_results(MORNING))
    table = trends_table(trends)
    told = {one.category: (one.failed, one.results) for one in trends.categories}

    assert told == {"build": (3, 10), "unit": (0, 20), "(no category)": (0, 2)}
    assert column(table, "category") == ["build", "unit", "(no category)"]
    for one in trends.categories:
        assert sum(part.all for part in one.parts) == one.results
        assert sum(part.bad for part in one.parts) == one.failed
        assert len(one.parts) == len(trends.starts)


def test_a_window_of_a_year_has_few_parts() -> None:
    runs = [a_run(number * 24) for number in range(365)]
    trends = category_trends(ci_results(ci_of(a_history(runs, [a_job(run, "unit") for run in runs]))))

    assert trends.hours == 24 * 7
    assert len(trends.starts) == 53


def test_all_jobs_stand_with_how_they_stand_the_worst_first() -> None:
    jobs = ci_results(MORNING).jobs

    assert [(job.family, job.standing, job.failed, job.results) for job in jobs] == [
        ("build", Standing.BROKEN, 3, 10),
        ("unit", Standing.FLAKY, 0, 20),
        ("lint", Standing.PASSED, 0, 1),
        ("old", Standing.PASSED, 0, 1),
    ]
    assert (jobs[1].shards, jobs[1].attempts, jobs[1].p50_s) == (2, 22, 450.0)


def test_how_a_job_stands_is_told_by_the_default_branch_alone() -> None:
    on_main, pull = a_run(1), a_run(2, branch="alice/change")
    ends = {"build": "failure", "docs": "success", "only-there": "failure"}
    jobs = [a_job(pull, name, end) for name, end in ends.items()]
    jobs += [a_job(on_main, "build"), a_job(on_main, "docs", "cancelled")]
    found = {job.family: job for job in ci_results(ci_of(a_history([on_main, pull], jobs))).jobs}

    assert {name: job.standing for name, job in found.items()} == {
        "build": Standing.PASSED,
        "docs": Standing.UNDECIDED,
        "only-there": Standing.ELSEWHERE,
    }
    assert (found["build"].failed, found["build"].results) == (1, 2)


def test_a_job_that_failed_on_the_default_branch_when_it_was_there_last_is_gone() -> None:
    runs = [a_run(number) for number in range(1, 9)]
    jobs = [a_job(run, "unit") for run in runs] + [a_job(runs[0], "old", "failure"), a_job(runs[1], "old", "failure")]
    ci = ci_of(a_history(runs, jobs))

    assert [one.job for one in ci.streaks.gone] == ["old"]
    assert [(job.family, job.standing) for job in ci_results(ci).jobs] == [
        ("old", Standing.GONE),
        ("unit", Standing.PASSED),
    ]


def test_no_more_jobs_have_a_page_than_a_site_holds_and_the_others_have_no_link() -> None:
    run = a_run(1)
    jobs = [
        a_job(run, f"job {chr(97 + place % 26)}{place // 26}-x", job_id=place) for place in range(MOST_JOB_PAGES + 5)
    ]
    found = ci_results(ci_of(a_history([run], jobs)))

    assert len(found.jobs) == MOST_JOB_PAGES + 5
    assert len(found.paths) == len(set(found.paths.values())) == MOST_JOB_PAGES
    assert all(job.path is None for job in found.jobs[MOST_JOB_PAGES:])


def test_ignored_jobs_are_in_no_grid_and_have_no_page() -> None:
    run = a_run(1)
    ci = ci_of(a_history([run], [a_job(run, "unit"), a_job(run, "gate", is_ignored=True)]))

    assert [job.family for job in ci_results(ci).jobs] == ["unit"]
    assert [row.name for row in grid_of(ci, "PR Test").rows] == ["unit"]


def page_of(ci: CiFacts | None) -> str:
    return ci_files(a_site(ci))["ci.html"].decode()


def test_files_of_data_are_what_the_commands_print() -> None:
    files = ci_files(a_site(MORNING))
    repo, span = "octo/engine", MORNING.span
    documents = {
        "streaks": streaks_json(MORNING.streaks),
        "flaky": flaky_json(MORNING.flaky),
        "causes": causes_json(repo, MORNING.verdicts, MORNING.groups),
        "rates": rates_json(MORNING.rates),
        "queue": queue_json(repo, span, MORNING.waiting, UNTIL),
        "runners": runners_json(repo, span, MORNING.runners),
        "minutes": minutes_json(repo, span, MORNING.minutes),
    }

    for name, document in documents.items():
        assert json.loads(files[f"data/ci-{name}.json"]) == json.loads(document), name


def test_equal_facts_make_equal_bytes() -> None:
    assert ci_files(a_site(a_morning())) == ci_files(a_site(a_morning()))


def test_every_link_within_the_site_leads_to_a_file_and_a_place_that_are_there() -> None:
    files = ci_files(a_site(MORNING))
    sections = {"index.html", "performance.html", "benchmarks.html", "agentops.html", "health.html"}
    pages = {name: Page(content.decode()) for name, content in files.items() if name.endswith(".html")}
    ids = {name: {attrs.get("id") for _, attrs in page.tags} for name, page in pages.items()}
    for name, page in pages.items():
        links = [attrs["href"] or "" for tag, attrs in page.tags if tag in ("a", "link") and "href" in attrs]
        for link in links:
            if link.startswith(("https://github.com/octo/engine/", "data:")):
                continue
            path, _, anchor = link.partition("#")
            above = name.split("/")[:-1]
            for part in path.partition("?")[0].split("/"):
                above = above[:-1] if part == ".." else [*above, part] if part else above
            target = "/".join(above) if path else name
            assert target in files or target in sections, (name, link)
            if anchor and target in ids:
                assert anchor in ids[target], (name, link)


def test_attacks_in_names_make_no_element_and_no_link_elsewhere() -> None:
    files = ci_files(a_site(a_hostile_morning()))
    pages = [content.decode() for name, content in files.items() if name.endswith(".html")]
    assert len(pages) == 2
    for text in pages:
        page = Page(text)
        for tag, attrs in page.tags:
            assert not any(name.startswith("on") for name in attrs), attrs
            assert tag not in ("img", "iframe", "object", "embed", "base"), tag
            if tag == "script" and attrs.get("type") != "application/json":
                assert (attrs.get("src") or "").lstrip("./").startswith("assets/")
            if tag == "a":
                href = attrs.get("href") or ""
                assert href not in ADDRESSES[:-1], href
                assert ":" not in href or href.startswith(HOME.removesuffix("/octo/engine")), href
        assert "<svg/onload" not in text
        assert "\u202e" not in page.text
        assert not any("\u202e" in (value or "") for _, attrs in page.tags for value in attrs.values())
        assert "window.pwned" in page.text


def test_an_empty_window_says_what_to_run() -> None:
    text = Page(page_of(None)).text

    assert "No run is in the window. Run trackside sync --since 30d" in text
    assert ci_files(a_site(None)).keys() & {"data/ci-streaks.json"} == set()


def test_runs_without_failures_say_that_all_is_well() -> None:
    runs = [a_run(number) for number in range(3)]
    text = Page(page_of(ci_of(a_history(runs, [a_job(run, "unit") for run in runs])))).text

    assert "Nothing is broken on main: the newest result of each of 1 job is a success." in text
    assert "No job failed in the window." in text
    assert "No flaky job: 3 results of 1 job, none attempted more than once." in text
    assert "No runner and no pool stands out" in text


def test_failures_without_a_log_say_how_logs_are_read() -> None:
    run = a_run(1, "failure")
    job = a_job(run, "unit", "failure")
    guess = a_failure(job, "other", source="steps", line_text=None, fingerprint=None, test=None, tests=[], context=[])
    ci = ci_of(a_history([run], [job], failures=[guess]))

    assert "trackside site build --sync --logs failed reads them" in Page(page_of(ci)).text


def test_an_unknown_default_branch_is_told_with_what_to_set() -> None:
    run = a_run(1, is_default_line=False)
    ci = ci_of(a_history([run], [a_job(run, "unit", is_default_line=False)], default_branch=None))
    text = Page(page_of(ci)).text

    assert "The default branch of the repository is not known. Set default_branch under [ci]" in text
    assert cards_of(ci)["Broken now"] == (
        "unknown", "The default branch is not known: set default_branch under [ci] in trackside.toml."
    )  # fmt: skip


def test_runs_without_jobs_make_a_page() -> None:
    text = Page(page_of(ci_of(a_history([a_run(1), a_run(2, None)])))).text

    assert "No run of main with jobs is in the window" in text
    assert "No job is known in the window." in text


def test_verdicts_of_the_newest_runs_alone_are_told_as_such() -> None:
    _, looked_at = newest_failures(MORNING.history, most=1)
    text = Page(page_of(msgspec.structs.replace(MORNING, looked_at=looked_at))).text

    assert f"are of the newest {looked_at.runs} of 12 runs" in text
    assert "of 4 failed attempts" in text


def test_a_page_tells_nothing_of_the_time_of_its_building() -> None:
    text = page_of(MORNING)

    assert set(re.findall(r"20\d\d-\d\d-\d\d", text)) <= {"2026-06-01", "2026-06-02"}


def test_the_branch_line_is_a_column_only_where_all_lines_were_asked_for() -> None:
    runs = [a_run(1), a_run(2, branch="alice/x")]
    history = a_history(runs, [a_job(run, "unit", "failure") for run in runs])
    one, every = (failing_table(find_streaks(history, line), MORNING.verdicts, {}, HOME) for line in (None, ALL_LINES))

    assert "line" not in [each.key for each in one.columns]
    assert column(every, "line") == ["main", "alice/x"]
