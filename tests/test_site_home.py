"""The first page: the answer is honest, each figure says of what it is, and nothing known is never fine."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import msgspec
import pytest

from tests.bench_sites import bench_run
from tests.ci_sites import HOME, UNTIL, ci_of
from tests.ci_sites import a_site as a_ci_site
from tests.history_frames import HOUR, START, a_failure, a_history, a_job, a_run
from tests.home_sites import (
    NOTHING,
    a_hostile_site,
    a_ledger,
    a_site,
    a_summary,
    an_alert,
    pages_of,
    sick_health,
    some_agents,
    some_speed,
    sound_health,
)
from tests.html_pages import Page
from tests.perf_pages import HOSTILE, a_busy_repository
from tests.perf_sites import speed_of
from trackside.perf.change_records import Machines, Verdict
from trackside.perf.states import ChangeStates, PastChange
from trackside.records.alerts import AlertState
from trackside.records.perf_rules import ChangeState, KnownChange
from trackside.records.sync_health import SyncHealth
from trackside.site.ci_failing import failing_table
from trackside.site.ci_headlines import broken_card
from trackside.site.ci_pages import ci_pages
from trackside.site.facts import BenchReport, CiFacts, HealthFacts, SiteFacts
from trackside.site.home_cards import home_cards
from trackside.site.home_status import Answer, status_of
from trackside.site.home_tables import benches_table, broken_table, regressions_table
from trackside.site.new_groups import new_groups
from trackside.site.open_regressions import open_regressions
from trackside.site.pages import render
from trackside.site.perf_figures import headline
from trackside.site.perf_order import watched_series

DAY = dt.timedelta(days=1)


def home_of(facts: SiteFacts) -> Page:
    return Page(pages_of(facts)["index.html"])


def card_of(facts: SiteFacts, label: str) -> tuple[str, str]:
    """The figure and what it is of."""
    [card] = [one for one in home_cards(facts) if one.label == label]
    return card.value, card.basis


def a_week(broken: bool = False, new_error: bool = False) -> CiFacts:
    """A run a day on main for eight days; ``new_error`` fails once on a branch at the end."""
    runs = [a_run(number, created_at=START + number * DAY, sha=f"{number:040x}") for number in range(8)]
    jobs = [a_job(run, "build", "failure" if broken and run is runs[-1] else "success") for run in runs]
    ended = "failure" if new_error else "success"
    late = a_run(9, ended, branch="alice/x", created_at=START + 7 * DAY + HOUR)
    failed = a_job(late, "build", ended, completed_at=START + 7 * DAY + 2 * HOUR)
    failures = [a_failure(failed, "build", line_text="no such file", fingerprint="a" * 16)] if new_error else []
    return ci_of(a_history([*runs, late], [*jobs, failed], failures=failures, logs={"ready": 1}))


def a_fine_site() -> SiteFacts:
    """A site of which everything is known, and well."""
    steady = some_speed()
    states = msgspec.structs.replace(steady.states.found, changes=())
    speed = msgspec.structs.replace(
        steady,
        states=msgspec.structs.replace(steady.states, found=states),
        silence=msgspec.structs.replace(steady.silence, series=(), jobs=()),
    )
    return a_site(ci=a_week(), speed=speed, agents=some_agents(failures=0), until=START + 8 * DAY)


def test_nothing_known_is_unknown_and_not_fine_and_says_what_to_do() -> None:
    status = status_of(NOTHING)
    assert status.answer is Answer.UNKNOWN
    assert status.unknown == ("CI", "performance", "agents", "how the collection goes")
    page = home_of(NOTHING)
    assert "Unknown" in page.text
    assert "Fine" not in page.text.split("Broken now")[0]
    assert page.text.count("unknown") >= 5
    for command in ("trackside sync", "trackside sync --logs perf", "srtlog parse FOLDER --register"):
        assert command in page.text


def test_all_known_and_well_is_fine_and_says_of_what() -> None:
    status = status_of(a_fine_site())
    assert (status.answer, status.bad, status.look, status.unknown) == (Answer.FINE, (), (), ())
    assert status.fine[0] == "the newest result of each of 1 job on main is a success"
    assert "✓ Fine: the newest result of each of 1 job on main is a success" in home_of(a_fine_site()).text


@pytest.mark.parametrize("part", ["ci", "speed", "agents", "health"])
def test_one_part_that_is_not_known_is_named_and_keeps_the_answer_from_fine(part: str) -> None:
    status = status_of(msgspec.structs.replace(a_fine_site(), **{part: None}))
    assert status.answer is Answer.PARTLY
    assert len(status.unknown) == 1
    assert f"Not known: {status.unknown[0]}" in home_of(msgspec.structs.replace(a_fine_site(), **{part: None})).text


def test_a_broken_job_an_open_regression_and_an_alert_are_each_not_fine() -> None:
    fine = a_fine_site()
    broken = msgspec.structs.replace(fine, ci=a_week(broken=True))
    assert status_of(broken).bad == ("1 job is broken on main",)
    slower = msgspec.structs.replace(fine, speed=some_speed())
    confirmed = open_regressions(some_speed()).confirmed
    assert [words for words in status_of(slower).bad if words.startswith(f"{confirmed} regression")]
    alert = msgspec.structs.replace(sound_health(), alerts=(an_alert(state=AlertState.ON),))
    assert status_of(msgspec.structs.replace(fine, health=alert)).bad == ("1 alert on the collection is on",)
    for facts in (broken, slower, msgspec.structs.replace(fine, health=alert)):
        assert status_of(facts).answer is Answer.BAD
        assert "✗ Not fine" in home_of(facts).text


def test_a_workflow_that_fails_without_jobs_is_no_broken_job() -> None:
    runs = [a_run(1), a_run(2, "startup_failure")]
    ci = ci_of(a_history(runs, [a_job(runs[0], "build")]))

    assert status_of(a_site(ci=ci, speed=None)).bad[0] == "1 workflow fails without jobs on main"


def test_the_verdict_on_one_failed_run_is_not_that_of_an_older_failure() -> None:
    again = [a_run(2, "failure"), a_run(2, run_attempt=2, sha=a_run(2)["sha"])]
    runs = [a_run(1), *again, *(a_run(number) for number in range(3, 9)), a_run(9, "failure")]
    jobs = [a_job(run, "build", run["conclusion"]) for run in runs]
    [row] = broken_table(ci_of(a_history(runs, jobs)), HOME).rows

    assert row[-1].text == "unknown"
    assert row[-1].note == "one failed run tells too little; earlier failures in the window: flaky"


def test_links_of_home_lead_somewhere_where_no_run_is_in_the_window() -> None:
    facts = a_site(ci=None)
    [page] = ci_pages(facts)
    hrefs = [str(attrs.get("href")) for tag, attrs in home_of(facts).tags if tag == "a"]
    asked = {one.partition("#")[2] for one in hrefs if one.startswith("ci.html#")}

    assert asked
    assert asked <= {attrs.get("id") for _, attrs in Page(render(page, facts)).tags}


@pytest.mark.parametrize(("told", "words"), [
    ({"status": "failed"}, "the last sync failed"),
    ({"completeness": 0.99996}, "the last sync was not complete"),
])  # fmt: skip
def test_a_sync_that_failed_or_lacks_something_is_worth_a_look(told: dict[str, Any], words: str) -> None:
    newest = a_summary(**told)
    health = HealthFacts(health=SyncHealth(newest=newest, last=(newest,)), syncs=(a_ledger(),), alerts=(an_alert(),))
    status = status_of(msgspec.structs.replace(a_fine_site(), health=health))
    assert (status.answer, status.look) == (Answer.LOOK, (words,))


def test_a_share_that_is_not_whole_is_never_shown_as_whole() -> None:
    newest = a_summary(completeness=0.99996)
    facts = msgspec.structs.replace(NOTHING, health=HealthFacts(health=SyncHealth(newest=newest, last=(newest,))))
    assert card_of(facts, "Data complete")[0] == "99.9 %"
    assert "100.0 %" not in home_of(facts).text


def test_an_error_is_new_for_a_day_where_the_window_reaches_back_further() -> None:
    ci = a_week(new_error=True)
    seen_at = START + 7 * DAY + 2 * HOUR
    assert [one.line_text for one in new_groups(ci, seen_at + DAY - HOUR).groups] == ["no such file"]
    assert new_groups(ci, seen_at + DAY + HOUR).groups == ()


def test_a_window_that_is_too_short_cannot_tell_what_is_new() -> None:
    facts = a_ci_site(a_site().ci)
    assert facts.ci is not None
    assert not new_groups(facts.ci, UNTIL).is_known
    assert new_groups(facts.ci, UNTIL).groups == ()
    assert card_of(facts, "New failure groups")[0] == "unknown"
    assert "which errors are new" in status_of(facts).unknown
    assert "The window is too short to tell what is new" in home_of(facts).text


@pytest.mark.parametrize(("hours", "count"), [(2, 1), (20, 0)])
def test_in_a_short_window_only_what_the_last_report_did_not_know_is_new(hours: int, count: int) -> None:
    runs = [a_run(number, "failure") for number in (1, 4)]
    jobs = [a_job(run, "build", "failure") for run in runs]
    failures = [a_failure(job, "build", fingerprint=letter * 16, observed_at=START + 3 * HOUR)
                for job, letter in zip(jobs, "ab", strict=True)]  # fmt: skip
    ci = ci_of(a_history(runs, jobs, failures=failures), last_report_at=START + hours * HOUR)
    assert new_groups(ci, START + 5 * HOUR).is_known
    assert len(new_groups(ci, START + 5 * HOUR).groups) == count


def test_logs_that_nobody_read_leave_the_groups_unknown() -> None:
    run = a_run(1, "failure")
    facts = a_ci_site(ci_of(a_history([run], [a_job(run, "build", "failure")])))
    assert card_of(facts, "New failure groups") == (
        "unknown", "No log of 1 failed attempt of jobs was read: trackside sync --logs failed downloads them."
    )  # fmt: skip
    assert "which errors are new" in status_of(facts).unknown


def test_a_repository_whose_default_branch_is_not_known_is_not_fine() -> None:
    run = a_run(1, "failure")
    facts = a_ci_site(ci_of(a_history([run], [a_job(run, "build", "failure")], default_branch=None)))
    assert status_of(facts).answer is Answer.LOOK or "CI" in status_of(facts).unknown
    assert "set default_branch under [ci]" in card_of(facts, "Broken now")[1]


def test_what_is_intended_or_acknowledged_waits_for_nobody() -> None:
    speed = some_speed()
    decided = tuple(
        msgspec.structs.replace(one, state=state)
        for one, state in zip(speed.states.found.changes, [ChangeState.ACKNOWLEDGED, ChangeState.INTENDED] * 99,
                              strict=False)
    )  # fmt: skip
    states = msgspec.structs.replace(speed.states, found=msgspec.structs.replace(speed.states.found, changes=decided))
    assert open_regressions(speed).causes
    assert open_regressions(msgspec.structs.replace(speed, states=states)).causes == 0


def test_regressions_are_the_same_figure_in_the_same_words_on_home_and_on_performance() -> None:
    speed = some_speed()
    lead, *others = [one for one in speed.states.found.changes if one.verdict is Verdict.REGRESSION]
    runners = msgspec.structs.replace(others[-1].runners, machines=Machines.NEW)
    changes = (lead, *others[:-1], msgspec.structs.replace(others[-1], runners=runners))
    known = KnownChange(
        repo="octo/engine", change_id="abcd", series="old", direction="down", state=ChangeState.CONFIRMED,
        first_seen_at=UNTIL, last_seen_at=UNTIL, last_good_run_id=None, first_bad_run_id=1, first_bad_sha=None,
        first_bad_at=None, before=200.0, after=190.0,
    )  # fmt: skip
    past = PastChange(known=known, state=ChangeState.CONFIRMED, verdict=Verdict.REGRESSION, stands=True)
    found = msgspec.structs.replace(speed.states.found, changes=changes)
    told = msgspec.structs.replace(speed, states=msgspec.structs.replace(speed.states, found=found, past=(past,)))
    [home] = [one for one in home_cards(a_site(speed=told)) if one.label == "Open regressions"]
    [there] = [one for one in headline(told, watched_series(told)) if one.label == "Open regressions"]

    assert home == there
    assert home.value == "2"
    assert home.basis.startswith(
        f"2 causes, {len(changes)} series; 1 from before the window; 1 more series as the machines changed; of "
    )
    assert home.url == "performance.html?series.standing=regressed&series.all=1#series"
    assert regressions_table(told).rows[1][2].value == -5.0


def test_benchmark_runs_stand_in_the_order_in_which_they_ended_in_logged_times() -> None:
    long = bench_run(1, name="long", first_at=START - 9 * DAY)
    runs = tuple(BenchReport(run=one) for one in (long, bench_run(2), bench_run(3, first_at=None, last_at=None)))
    facts = a_site(benches=runs)

    assert [(row[0].text, row[1].value) for row in benches_table(runs).rows] == [
        ("long", "2026-10-19 13:30"),
        ("job_4402", "2026-10-19 12:30"),
        ("job_4403", None),
    ]
    assert card_of(facts, "Benchmark runs") == ("3", "all read completely, newest of 2026-10-19")


def test_every_figure_has_its_number_of_cases_its_window_and_a_page() -> None:
    facts = a_site()
    cards = {one.label: one for one in home_cards(facts)}
    assert set(cards) == {
        "Broken now", "New failure groups", "Open regressions", "Agents' success", "Benchmark runs", "Data complete"
    }  # fmt: skip
    assert cards["Broken now"].value == "1"
    assert re.fullmatch(r"of \d+ jobs on main, \d+ runs, 2026-06-01", cards["Broken now"].basis)
    assert cards["Agents' success"].value == "80.0 %"
    assert cards["Agents' success"].basis == ("8 of 10 attempts in which an agent worked, 95 % 49.0–94.3 %, 2026-06-01")
    assert re.fullmatch(
        r"1 cause, \d+ series; of \d+ series that were searched, [\d,]+ job attempts?, \d{4}.*",
        cards["Open regressions"].basis,
    )
    assert cards["Data complete"].basis.endswith("UTC: ok; 0 of 2 alerts on")
    assert [re.split("[?#]", one.url or "")[0] for one in cards.values()] == [
        "ci.html", "ci.html", "performance.html", "agentops.html", "benchmarks.html", "health.html"
    ]  # fmt: skip


def test_what_is_broken_leads_to_its_page_with_verdict_and_since_when() -> None:
    page = home_of(a_site())
    text = page.text[page.text.index("Jobs whose newest result") :]
    assert "build" in text
    assert "2026-06-01 16:00" in text  # run 8, eight hours after the first
    hrefs = [str(attrs.get("href")) for tag, attrs in page.tags if tag == "a"]
    assert [one for one in hrefs if one.startswith("ci/jobs/pr-test-build-")]
    assert [one for one in hrefs if one.startswith("performance/") and "#" in one]
    assert [one for one in hrefs if one.startswith("benchmarks/job-4401")]


def test_what_is_broken_stands_longest_first_and_is_of_the_runs_of_its_line() -> None:
    runs = [a_run(number) for number in range(1, 7)]
    pulls = [a_run(number, branch="alice/change") for number in range(7, 20)]
    since = {"a-late": 6, "b-long": 2, "c-middle": 4}
    jobs = [
        a_job(run, name, "failure" if run["run_number"] >= first else "success")
        for run in runs
        for name, first in since.items()
    ]
    ci = ci_of(a_history([*runs, *pulls], [*jobs, *(a_job(pull, "a-late") for pull in pulls)]))

    assert [row[0].text for row in broken_table(ci, HOME).rows] == ["b-long", "c-middle", "a-late"]
    assert broken_card(ci, "ci.html").basis == "of 3 jobs on main, 6 runs, 2026-06-01"
    text = home_of(msgspec.structs.replace(a_site(), ci=ci)).text
    assert "Of 3 jobs in 6 runs of main created 2026-06-01." in text


def test_streaks_of_as_many_failed_runs_stand_by_their_hours() -> None:
    runs = [a_run(number) for number in range(1, 5)]
    ends = {
        "a-late": ("success", "success", "failure", "failure"),
        "b-long": ("success", "failure", "cancelled", "failure"),
    }
    jobs = [a_job(run, name, end) for name, told in ends.items() for run, end in zip(runs, told, strict=True)]
    ci = ci_of(a_history(runs, jobs))

    assert [(row[0].text, row[3].value) for row in broken_table(ci, HOME).rows] == [("b-long", 2), ("a-late", 2)]
    failing = failing_table(ci.streaks, ci.verdicts, {}, HOME)
    assert [row[0].text for row in failing.rows] == ["b-long", "a-late"]


def test_metrics_of_a_test_that_changed_in_one_run_are_one_line() -> None:
    speed = speed_of(a_busy_repository())
    changes = speed.states.found.changes
    lead = next(one for one in changes if one.verdict is Verdict.REGRESSION and one.state.is_open)
    alone = msgspec.structs.replace(lead, moved_with=())
    again = msgspec.structs.replace(alone, change_id="another", series="another", metric="another")
    found = msgspec.structs.replace(speed.states.found, changes=(alone, again))
    table = regressions_table(msgspec.structs.replace(speed, states=ChangeStates(found=found)))

    assert [(row[0].text, row[1].text, row[1].note) for row in table.rows] == [
        (lead.test, lead.metric, "and 1 other series")
    ]


def test_the_page_of_equal_facts_is_equal() -> None:
    assert pages_of(a_site()) == pages_of(a_site())


def test_no_text_from_outside_becomes_markup_and_no_address_leads_elsewhere() -> None:
    html = pages_of(a_hostile_site())["index.html"]
    page = Page(html)
    assert not [tag for tag, _ in page.tags if tag == "svg"]
    assert len([tag for tag, _ in page.tags if tag == "script"]) == html.count("<script ")
    assert "window.pwned" in page.text
    assert "\u202e" not in html
    hrefs = [str(attrs["href"]) for tag, attrs in page.tags if tag == "a"]
    assert [one for one in hrefs if one.startswith(("http", "//", "javascript"))
            and not one.startswith("https://github.com/")] == []  # fmt: skip


def test_a_hostile_name_stays_a_name_in_the_line_of_status() -> None:
    status = status_of(a_hostile_site())
    assert status.answer is Answer.BAD
    assert HOSTILE not in pages_of(a_site(health=sick_health(HOSTILE)))["index.html"]
