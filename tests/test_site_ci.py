"""The first page of CI: its figures are those of the analyses, its links lead where they say."""

from __future__ import annotations

import json
import re
from typing import Final

import msgspec

from tests.ci_sites import HOME, UNTIL, a_hostile_morning, a_morning, a_site, ci_files, ci_of
from tests.history_frames import a_failure, a_history, a_job, a_run
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
from trackside.site.ci_cards import ci_cards
from trackside.site.ci_failing import failing_table, fixed_table
from trackside.site.ci_grid import Grid, workflow_grids
from trackside.site.ci_jobs import MOST_JOB_PAGES, Standing, ci_results, job_path
from trackside.site.ci_machines import buckets_table, queue_table, suspects_table
from trackside.site.ci_trends import category_trends, trends_table
from trackside.site.ci_unreliable import flaky_table
from trackside.site.facts import CiFacts
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

    assert column(table, "pool") == [pool.pool or "(unknown)" for pool in MORNING.waiting.pools]
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
